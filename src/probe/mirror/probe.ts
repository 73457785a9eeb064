/** The probe against a mirror: each message is sent as a phone would, and the mirror says what of it arrived. */
import { differencesOf } from '../../compare/differences.ts';
import type { Difference } from '../../compare/difference.ts';
import type { Flow, Peer } from '../../host/network.ts';
import { say, Trouble } from '../../words/say.ts';
import { bytesOf, latin1 } from '../../languages/sip/text.ts';
import { answerText, CONTROL, fromBase64, markLine, markOf, PORT, readAnswer } from '../../mirror/protocol.ts';
import type { Mark, Read } from '../../mirror/protocol.ts';
import type { ProbeDoors } from '../provider/probe.ts';
import { shownPeer } from '../provider/question.ts';
import type { Target } from '../provider/target.ts';
import { T1, T2 } from '../provider/transaction.ts';
import { judge } from './judge.ts';
import type { Change, Fate, MirrorProbe, Tried } from './result.ts';
import { VECTORS } from './vectors.ts';
import type { Maker, Vector } from './vectors.ts';

/** Milliseconds one message has: sent four times (RFC 3261 §17.1.1.2 doubles from T1). */
const PATIENCE = 4000;
/** Milliseconds between the beginnings of two messages, so that no queue overflows. */
const STAGGER = 40;
const CONNECT = 6000;
/** Ports of RTP that are offered from here on; nothing listens there. Each probe has others: an ALG lets no two calls have one. */
const MEDIA = 20_000;
const MEDIA_RANGES = 2400;
const MEDIA_RANGE = 16;

/** Milliseconds between two segments of one message: neither engine nor kernel puts them together again. */
const APART = 150;

type Family = Tried['family'];
const familyOf = ({ address }: Peer): Family => (address.includes(':') ? 'ipv6' : 'ipv4');

interface Answered {
  /** The question as it arrived; null where its pieces do not fit together. */
  question: string | null;
  seen: Peer;
  /** Answers as they came, by their number. */
  answers: string[];
  /** They came to the second socket, from which nothing was asked. */
  moved: boolean;
}

/** Who is handed what comes; `moved`: to the second socket. */
interface Heard {
  take: (text: string, moved: boolean) => void;
}

/** What an answer is heard by where nobody waits for one. */
const nobody = (): Heard => ({ take: () => undefined });

/** @throws Error in a sentence, where the mirror's name leads nowhere */
export async function probeMirror(doors: ProbeDoors, target: Target): Promise<MirrorProbe> {
  return new Probing(doors, target).run();
}

class Probing {
  readonly #doors: ProbeDoors;
  readonly #target: Target;
  readonly #port: number;
  readonly #cookies = new Map<string, string>();
  /** Such as were not sent, for what had to go before them was not answered. */
  readonly #untried = new WeakSet<Tried>();
  #messages = 0;
  #media: number;

  constructor(doors: ProbeDoors, target: Target) {
    this.#doors = doors;
    this.#target = target;
    this.#port = target.port ?? PORT;
    const [one = 0, two = 0] = doors.network.random(2);
    this.#media = MEDIA + ((one * 256 + two) % MEDIA_RANGES) * MEDIA_RANGE;
  }

