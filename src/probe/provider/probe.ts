/** The probe of the way to a provider: questions over each transport, and what follows from their answers. */
import type { Clock } from '../../host/clock.ts';
import type { Network, Peer } from '../../host/network.ts';
import type { Questions } from '../../voice/names/servers.ts';
import { measureBinding } from './binding.ts';
import { judge } from './judge.ts';
import { inBrackets, isFrom, shownPeer } from './question.ts';
import type { Question } from './question.ts';
import type { Answer, Binding, Fragments, Here, Look, ProviderProbe, Reach, ReachByFamily } from './result.ts';
import type { Server, SourcePort, Transport } from './result.ts';
import { locate, TRANSPORTS } from './target.ts';
import type { Target } from './target.ts';
import { KNOWN, openDialogue, TIMER_F } from './transaction.ts';
import type { Dialogue } from './transaction.ts';
import { say, Trouble } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

export interface ProbeDoors {
  network: Network;
  clock: Clock;
  /** The way to name servers. */
  names: Questions;
  here: Here;
  version: string;
  /** false: it is to stop. */
  goOn: () => boolean;
  /** What is being done, for who waits. */
  progress?: (said: Said) => void;
}

/** Bytes: below what any network takes in one packet (1280 less the headers of IPv6), and above what an Ethernet does. */
const MEDIUM = 1200;
const LARGE = 1800;
/** Milliseconds between two questions to one server: it is somebody's. */
const PAUSE = 100;
/** RFC 3263 §4.3: the next server where one does not answer; the last one's time is as long again. */
const MOST_UDP = 2;

/** @throws Error in a sentence, where the provider's name leads nowhere */
export async function probeProvider(doors: ProbeDoors, target: Target, silence: readonly number[]): Promise<ProviderProbe> {
  const probing = new Probing(doors, target);
  return probing.run(silence);
}

const answerOf = (look: Look | undefined): Answer | null => (look?.outcome.state === 'answered' ? look.outcome.answer : null);

class Probing {
  readonly #doors: ProbeDoors;
  readonly #target: Target;
  readonly #looks: Look[] = [];
  readonly #reach: Reach[] = [];
  readonly #byFamily: ReachByFamily[] = [];
  #messages = 0;
  #cseq = 0;
  /** The server asks to be left alone (503 or Retry-After): in words. */
  #left: Said | null = null;

  constructor(doors: ProbeDoors, target: Target) {
    this.#doors = doors;
    this.#target = target;
  }

