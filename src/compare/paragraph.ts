/** One paragraph that the support of a provider can act on: what was changed, by what, where, and what to do. */
import type { Row, Tally } from './comparison.ts';
import { listed, plural } from './summary.ts';
import type { Facts } from './summary.ts';

/** A field as it is called in a sentence: `top Via sent-by`, `SDP c=`, `Contact`. */
export function fieldName({ field, part }: Pick<Tally, 'field' | 'part'>): string {
  if (/^SDP/.test(field)) return /^(address|)$/.test(part) ? field : `${field} ${part}`;
  const plain = part === '' || part === 'URI host' || part === 'host' || part === 'sent-by' || part === 'name' || part === 'place';
  return plain ? field : `${field} ${part}`;
}

const ENDS = /^\[?[0-9A-Fa-f.:]+\]?(?::\d+)?$/;

const unique = (words: readonly string[]): string[] => [...new Set(words)];

/** More names than anybody reads in a sentence: a damaged capture, or one that somebody made, brings hundreds. */
const MOST_NAMES = 10;

function names(tallies: readonly Tally[]): string {
  const all = unique(tallies.map(fieldName));
  const more = all.length - MOST_NAMES;
  return listed(more <= 1 ? all : [...all.slice(0, MOST_NAMES), `${more} others`]);
}

function translated(tallies: readonly Tally[], toProvider: boolean): string | null {
  const own = tallies.filter((tally) => tally.change === 'translated' && tally.toProvider === toProvider && tally.cause === 'alg');
  if (own.length === 0) return null;
  // The pair that says most: an address with its port.
  const pair = own.find(({ before, after }) => ENDS.test(before ?? '') && ENDS.test(after ?? '') && before!.includes(':')) ?? own[0]!;
  const words = pair.before === null || pair.after === null ? 'one address was replaced by another' : `${pair.before} became ${pair.after}`;
  return `${toProvider ? 'on the way to the provider' : 'on the way to the phone'} ${words} in ${names(own)}`;
}

const VERBS: readonly (readonly [Tally['change'], string])[] = [
  ['port', 'ports were changed in'],
  ['value', 'other values were changed in'],
  ['added', 'was added:'],
  ['removed', 'was removed:'],
  ['reordered', 'was put in another order:'],
  ['respelled', 'names were written otherwise:'],
  ['layout', 'was written otherwise, with the same meaning:'],
  ['length-wrong', 'was made wrong, so that a receiver cuts the message or waits for more:'],
  ['length-corrected', 'was corrected:'],
  ['cut', 'lost its end:'],
];

function others(tallies: readonly Tally[]): string[] {
  return VERBS.flatMap(([change, verb]) => {
    const all = tallies.filter((tally) => tally.change === change && tally.cause === 'alg');
    return all.length === 0 ? [] : [`${verb} ${names(all)}`];
  });
}

function lost(rows: readonly Row[], count: number): string {
  const dropped = rows.filter(({ fate }) => fate === 'dropped');
  const kinds = new Map<string, number>();
  for (const { what, toProvider, sdp } of dropped) {
    const name = `${what}${sdp ? ' with SDP' : ''} ${toProvider ? 'to the provider' : 'to the phone'}`;
    kinds.set(name, (kinds.get(name) ?? 0) + 1);
  }
  const words = [...kinds].map(([name, times]) => (times === 1 ? name : `${name} (${times} times)`));
  const which = words.length === 0 ? '' : `: ${listed(words.slice(0, 6))}`;
  return `${plural(count, 'message')} reached the router and did not leave it${which}.`;
}

export function paragraphOf({ calls, counts, tallies, lan, wan, ports }: Facts): string {
  const rows = calls.flatMap((call) => call.rows);
  const call = calls.find(({ inside, outside }) => inside !== null && outside !== null);
  const nat = call !== undefined && call.inside !== call.outside;
  const files = wan === null ? `In ${lan.name}` : `Between ${lan.name} (on the phone's side) and ${wan.name} (beyond the router)`;
  const sentences: string[] = [];
  if (counts.changed + counts.dropped === 0) {
    sentences.push(
      `${files}, ${plural(counts.pairs, 'message')} of SIP passed unchanged: there is no SIP ALG at work between these two places.`,
    );
    if (nat)
      sentences.push(`Address translation turned ${call.inside} into ${call.outside}, as it has to, and changed no byte of a message.`);
    sentences.push('If calls fail, the cause lies elsewhere: beyond these two places, in the audio, or in timeouts.');
    return sentences.join(' ');
  }
  if (counts.changed > 0) {
    const alg = [translated(tallies, true), translated(tallies, false)].filter((words) => words !== null);
    const more = others(tallies);
    sentences.push(
      `${files}, ${counts.changed} of ${plural(counts.pairs, 'message')} of SIP ${counts.changed === 1 ? 'was' : 'were'} changed on the `
        + `way, which only a SIP ALG does: ${[...alg, ...more].join('; ')}.`,
    );
  }
  if (counts.dropped > 0) sentences.push(`${counts.changed > 0 ? '' : `${files}, `}${lost(rows, counts.dropped)}`);
  if (nat) {
    sentences.push(
      `Address translation (${call.inside} to ${call.outside}${ports.moved > 0 && ports.kept === 0 ? ', with another port' : ''}) is `
        + "needed and is not the fault: it changes the packet's addresses and no byte of the message.",
    );
  }
  const server = tallies.filter(({ cause }) => cause === 'server');
  if (server.length > 0)
    sentences.push(`A SIP server between the two places added what servers add (${names(server)}); that is not held against the router.`);
  sentences.push(
    counts.changed > 0
      ? 'Please do not look for the fault in the phone or the account: switch the SIP ALG of the router off '
          + '(on OpenWrt: sipalg disable), then call again.'
      : 'Look for what drops them on the router: a SIP ALG that cannot read them, a firewall rule, or a packet that became too large.',
  );
  return sentences.join(' ');
}
