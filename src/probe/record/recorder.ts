/**
 * Records messages on this router without capture software, and never touches them: a table of its own, loaded in one
 * transaction, taken away at the end, and found by the next run of anything should this one be killed.
 *
 *     await clearLeft(host);                                       // once, when a command begins
 *     const recorder = await startRecorder(host, 'phones', taps, { messages: 256, seconds: 600 });
 *     const { messages, packets } = await recorder.read();         // as often as wanted
 *     const left = await recorder.close();                         // sentences: what could not be taken away
 *
 * Both sides of a router, for real phones: one tap at ingress of each LAN device and one at its egress, the same at each WAN
 * device, all in one recorder. A message is the same one on both sides by its IP id where that is not 0, else by its
 * Call-ID, CSeq and branch; NAT keeps none of its addresses and ports.
 */
import type { Host, Outcome } from '../../host/host.ts';
import { NOTHING, unmake, writeMade } from './made.ts';
import type { Made } from './made.ts';
import { countersIn, readRecording } from './recorded.ts';
import type { Head, Recording } from './recorded.ts';
import { counterOf, NARROW, recordable, recordingScript } from './taps.ts';
import type { Limits, Tap } from './taps.ts';

export interface RecorderOptions {
  /** Messages at each tap, and seconds after which the kernel forgets one. */
  readonly messages: number;
  readonly seconds: number;
  /** Bytes of each message, where fewer are enough than the kernel can record. */
  readonly bytes?: number;
  /** The kernel's release, `6.6.93`. */
  readonly kernel: string;
  /** What else this run makes; it is written down and taken away with the table. */
  readonly made?: Made;
  /** Further lines of the table: chains of the caller's. */
  readonly more?: readonly string[];
}

/** What of a recording is asked for. */
export interface Asked {
  /** The parts of the taps that are listed; all, where none is given. */
  readonly parts?: ReadonlySet<string>;
  /** Messages that are left out. */
  readonly isKnown?: (head: Head) => boolean;
}

export interface Recorder {
  /** Bytes of each message that are recorded. */
  readonly bytes: number;
  /** @throws Error in a sentence: somebody has taken a table away (`fw4 flush`), or nft did not answer */
  read(asked?: Asked): Promise<Recording>;
  /** The messages alone, at a tenth of the cost; null where this nft does not list them so. Some list the sets without a message. */
  glance(asked?: Asked): Promise<Recording | null>;
  /**
   * Packets that have matched at each tap whose counter has a name, since the recording began: a fraction of what the shortest list
   * of messages costs. It takes them off the counters, which is one transaction (nf_tables, NFT_MSG_GETOBJ_RESET). null where nft
   * does not answer so.
   */
  counted(): Promise<ReadonlyMap<string, number> | null>;
  /** Takes away all that was made. Never throws. @returns what could not be taken away, in sentences */
  close(): Promise<string[]>;
}

/** Why nothing can be recorded here. */
export class CannotRecord extends Error {
  /** `nft`: it is not installed. `netdev`: the kernel lacks netdev tables, or egress in them. `other`: anything else. */
  readonly lacks: 'nft' | 'netdev' | 'other';

  constructor(lacks: CannotRecord['lacks'], sentence: string) {
    super(sentence);
    this.name = 'CannotRecord';
    this.lacks = lacks;
  }
}

/** The table of a run, by what it is for and by the part of its taps: lower case letters. */
export const tableOf = (host: Host, kind: string, part = ''): string => `netdev sipalg_${kind}${part}_${host.process().pid}`;

/** What nft says where the kernel has no netdev tables, or no egress in them (nf_tables_api.c, EOPNOTSUPP; older: ENOENT). */
const LACKING = /Operation not supported|Not supported|Protocol error|No such file or directory/;
/** What it says for an offset beyond what the kernel takes (ERANGE by the netlink policy). */
const TOO_FAR = /Numerical result out of range/;

async function load(host: Host, script: string): Promise<string | null> {
  const outcome = await host.run(['nft', '-f', '-'], { input: script });
  if (outcome.state === 'absent') throw new CannotRecord('nft', 'nft is not installed');
  if (outcome.state === 'failed') throw new CannotRecord('other', `\`nft -f -\`: ${outcome.because}`);
  return outcome.code === 0 ? null : (outcome.stderr.split('\n').find((line) => line.includes('rror')) ?? outcome.stderr).trim();
}