  async run(silence: readonly number[]): Promise<ProviderProbe> {
    const { names, here, progress } = this.#doors;
    const { host, port } = this.#target;
    const found = await locate(names, this.#target);
    const because = found.failures[0] ?? (found.because === '' ? say('srv-nowhere', 'its SRV records lead nowhere') : found.because);
    if (found.servers.length === 0)
      throw new Trouble(
        say('probe-no-server', "no server of {host} was found: {because}; give a provider's name or address.", { host, because }),
      );
    progress?.(say('probing-asking', 'asking {host} over UDP, TCP and TLS ...', { host }));
    const of = (over: Transport): Server[] => found.servers.filter((server) => server.over === over);
    for (const over of found.unpublished) {
      const says = say('reach-unpublished', "The provider's SRV records lead to no server for {over}; it was not tried.", {
        over: over.toUpperCase(),
      });
      this.#reach.push({ over, state: 'unpublished', server: null, says });
    }
    let fragments: Fragments = {
      state: 'unknown',
      size: LARGE,
      answered: null,
      says: say('long-no-udp', 'Not tried: no question was answered over UDP.'),
    };
    let binding: Binding = {
      state: 'not asked',
      tries: [],
      least: null,
      most: null,
      says: say('binding-not-asked', 'Not measured; `--silence 30,60,120,300` does, in as many seconds.'),
    };
    const udp = async (): Promise<void> => {
      const dialogue = await this.#overUdp(of('udp'));
      if (dialogue === null) {
        if (silence.length > 0)
          binding = { ...binding, state: 'unknown', says: say('binding-no-udp', 'Not measured: no question was answered over UDP.') };
        return;
      }
      fragments = await this.#long(dialogue);
      const { server } = dialogue;
      dialogue.close();
      if (silence.length > 0 && this.#left === null) {
        progress?.(
          say('probing-silence', 'listening how long the way back stays open in silence: {seconds} s and some ...', {
            seconds: Math.max(...silence),
          }),
        );
        binding = await measureBinding(
          {
            ...this.#doors,
            question: (local, more) => this.#question('udp', local, more),
            took: (look) => void (this.#messages += look.sent),
          },
          server,
          silence,
        );
      }
    };
    await Promise.all([udp(), this.#overStream('tcp', of('tcp')), this.#overStream('tls', of('tls'))]);
    const byFamily = TRANSPORTS.flatMap((over) => this.#byFamily.filter((one) => one.over === over));
    const judged = judge(
      this.#looks,
      host,
      here,
      TRANSPORTS.filter((over) => of(over).length > 0),
    );
    return {
      ...judged,
      reasons: [...judged.reasons, ...familiesOf(byFamily), ...(this.#left === null ? [] : [this.#left])],
      provider: { asked: port === null ? host : shownPeer({ address: host, port }), servers: found.servers, failures: found.failures },
      here,
      reach: [...this.#reach].sort((one, other) => TRANSPORTS.indexOf(one.over) - TRANSPORTS.indexOf(other.over)),
      reachByFamily: byFamily,
      sourcePort: sourcePortOf(this.#looks),
      fragments,
      binding,
      looks: this.#looks,
      messages: this.#messages,
    };
  }

  #question(over: Transport, local: Peer, more: Partial<Question>): Question {
    const { host, port } = this.#target;
    const token = [...this.#doors.network.random(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const uriHost = `${inBrackets(host)}${port === null || port === 5060 ? '' : `:${port}`}`;
    return { over, form: 'literal', uriHost, local, token, cseq: ++this.#cseq, version: this.#doors.version, ...more };
  }

  /** Asks, unless it is to be left alone; null: it was not asked. */
  async #ask(dialogue: Dialogue, more: Partial<Question>, patience = KNOWN): Promise<Look | null> {
    if (this.#left !== null || !this.#doors.goOn()) return null;
    await new Promise<void>((resolve) => void this.#doors.clock.after(PAUSE, resolve));
    const look = await dialogue.ask(this.#question(dialogue.over, dialogue.local, more), patience);
    this.#looks.push(look);
    this.#messages += look.sent;
    const answer = answerOf(look);
    if (answer !== null && (answer.status === 503 || answer.retryAfter !== null)) {
      const { status, reason, retryAfter } = answer;
      this.#left =
        retryAfter === null
          ? say('left-alone', 'The server asked to be left alone ({status} {reason}), so nothing more was asked.', { status, reason })
          : say('left-alone-for', 'The server asked to be left alone for {seconds} s ({status} {reason}), so nothing more was asked.', {
              seconds: retryAfter,
              status,
              reason,
            });
    }
    return look;
  }

  /** Of a transport with servers of both families one of each is asked; what is known of the transport is the better of the two. */
  #reached(over: Transport, rows: readonly { reach: Reach | null; family: ReachByFamily['family'] }[]): void {
    const known = rows.flatMap(({ reach, family }) => (reach === null ? [] : [{ reach, family }]));
    if (known.length > 1) this.#byFamily.push(...known.map(({ reach, family }) => ({ ...reach, family })));
    const best = (['answered', 'connected'] as const).flatMap((state) => known.filter(({ reach }) => reach.state === state))[0] ?? known[0];
    if (best !== undefined) this.#reach.push({ ...best.reach, over });
  }

  /** @returns the flow on which a server answered, open; null: none did */
  async #overUdp(servers: readonly Server[]): Promise<Dialogue | null> {
    const { network } = this.#doors;
    if (servers.length === 0) return null;
    const lacking = await network.lacks('udp');
    if (lacking !== null) {
      this.#reach.push({ over: 'udp', state: 'not here', server: null, says: said(lacking) });
      return null;
    }
    const rows: { reach: Reach | null; family: ReachByFamily['family']; dialogue: Dialogue | null }[] = [];
    for (const [family, some] of families(servers)) rows.push({ family, ...(await this.#udpFamily(some)) });
    this.#reached('udp', rows);
    const [first = null, ...others] = rows.flatMap(({ dialogue }) => dialogue ?? []);
    for (const other of others) other.close();
    return first;
  }

  async #udpFamily(servers: readonly Server[]): Promise<{ reach: Reach | null; dialogue: Dialogue | null }> {
    const { network, clock, goOn } = this.#doors;
    let last: Reach | null = null;
    for (const server of servers.slice(0, MOST_UDP)) {
      const outcome = await this.#udpServer(server, () => openDialogue(network, clock, { over: 'udp', server, name: server.name }, goOn));
      if (outcome.dialogue !== null) return outcome;
      last = outcome.reach;
    }
    return { reach: last, dialogue: null };
  }

  async #udpServer(server: Server, open: () => Promise<Dialogue>): Promise<{ reach: Reach; dialogue: Dialogue | null }> {
    let dialogue: Dialogue;
    try {
      dialogue = await open();
    } catch (error) {
      return {
        reach: {
          over: 'udp',
          state: 'no',
          server,
          says: say('reach-no-socket', 'No socket: {because}.', { because: (error as Error).message }),
        },
        dialogue: null,
      };
    }
    // As a phone is: with Via, From and Contact that name its own socket.
    const literal = await this.#ask(dialogue, {}, TIMER_F);
    const named = literal?.outcome.state === 'failed' ? null : await this.#ask(dialogue, { form: 'named' });
    const seen = answerOf(named ?? undefined);
    // Lost or dropped: told apart by trying again, now that the other one was answered.
    const again = seen !== null && literal?.outcome.state === 'silent' ? await this.#ask(dialogue, {}) : null;
    const answer = answerOf(literal ?? undefined) ?? answerOf(again ?? undefined) ?? seen;
    if (answer === null) {
      dialogue.close();
      const failed = [literal, named]
        .map((look) => (look?.outcome.state === 'failed' ? look.outcome.because : null))
        .find((because) => because !== null);
      const state = failed === undefined ? 'silent' : 'no';
      const says =
        failed === undefined
          ? say('reach-silent', 'No answer to {messages} messages.', { messages: (literal?.sent ?? 0) + (named?.sent ?? 0) })
          : said(failed);
      return { reach: { over: 'udp', state, server, says }, dialogue: null };
    }
    if (seen?.received != null && seen.rport !== null && !isFrom(seen, dialogue.local))
      await this.#ask(dialogue, { form: 'mapped', mapped: { address: seen.received, port: seen.rport } });
    return { reach: { over: 'udp', state: 'answered', server, says: shownAnswer(answer) }, dialogue };
  }

  async #overStream(over: 'tcp' | 'tls', servers: readonly Server[]): Promise<void> {
    const { network } = this.#doors;
    if (servers.length === 0) return;
    const lacking = await network.lacks(over);
    if (lacking !== null) {
      this.#reach.push({ over, state: 'not here', server: null, says: said(lacking) });
      return;
    }
    const rows: { reach: Reach | null; family: ReachByFamily['family'] }[] = [];
    for (const [family, some] of families(servers)) rows.push({ family, reach: await this.#streamFamily(over, some) });
    this.#reached(over, rows);
  }

  async #streamFamily(over: 'tcp' | 'tls', servers: readonly Server[]): Promise<Reach | null> {
    const { network, clock, goOn } = this.#doors;
    let reach: Reach | null = null;
    for (const server of servers) {
      if (!goOn()) break;
      let dialogue: Dialogue;
      try {
        dialogue = await openDialogue(network, clock, { over, server, name: server.name }, goOn);
      } catch (error) {
        const { message, refused } = error as Error & { refused?: boolean };
        reach = {
          over,
          state: /^no connection within/.test(message) && refused !== true ? 'silent' : 'no',
          server,
          says: said(message),
        };
        continue;
      }
      const certificate = dialogue.certificate === undefined ? {} : { certificate: dialogue.certificate };
      const literal = await this.#ask(dialogue, {}, TIMER_F);
      const answer = answerOf(literal ?? undefined);
      if (answer !== null && over === 'tcp') await this.#ask(dialogue, { form: 'named' });
      dialogue.close();
      const says =
        answer === null ? say('reach-connected', 'The connection stands, and no answer to OPTIONS came over it.') : shownAnswer(answer);
      reach = { over, state: answer === null ? 'connected' : 'answered', server, says, ...certificate };
      break;
    }
    return reach;
  }

  /** Questions too long for one packet. */
  async #long(dialogue: Dialogue): Promise<Fragments> {
    const unknown = (says: Said): Fragments => ({ state: 'unknown', size: LARGE, answered: null, says });
    const medium = await this.#ask(dialogue, { form: 'medium', size: MEDIUM });
    if (medium === null) return unknown(say('long-not-tried', 'Not tried.'));
    if (answerOf(medium) === null)
      return unknown(
        say(
          'long-medium',
          'A question of {bytes} bytes, which fits into one packet, was not answered either: the server, or an '
            + 'ALG, takes no long ones.',
          { bytes: MEDIUM },
        ),
      );
    const large = await this.#ask(dialogue, { form: 'large', size: LARGE });
    if (large === null) return unknown(say('long-not-tried', 'Not tried.'));
    if (answerOf(large) !== null) {
      const says = say('long-arrived', 'A question of {bytes} bytes, sent in two packets, arrived.', { bytes: LARGE });
      return { state: 'arrive', size: LARGE, answered: MEDIUM, says };
    }
    // It may have stopped answering at all.
    if (answerOf((await this.#ask(dialogue, { form: 'named' })) ?? undefined) === null)
      return unknown(say('long-unknown', 'Not known: by then the server no longer answered short questions.'));
    const says = say(
      'long-lost',
      'A question of {medium} bytes was answered, one of {large}, in two packets, was not ({times} times '
        + 'sent): fragments are lost on the way, or the provider takes none. Long INVITEs do not arrive then: '
        + 'use TCP or TLS, or fewer codecs.',
      { medium: MEDIUM, large: LARGE, times: large.sent },
    );
    return { state: 'lost', size: LARGE, answered: MEDIUM, says };
  }
}

/** IPv4 first: only there addresses are translated, and so rewritten. */
function families(servers: readonly Server[]): [family: ReachByFamily['family'], servers: Server[]][] {
  const all = (['ipv4', 'ipv6'] as const).map((family): [ReachByFamily['family'], Server[]] => [
    family,
    servers.filter(({ address }) => address.includes(':') === (family === 'ipv6')),
  ]);
  return all.filter(([, some]) => some.length > 0);
}

/** What the two families say together: a sentence for each transport that has servers of both. */
export function familiesOf(rows: readonly ReachByFamily[]): Said[] {
  return TRANSPORTS.flatMap((over) => {
    const of = rows.filter((row) => row.over === over);
    const one = of.find(({ state }) => state === 'answered');
    const other = of.find(({ state }) => state !== 'answered');
    if (one === undefined) return [];
    const transport = over.toUpperCase();
    if (other === undefined)
      return [say('reach-both-families', 'Over {transport} the provider answers by IPv4 and by IPv6 alike.', { transport })];
    const values = { transport, why: other.says };
    return [
      one.family === 'ipv4'
        ? say(
            'reach-ipv4-alone',
            'Over {transport} the provider answers by IPv4 alone. By IPv6: {why} A phone with IPv6 may try that first, and be late.',
            values,
          )
        : say(
            'reach-ipv6-alone',
            'Over {transport} the provider answers by IPv6 alone. By IPv4: {why} What is said here is of IPv6, where addresses are '
              + 'seldom translated; of IPv4 nothing is known.',
            values,
          ),
    ];
  });
}

/** What a door has said, as a sentence. */
const said = (text: string): Said =>
  say('sentence-of', '{because}.', { because: text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '') });

const shownAnswer = ({ status, reason, server }: Answer): Said =>
  server === null
    ? say('reach-answer', '{status} {reason}.', { status, reason })
    : say('reach-answer-by', '{status} {reason} by {server}.', { status, reason, server });

/** What the server saw where no ALG had a hand in it. */
export function sourcePortOf(looks: readonly Look[]): SourcePort {
  const unknown = (says: Said): SourcePort => ({ state: 'unknown', local: null, seen: null, says });
  const look = looks.find(({ over, form, outcome }) => over === 'udp' && form === 'named' && outcome.state === 'answered');
  const answer = answerOf(look);
  if (look === undefined || answer === null) return unknown(say('port-no-udp', 'Not known: no question was answered over UDP.'));
  const { port } = look.local;
  if (answer.rport === null)
    return unknown(say('port-no-rport', 'Not known: the server does not say which port it saw (no `rport` in its answer).'));
  return answer.rport === port
    ? { state: 'kept', local: port, seen: port, says: say('port-kept', 'The source port ({port}) is kept.', { port }) }
    : {
        state: 'changed',
        local: port,
        seen: answer.rport,
        says: say(
          'port-changed',
          'The source port {port} becomes {seen}: somebody else behind the router has it, or the router keeps none.',
          { port, seen: answer.rport },
        ),
      };
}