  async run(): Promise<MirrorProbe> {
    const { host, isAddress } = this.#target;
    const { names, clock, progress, here } = this.#doors;
    const found = isAddress ? [] : await Promise.all([names('A', host), names('AAAA', host)]);
    const named = found.flatMap((result) => (result.state === 'found' ? result.records.map(({ address }) => address) : []));
    const addresses = isAddress
      ? [host]
      : (['.', ':'] as const).flatMap((mark) => named.filter((address) => address.includes(mark)).slice(0, 1));
    if (addresses.length === 0) {
      const [first] = found.flatMap((result) => (result.state === 'found' ? [] : [result.because]));
      throw new Trouble(
        say('mirror-no-address', '{host} has no address: {because}; give the name or address of the host that runs `sipalg mirror`.', {
          host,
          because: first ?? say('mirror-not-found', 'nothing was found'),
        }),
      );
    }
    progress?.(say('probing-mirror', 'sending {messages} messages to the mirror ...', { messages: VECTORS.length }));
    const runs: Promise<Tried>[] = [];
    const control: Promise<Tried>[] = [];
    const begin = async (list: Promise<Tried>[], work: () => Promise<Tried>): Promise<void> => {
      await new Promise<void>((resolve) => void clock.after(STAGGER, resolve));
      list.push(work());
    };
    for (const address of addresses) {
      const family = familyOf({ address, port: 0 });
      const at = (port: number): Peer => ({ address, port });
      const invite = VECTORS.find(({ name }) => name === 'invite')!;
      // Alone and first: it brings the cookie, and tells whether there is a mirror at all.
      const first = await this.#udp(invite, at(this.#port + CONTROL), this.#media, false);
      control.push(Promise.resolve(first));
      if (first.fate === 'lost' && (await this.#reached(at(this.#port))) === false) continue;
      for (const vector of VECTORS.filter(({ families }) => families.includes(family))) {
        if (vector.over.includes('udp')) await begin(runs, () => this.#udpAndControl(vector, at(this.#port)));
      }
    }
    for (const address of addresses) {
      const family = familyOf({ address, port: 0 });
      for (const vector of VECTORS.filter(({ families, over }) => families.includes(family) && over.includes('tcp')))
        await begin(runs, () => this.#tcp(vector, { address, port: this.#port }));
    }
    const [tried, controls] = [await Promise.all(runs), await Promise.all(control)];
    return {
      ...judge(tried, controls, host, here),
      mirror: { asked: host, port: this.#port, control: this.#port + CONTROL, addresses },
      here,
      control: controls,
      tried,
      messages: this.#messages,
    };
  }

  #token(): string {
    return [...this.#doors.network.random(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Whether a mirror answers there, in whatever way. */
  async #reached(mirror: Peer): Promise<boolean> {
    const options = VECTORS.find(({ name }) => name === 'options')!;
    return (await this.#udp(options, mirror)).fate !== 'lost';
  }

  async #udpAndControl(vector: Vector, mirror: Peer): Promise<Tried> {
    const media = this.#media;
    this.#media += 8;
    const tried = await this.#udp(vector, mirror, media);
    if (tried.fate !== 'lost' || this.#untried.has(tried)) return tried;
    // Not arrived: at the control port the same text tells whether it is too long, or the mirror is gone.
    const there = await this.#udp(vector, { address: mirror.address, port: this.#port + CONTROL }, media, false);
    return there.fate === 'lost' ? tried : { ...tried, fate: 'dropped' };
  }

  /** @param closely where no answer comes, one that is no SIP is asked for; and what goes before it goes before it */
  async #udp(vector: Vector, mirror: Peer, media = this.#media, closely = true): Promise<Tried> {
    const heard = nobody();
    const flows: Flow[] = [];
    const open = async (moved: boolean): Promise<Flow> => {
      const flow = await this.#doors.network.datagrams(
        mirror,
        0,
        (bytes) => heard.take(latin1(bytes), moved),
        () => undefined,
      );
      flows.push(flow);
      return flow;
    };
    const before = closely ? vector.before : undefined;
    const lost = (): Tried => this.#read(vector, 'udp', mirror, { address: '', port: 0 }, '', '', null, false);
    try {
      const other = vector.listens === true || before !== undefined ? await open(true) : null;
      if (other !== null && before !== undefined) {
        const id = this.#token();
        const text = (): string => before(this.#maker('udp', other.local, mirror, 'sip', id, media));
        const stands = await this.#asked(() => other.send(bytesOf(text())), heard, mirror.address, id);
        if (stands === null) {
          const tried = lost();
          this.#untried.add(tried);
          return tried;
        }
      }
      const flow = await open(false);
      const second = other === null ? {} : { second: other.local };
      const make = (answer: Mark['answer'], id: string): string =>
        vector.make({ ...this.#maker('udp', flow.local, mirror, answer, id, media), ...second });
      const ask = (answer: Mark['answer'], id: string): Promise<Answered | null> =>
        this.#asked(() => flow.send(bytesOf(make(answer, id))), heard, mirror.address, id);
      const id = this.#token();
      const answered = await ask('sip', id);
      if (answered !== null || !closely)
        return this.#read(vector, 'udp', mirror, flow.local, make('sip', id), id, answered, false, other?.local);
      // Perhaps it is the answer that does not come through: one that is no SIP tells.
      const again = this.#token();
      const plain = await ask('plain', again);
      return this.#read(vector, 'udp', mirror, flow.local, make('plain', again), again, plain, plain !== null, other?.local);
    } catch {
      return lost();
    } finally {
      const [first] = flows;
      const ending = first === undefined ? undefined : vector.end?.(this.#maker('udp', first.local, mirror, 'sip', this.#token(), media));
      if (first !== undefined && ending !== undefined) {
        first.send(bytesOf(ending));
        this.#messages++;
        await new Promise<void>((resolve) => void this.#doors.clock.after(STAGGER, resolve)); // it has to be on its way before the end
      }
      for (const flow of flows) flow.close();
    }
  }

  async #tcp(vector: Vector, mirror: Peer): Promise<Tried> {
    const media = this.#media;
    this.#media += 8;
    let had = '';
    const heard = nobody();
    let flow: Flow;
    try {
      flow = await this.#doors.network.stream(
        'tcp',
        mirror,
        mirror.address,
        CONNECT,
        (bytes) => {
          had += latin1(bytes);
          for (let length = wholeLength(had); length !== null; length = wholeLength(had)) {
            const answer = had.slice(0, length);
            had = had.slice(length);
            heard.take(answer, false);
          }
        },
        () => undefined,
      );
    } catch {
      return this.#read(vector, 'tcp', mirror, { address: '', port: 0 }, '', '', null, false);
    }
    try {
      const maker = (id: string): Maker => this.#maker('tcp', flow.local, mirror, 'sip', id, media);
      const id = this.#token();
      const text = vector.make(maker(id));
      const along = vector.along?.(maker(this.#token())) ?? '';
      if (along !== '') this.#messages++;
      const cut = vector.cut?.(text) ?? text.length;
      const send = (): void => {
        flow.send(bytesOf(along + text.slice(0, cut)));
        if (cut < text.length) this.#doors.clock.after(APART, () => flow.send(bytesOf(text.slice(cut))));
      };
      const answered = await this.#asked(send, heard, mirror.address, id, true);
      return this.#read(vector, 'tcp', mirror, flow.local, text, id, answered, false);
    } finally {
      flow.close();
    }
  }

  #maker(over: 'udp' | 'tcp', local: Peer, mirror: Peer, answer: Mark['answer'], id: string, media: number): Maker {
    const mark = markLine({ id, cookie: this.#cookies.get(mirror.address) ?? '', answer });
    return { over, local, mirror, token: id, media, version: this.#doors.version, mark };
  }

  /** Sends until all of the answer is there; null where it never is. A cookie is taken, and the question asked again with it. */
  #asked(send: () => void, heard: Heard, address: string, id: string, once = false): Promise<Answered | null> {
    const { clock, goOn } = this.#doors;
    const answers: string[] = [];
    const pieces: string[] = [];
    return new Promise((resolve) => {
      const end = clock.now() + PATIENCE;
      let interval = T1;
      let cancel = (): void => undefined;
      const done = (answered: Answered | null): void => {
        cancel();
        heard.take = () => undefined;
        resolve(answered);
      };
      const turn = (again: boolean): void => {
        cancel();
        const left = end - clock.now();
        if (left <= 0 || !goOn()) return done(null);
        if (again) {
          send();
          this.#messages++;
        }
        cancel = clock.after(Math.min(interval, left), () => turn(!once));
        interval = Math.min(2 * interval, T2);
      };
      heard.take = (text, moved) => {
        const read: Read | null = readAnswer(text);
        if (read === null || read.id !== id) return;
        if ('cookie' in read) {
          const had = this.#cookies.get(address);
          this.#cookies.set(address, read.cookie);
          // Once for each cookie: a mirror that gives one after the other is asked no faster for it.
          if (had !== read.cookie) turn(true);
          return;
        }
        answers[read.part - 1] = text;
        pieces[read.part - 1] = read.body;
        for (let part = 0; part < read.parts; part++) if (pieces[part] === undefined) return;
        done({ question: fromBase64(pieces.join('')), seen: read.from, answers, moved });
      };
      turn(true);
    });
  }

  #read(
    vector: Vector,
    over: 'udp' | 'tcp',
    mirror: Peer,
    local: Peer,
    sent: string,
    id: string,
    answered: Answered | null,
    unheard: boolean,
    second?: Peer,
  ): Tried {
    const { name, what } = vector;
    const about = { name, what, over, family: familyOf(mirror), port: mirror.port, local, size: sent.length };
    if (answered === null || answered.question === null)
      return { ...about, seen: null, arrived: null, fate: 'lost', changes: [], answer: [] };
    const { question, seen, answers } = answered;
    const translation = { inside: local, outside: seen };
    // A cookie may have come between the first sending and the one that was answered.
    const cookie = markOf(question)?.cookie;
    const asSent = cookie === undefined ? sent : sent.replace(/(;cookie=)[0-9a-f]*/, `$1${cookie}`);
    const changes = differencesOf(asSent, question, translation).map(changed);
    const parts = answers.length;
    // An answer's body is base64, which nobody edits: its header alone is looked at, of the first one.
    const body = (readAnswer(answers[0]!) as { body: string }).body;
    const expected = answerText(question, { id, part: 1, parts, from: seen }, unheard ? 'plain' : 'sip', body);
    const answer = unheard ? [] : differencesOf(expected, answers[0]!, translation).map(changed);
    // A mirror answers where it was asked from: it is on the way that the answer was sent to another port.
    if (answered.moved && second !== undefined)
      answer.push({ field: 'Answer', part: 'port', at: 1, change: 'moved', before: String(local.port), after: String(second.port) });
    const fate: Fate = unheard ? 'unheard' : changes.length + answer.length > 0 ? 'rewritten' : 'unchanged';
    return { ...about, seen, arrived: question.length, fate, changes, answer };
  }
}

/** How long the first whole message of a stream is; null where it is not all there. */
function wholeLength(had: string): number | null {
  const end = had.indexOf('\r\n\r\n');
  const [, length] = /^Content-Length:\s*(\d+)/im.exec(had.slice(0, Math.max(0, end))) ?? [];
  const whole = end + 4 + Number(length ?? 0);
  return end < 0 || had.length < whole ? null : whole;
}

const MOST_SHOWN = 120;
const changed = ({ field, part, at, change, before, after }: Difference): Change => ({
  field,
  part,
  at,
  change,
  before: before === null ? null : before.text.slice(0, MOST_SHOWN),
  after: after === null ? null : after.text.slice(0, MOST_SHOWN),
});

/** For a sentence: `203.0.113.20:5060`. */
export const shownSeen = ({ seen }: Tried): string => (seen === null ? '' : shownPeer(seen));
