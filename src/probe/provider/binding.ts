/**
 * How long the way back to a UDP socket stays open while nothing is said, with an ordinary SIP server as the far end.
 *
 * A second socket asks with a Via that names the first one's public address and port, and without rport: RFC 3261 §18.2.2
 * has the server answer there. So the answer comes in by the way back of the first socket, which said nothing meanwhile, or
 * does not. Whether the server does so is tried first without any silence: where it does not (it answers to where a question
 * came from, whatever Via says), nothing is measured, and nothing is said of the way back.
 */
import type { Clock } from '../../host/clock.ts';
import type { Network, Peer } from '../../host/network.ts';
import type { Question } from './question.ts';
import type { Binding, Look } from './result.ts';
import { KNOWN, openDialogue } from './transaction.ts';
import type { Dialogue } from './transaction.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

/** Milliseconds the answer has: four times sent. */
const PATIENCE = 7000;
/** Milliseconds between looks at whether to stop. */
const STEP = 500;
/** All the sockets of one measurement. */
export const MOST_TRIES = 8;
export const LONGEST = 3600;

export interface Asking {
  network: Network;
  clock: Clock;
  goOn: () => boolean;
  /** A question to that server; `token` and `cseq` are new each time. */
  question(local: Peer, more: Partial<Question>): Question;
  took(look: Look): void;
}

interface Waited {
  dialogue: Dialogue;
  /** Where the server sees it. */
  outside: Peer;
}

async function wait(clock: Clock, milliseconds: number, goOn: () => boolean): Promise<void> {
  const end = clock.now() + milliseconds;
  while (goOn() && clock.now() < end)
    await new Promise<void>((resolve) => void clock.after(Math.min(STEP, Math.max(1, end - clock.now())), resolve));
}

/** A socket that has asked once, and been answered. */
async function opened(asking: Asking, server: Peer): Promise<Waited | { wrong: Said }> {
  const { network, clock, goOn, question, took } = asking;
  const dialogue = await openDialogue(network, clock, { over: 'udp', server, name: server.address }, goOn);
  const look = await dialogue.ask(question(dialogue.local, { form: 'named' }), KNOWN);
  took(look);
  if (look.outcome.state === 'answered') {
    const { received, rport } = look.outcome.answer;
    if (received !== null && rport !== null) return { dialogue, outside: { address: received, port: rport } };
  }
  dialogue.close();
  return {
    wrong:
      look.outcome.state === 'answered'
        ? say('binding-no-rport', 'the server does not say which port it saw')
        : say('binding-gone', 'the server no longer answers'),
  };
}

/** `back`: the answer came by the way that is tried. `asker`: to the socket that asked. `nowhere`: neither. */
async function tried(asking: Asking, server: Peer, { dialogue, outside }: Waited): Promise<'back' | 'asker' | 'nowhere'> {
  const { network, clock, goOn, question, took } = asking;
  const second = await openDialogue(network, clock, { over: 'udp', server, name: server.address }, goOn);
  try {
    const asked = question(second.local, { form: 'named', replyTo: outside });
    const heard = dialogue.hears(asked.token, PATIENCE);
    const look = second.ask(asked, PATIENCE);
    const first = await Promise.race([
      heard.then((yes) => (yes ? ('back' as const) : null)),
      look.then(({ outcome }) => (outcome.state === 'answered' ? ('asker' as const) : null)),
    ]);
    // Closing ends its retransmissions.
    const last = first ?? ((await heard) ? 'back' : (await look).outcome.state === 'answered' ? 'asker' : 'nowhere');
    if (last !== 'back') took(await look);
    return last;
  } finally {
    second.close();
  }
}

const unknown = (says: Said): Binding => ({ state: 'unknown', tries: [], least: null, most: null, says });

/** @param seconds of silence, each on a socket of its own, all at once */
export async function measureBinding(asking: Asking, server: Peer, seconds: readonly number[]): Promise<Binding> {
  const { clock, goOn } = asking;
  const control = async (): Promise<'back' | 'asker' | 'nowhere' | { wrong: Said }> => {
    const fresh = await opened(asking, server);
    if ('wrong' in fresh) return fresh;
    try {
      return await tried(asking, server, fresh);
    } finally {
      fresh.dialogue.close();
    }
  };
  const works = await control();
  if (works === 'asker')
    return unknown(
      say(
        'binding-asker',
        'Not measured: this server answers to where a question came from, never to another port, so none '
          + 'comes by a way that was silent.',
      ),
    );
  if (works === 'nowhere')
    return unknown(
      say(
        'binding-nowhere',
        'Not measured: an answer asked for at the port of another socket came to neither, even without any silence before.',
      ),
    );
  if (works !== 'back') return unknown(say('binding-wrong', 'Not measured: {because}.', { because: works.wrong }));
  const tries = await Promise.all(
    seconds.map(async (each): Promise<Binding['tries'][number]> => {
      const fresh = await opened(asking, server);
      if ('wrong' in fresh) return { seconds: each, open: null };
      try {
        await wait(clock, each * 1000, goOn);
        if (!goOn()) return { seconds: each, open: null };
        const how = await tried(asking, server, fresh);
        return { seconds: each, open: how === 'back' ? true : how === 'nowhere' ? false : null };
      } finally {
        fresh.dialogue.close();
      }
    }),
  );
  // What did not come may be the server's silence: it is asked again in the way that worked.
  if (tries.some(({ open }) => open === false) && goOn() && (await control()) !== 'back')
    return {
      ...unknown(say('binding-changed', 'Not measured: at the end the server no longer answered in the way it did at first.')),
      tries,
    };
  return read(tries);
}

/** What the tries say together. */
export function read(tries: Binding['tries']): Binding {
  const open = tries.filter((each) => each.open === true).map(({ seconds }) => seconds);
  const closed = tries.filter((each) => each.open === false).map(({ seconds }) => seconds);
  if (open.length + closed.length === 0)
    return { ...unknown(say('binding-stopped', 'Not measured: the server stopped answering, or it was stopped.')), tries };
  const least = open.length > 0 ? Math.max(...open) : null;
  const most = closed.length > 0 ? Math.min(...closed) : null;
  const all = { state: 'measured' as const, tries, least, most };
  if (least !== null && most !== null && least > most) {
    const says = say(
      'binding-odd',
      'Open after {least} s of silence and closed after {most} s, on two sockets: it does not end by the clock.',
      { least, most },
    );
    return { ...all, state: 'unknown', says };
  }
  const advice = (limit: number): Said =>
    say(
      'binding-advice',
      'A phone that is silent for longer is not reached: have it send a keep-alive every {seconds} s, or give the router a longer timeout.',
      { seconds: limit },
    );
  if (least === null)
    return {
      ...all,
      says: say('binding-closed', 'The way back was closed after {most} s of silence already. {advice}', {
        most: most ?? 0,
        advice: advice(Math.max(1, Math.floor((most ?? 0) / 2))),
      }),
    };
  if (most === null)
    return {
      ...all,
      says: say('binding-open', 'The way back was still open after {least} s of silence; longer was not tried.', { least }),
    };
  return {
    ...all,
    says: say('binding-between', 'The way back was open after {least} s of silence and closed after {most} s. {advice}', {
      least,
      most,
      advice: advice(least),
    }),
  };
}
