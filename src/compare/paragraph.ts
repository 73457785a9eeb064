/** One paragraph that the support of a provider can act on: what was changed, by what, where, and what to do. */
import type { Row, Tally } from './comparison.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
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

function names(tallies: readonly Tally[]): (string | Said)[] {
  const all = unique(tallies.map(fieldName));
  const more = all.length - MOST_NAMES;
  return more <= 1 ? all : [...all.slice(0, MOST_NAMES), say('names-others', '{number} others', { number: more })];
}

function translated(tallies: readonly Tally[], toProvider: boolean): Said | null {
  const own = tallies.filter((tally) => tally.change === 'translated' && tally.toProvider === toProvider && tally.cause === 'alg');
  if (own.length === 0) return null;
  // The pair that says most: an address with its port.
  const pair = own.find(({ before, after }) => ENDS.test(before ?? '') && ENDS.test(after ?? '') && before!.includes(':')) ?? own[0]!;
  const words =
    pair.before === null || pair.after === null
      ? say('replaced-one', 'one address was replaced by another')
      : say('became', '{before} became {after}', { before: pair.before, after: pair.after });
  const values = { words, names: names(own) };
  return toProvider
    ? say('replaced-out', 'on the way to the provider {words} in {names}', values)
    : say('replaced-in', 'on the way to the phone {words} in {names}', values);
}

const VERBS: readonly (readonly [Tally['change'], (names: (string | Said)[]) => Said])[] = [
  ['port', (names) => say('did-port', 'ports were changed in {names}', { names })],
  ['value', (names) => say('did-value', 'other values were changed in {names}', { names })],
  ['added', (names) => say('did-add', 'was added: {names}', { names })],
  ['removed', (names) => say('did-remove', 'was removed: {names}', { names })],
  ['reordered', (names) => say('did-reorder', 'was put in another order: {names}', { names })],
  ['respelled', (names) => say('did-respell', 'names were written otherwise: {names}', { names })],
  ['layout', (names) => say('did-layout', 'was written otherwise, with the same meaning: {names}', { names })],
  [
    'length-wrong',
    (names) => say('did-length-wrong', 'was made wrong, so that a receiver cuts the message or waits for more: {names}', { names }),
  ],
  ['length-corrected', (names) => say('did-correct', 'was corrected: {names}', { names })],
  ['cut', (names) => say('did-cut', 'lost its end: {names}', { names })],
];

function others(tallies: readonly Tally[]): Said[] {
  return VERBS.flatMap(([change, verb]) => {
    const all = tallies.filter((tally) => tally.change === change && tally.cause === 'alg');
    return all.length === 0 ? [] : [verb(names(all))];
  });
}

function lost(rows: readonly Row[], messages: number): Said {
  const dropped = rows.filter(({ fate }) => fate === 'dropped');
  const kinds = new Map<string, { said: Said; times: number }>();
  for (const { what, toProvider, sdp } of dropped) {
    const with_ = sdp ? say('words-with-sdp', '{what} with SDP', { what }) : what;
    const said = toProvider
      ? say('lost-out', '{what} to the provider', { what: with_ })
      : say('lost-in', '{what} to the phone', { what: with_ });
    const known = kinds.get(said.text);
    kinds.set(said.text, { said, times: (known?.times ?? 0) + 1 });
  }
  const which = [...kinds.values()].map(({ said, times }) =>
    times === 1 ? said : say('lost-times', '{what} ({times} times)', { what: said, times }),
  );
  return which.length === 0
    ? say('lost', '{messages} {messages:message|messages} reached the router and did not leave it.', { messages })
    : say('lost-which', '{messages} {messages:message|messages} reached the router and did not leave it: {which}.', {
        messages,
        which: which.slice(0, 6),
      });
}

const joined = (parts: readonly Said[], join: (before: Said, next: Said) => Said): Said =>
  parts.reduce((before, next) => join(before, next));

export function paragraphOf({ calls, counts, tallies, lan, wan, ports }: Facts): Said {
  const rows = calls.flatMap((call) => call.rows);
  const call = calls.find(({ inside, outside }) => inside !== null && outside !== null);
  const nat = call !== undefined && call.inside !== call.outside;
  const ends = { inside: call?.inside ?? '', outside: call?.outside ?? '' };
  const files =
    wan === null
      ? say('support-in', 'In {file}', { file: lan.name })
      : say('support-between', "Between {lan} (on the phone's side) and {wan} (beyond the router)", { lan: lan.name, wan: wan.name });
  const sentences: Said[] = [];
  if (counts.changed + counts.dropped === 0) {
    sentences.push(
      say(
        'support-unchanged',
        '{files}, {messages} {messages:message|messages} of SIP passed unchanged: there is no SIP ALG at work between these two places.',
        { files, messages: counts.pairs },
      ),
    );
    if (nat)
      sentences.push(
        say('support-nat', 'Address translation turned {inside} into {outside}, as it has to, and changed no byte of a message.', ends),
      );
    sentences.push(
      say('support-elsewhere', 'If calls fail, the cause lies elsewhere: beyond these two places, in the audio, or in timeouts.'),
    );
    return paragraph(sentences);
  }
  if (counts.changed > 0) {
    const alg = [translated(tallies, true), translated(tallies, false)].filter((words) => words !== null);
    const done = [...alg, ...others(tallies)];
    const values = { files, changed: counts.changed, messages: counts.pairs };
    if (done.length === 0)
      sentences.push(
        say(
          'support-changed-somehow',
          '{files}, {changed} of {messages} {messages:message|messages} of SIP {changed:was|were} changed on the way, '
            + 'which only a SIP ALG does.',
          values,
        ),
      );
    else
      sentences.push(
        say(
          'support-changed',
          '{files}, {changed} of {messages} {messages:message|messages} of SIP {changed:was|were} changed on the way, '
            + 'which only a SIP ALG does: {what}.',
          {
            ...values,
            what: joined(done, (before, next) => say('support-and', '{before}; {next}', { before, next })),
          },
        ),
      );
  }
  if (counts.dropped > 0) {
    const said = lost(rows, counts.dropped);
    sentences.push(counts.changed > 0 ? said : say('support-lost', '{files}, {lost}', { files, lost: said }));
  }
  if (nat)
    sentences.push(
      say(
        'support-nat-needed',
        "Address translation ({inside} to {outside}{port}) is needed and is not the fault: it changes the packet's addresses and no "
          + 'byte of the message.',
        { ...ends, port: ports.moved > 0 && ports.kept === 0 ? say('support-nat-port', ', with another port') : '' },
      ),
    );
  const server = tallies.filter(({ cause }) => cause === 'server');
  if (server.length > 0)
    sentences.push(
      say('support-server', 'A SIP server between the two places added what servers add ({names}); that is not held against the router.', {
        names: names(server),
      }),
    );
  sentences.push(
    counts.changed > 0
      ? say(
          'support-switch-off',
          'Please do not look for the fault in the phone or the account: switch the SIP ALG of the router off '
            + '(on OpenWrt: sipalg disable), then call again.',
        )
      : say(
          'support-look',
          'Look for what drops them on the router: a SIP ALG that cannot read them, a firewall rule, or a packet that became too large.',
        ),
  );
  return paragraph(sentences);
}

const paragraph = (sentences: readonly Said[]): Said =>
  joined(sentences, (before, next) => say('support-next', '{before} {next}', { before, next }));
