/** One question and its answer: the client's non-INVITE transaction of RFC 3261 §17.1.2, over any transport. */
import type { Clock } from '../../host/clock.ts';
import type { Flow, Network, Peer, Secured } from '../../host/network.ts';
import { bytesOf, latin1 } from '../../languages/sip/text.ts';
import { parseMessage } from '../../languages/sip/message.ts';
import type { Message } from '../../languages/sip/message.ts';
import { isAnswerTo, questionText, readAnswer } from './question.ts';
import type { Question } from './question.ts';
import type { Look, Outcome, Transport } from './result.ts';

/** RFC 3261 §17.1.2.2, appendix A: milliseconds. */
export const T1 = 500;
export const T2 = 4000;
/** Timer F: 64 T1. */
export const TIMER_F = 64 * T1;
/** For a server that has answered before, at the same place: five times sent. */
export const KNOWN = 12_000;
/** A message over a stream is never larger here. */
const MOST_STREAM = 65_536;

/** A flow on which one question after the other is asked. */
export interface Dialogue extends Partial<Secured> {
  readonly over: Transport;
  readonly server: Peer;
  readonly local: Peer;
  /** Answers that nobody waited for, or that came again, are passed over. @param patience milliseconds until it is given up */
  ask(question: Question, patience: number): Promise<Look>;
  /** Resolves with true once an answer with that token comes, whoever sent the question; false after so many milliseconds. */
  hears(token: string, milliseconds: number): Promise<boolean>;
  close(): void;
}

/** What waits for a message. */
interface Waiting {
  message(message: Message): void;
  trouble(because: string): void;
}

/** Opens the flow. @throws Error as the door does */
export async function openDialogue(
  network: Network,
  clock: Clock,
  { over, server, name, timeout = 8000, port = 0 }: { over: Transport; server: Peer; name: string; timeout?: number; port?: number },
  goOn: () => boolean,
): Promise<Dialogue> {
  const waiting = new Set<Waiting>();
  let ended: string | null = null;
  let had = '';
  const take = (message: Message): void => {
    for (const one of waiting) one.message(message);
  };
  const trouble = (because: string): void => {
    for (const one of waiting) one.trouble(because);
  };
  const heardDatagram = (bytes: Uint8Array): void => {
    const message = parseMessage(latin1(bytes));
    if (!('refused' in message)) take(message);
  };
  const heardStream = (bytes: Uint8Array): void => {
    had = (had + latin1(bytes)).replace(/^[\r\n]+/, '');
    for (;;) {
      const header = had.indexOf('\r\n\r\n');
      if (header < 0 || had.length > MOST_STREAM) break;
      const message = parseMessage(had);
      if ('refused' in message) break;
      if (message.declaredLength !== null && message.body.end - message.body.start < message.declaredLength) break;
      // Without a length all that is there is taken for it: a server's fault (RFC 3261 §18.3), and no reason to wait.
      had = message.declaredLength === null ? '' : had.slice(message.body.end).replace(/^[\r\n]+/, '');
      take(message);
    }
    if (had.length > MOST_STREAM) had = '';
  };
  const flow: Flow & Partial<Secured> =
    over === 'udp'
      ? await network.datagrams(server, port, heardDatagram, trouble)
      : await network.stream(over, server, name, timeout, heardStream, (because) => {
          ended = because;
          trouble(because);
        });

  function ask(question: Question, patience: number): Promise<Look> {
    const text = questionText(question);
    const bytes = bytesOf(text);
    const asked = parseMessage(text) as Message;
    return new Promise((resolve) => {
      const began = clock.now();
      let sent = 0;
      let troubles = 0;
      let interval = T1;
      let cancel = (): void => undefined;
      const done = (outcome: Outcome): void => {
        cancel();
        waiting.delete(one);
        resolve({ over, server, local: flow.local, form: question.form, size: bytes.length, sent, outcome });
      };
      const one: Waiting = {
        message(message) {
          if (!isAnswerTo(message, question.token)) return;
          const answer = readAnswer(asked, message);
          if (answer.status >= 200) done({ state: 'answered', answer, milliseconds: Math.round(clock.now() - began) });
          else interval = T2; // the server has it: §17.1.2.2, Proceeding
        },
        trouble(because) {
          // One message of the network may be a passing one, and anybody's; over a stream it is the end.
          if (over !== 'udp' || ++troubles > 1) done({ state: 'failed', because });
        },
      };
      const turn = (): void => {
        const left = began + patience - clock.now();
        if (left <= 0 || !goOn()) return done({ state: 'silent' });
        if (ended !== null) return done({ state: 'failed', because: ended });
        if (over === 'udp' || sent === 0) {
          flow.send(bytes);
          sent++;
        }
        cancel = clock.after(over === 'udp' ? Math.min(interval, left) : Math.min(T1, left), turn);
        interval = Math.min(2 * interval, T2);
      };
      waiting.add(one);
      turn();
    });
  }

  return {
    over,
    server,
    local: flow.local,
    ...(flow.certificate === undefined ? {} : { certificate: flow.certificate }),
    ask,
    hears: (token, milliseconds) =>
      new Promise((resolve) => {
        const end = (heard: boolean): void => {
          cancel();
          waiting.delete(one);
          resolve(heard);
        };
        const cancel = clock.after(milliseconds, () => end(false));
        const one: Waiting = {
          message: (message) => {
            if (isAnswerTo(message, token)) end(true);
          },
          trouble: () => undefined,
        };
        waiting.add(one);
      }),
    close: () => flow.close(),
  };
}