/** What taps without a part have. */
const WHOLE = '';

/**
 * Taps of one part share a table; a table is listed by itself.
 * @param kind what the recording is for: its tables are `netdev sipalg_KIND_PID` and, of each part, `netdev sipalg_KINDPART_PID`
 * @throws CannotRecord; nothing is left then. Refused where a tap cannot be written
 */
export async function startRecorder(host: Host, kind: string, taps: readonly Tap[], options: RecorderOptions): Promise<Recorder> {
  const { messages, seconds, kernel, made = NOTHING, more = [] } = options;
  const parts = [...new Set(taps.map(({ part = WHOLE }) => part))];
  const tapsIn = (part: string): Tap[] => taps.filter((tap) => (tap.part ?? WHOLE) === part);
  const tableIn = (part: string): string => tableOf(host, kind, part);
  const all = { ...made, tables: [...made.tables, ...parts.map(tableIn)] };
  let bytes = Math.min(options.bytes ?? Infinity, recordable(kernel));
  // One transaction for all of them.
  const script = (): string =>
    parts
      .map((part, nth) => {
        const limits: Limits = { bytes, messages, seconds };
        return recordingScript(tableIn(part).slice('netdev '.length), tapsIn(part), limits, nth === 0 ? more : []);
      })
      .join('');
  const first = script(); // a tap that cannot be written is refused before anything is made
  await writeMade(host, all);
  try {
    let complaint = await load(host, first);
    if (complaint !== null && TOO_FAR.test(complaint) && bytes > NARROW) {
      bytes = NARROW;
      complaint = await load(host, script());
    }
    if (complaint !== null)
      throw new CannotRecord(LACKING.test(complaint) ? 'netdev' : 'other', `nft did not take the table of a test: ${complaint}`);
  } catch (error) {
    await unmake(host, all);
    throw error;
  }
  /** The same question of several tables, to one nft. */
  const ask = (question: readonly string[], of: readonly string[]): Promise<Outcome> =>
    host.run(['nft', ...of.flatMap((part, nth) => [...(nth === 0 ? [] : [';']), ...question, ...tableIn(part).split(' ')])]);
  const wantedOf = ({ parts: wanted }: Asked): string[] => parts.filter((part) => wanted === undefined || wanted.has(part));
  const recordingOf = (text: string, wanted: readonly string[], { isKnown }: Asked): Recording =>
    readRecording(text, taps.filter(({ part = WHOLE }) => wanted.includes(part)), bytes, isKnown);
  const named = taps.filter((tap) => tap.named === true);
  const counts = new Map<string, number>(named.map(({ name }) => [name, 0]));
  return {
    bytes,
    async read(asked = {}) {
      const wanted = wantedOf(asked);
      const outcome = await ask(['list', 'table'], wanted);
      if (outcome.state !== 'exited') throw new Error(`\`${outcome.command}\` did not answer.`);
      if (outcome.code !== 0) {
        const table = wanted.map(tableIn).join(', ');
        throw new Error(`The table ${table} is gone: somebody has flushed all tables meanwhile (\`/etc/init.d/firewall stop\` does).`);
      }
      return recordingOf(outcome.stdout, wanted, asked);
    },
    async glance(asked = {}) {
      const wanted = wantedOf(asked);
      const outcome = await ask(['list', 'sets', 'table'], wanted);
      return outcome.state === 'exited' && outcome.code === 0 ? recordingOf(outcome.stdout, wanted, asked) : null;
    },
    async counted() {
      if (named.length === 0) return null;
      const outcome = await ask(['reset', 'counters', 'table'], parts);
      if (outcome.state !== 'exited' || outcome.code !== 0) return null;
      const more = countersIn(outcome.stdout);
      for (const tap of named) counts.set(tap.name, (counts.get(tap.name) ?? 0) + (more.get(counterOf(tap)) ?? 0));
      return counts;
    },
    close: () => unmake(host, all),
  };
}
