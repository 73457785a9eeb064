/** What a test by live packets has shown, in words. */
import type { ProbeReport } from '../probe/probe.ts';
import type { Result } from '../probe/results.ts';
import { english, putLine } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import { COLUMNS, folded } from './fold.ts';

function summary({ verdict, because, messages }: ProbeReport): Said {
  const all = messages.filter(({ control, fate }) => !control && fate !== 'not tried');
  const count = (...fates: readonly Result['fate'][]): number => all.filter(({ fate }) => fates.includes(fate)).length;
  const changed = count('rewritten', 'half rewritten');
  const lost = count('dropped', 'lost by growth');
  const tried = all.length;
  switch (verdict) {
    case 'unchanged':
      return say(
        'probe-unchanged',
        'This router passes SIP unchanged: {tried} {tried:message|messages} of a test phone arrived byte for byte as sent.',
        { tried },
      );
    case 'rewritten here':
      return lost > 0
        ? say(
            'probe-rewritten-lost',
            'This router rewrites SIP: {changed} of {tried} {tried:message|messages} of a test phone were changed, and {lost} were lost.',
            { changed, tried, lost },
          )
        : say('probe-rewritten', 'This router rewrites SIP: {changed} of {tried} {tried:message|messages} of a test phone were changed.', {
            changed,
            tried,
          });
    case 'dropped here':
      return say(
        'probe-dropped',
        'This router drops SIP: {lost} of {tried} {tried:message|messages} of a test phone did not come out, '
          + 'and messages beside them did.',
        { lost, tried },
      );
    default:
      return say('probe-inconclusive', 'It could not be told what this router does to SIP: {because}.', { because: because ?? '' });
  }
}

const FATES: Record<Result['fate'], Said> = {
  unchanged: say('fate-unchanged', 'unchanged'),
  rewritten: say('probe-fate-rewritten', 'REWRITTEN'),
  'half rewritten': say('probe-fate-half', 'HALF REWRITTEN: an address of the LAN is left in it'),
  dropped: say('mark-dropped', 'DROPPED'),
  'lost by growth': say('probe-fate-grown', 'LOST: rewritten it no longer fits'),
  'not tried': say('probe-fate-untried', 'not tested'),
};

const quoted = (text: string | null, put: Put): string =>
  text === null ? put(say('probe-none-there', '(none)')) : text.length > 60 ? `${text.slice(0, 57)}...` : text;

function lines(results: readonly Result[], put: Put, width: number): string[] {
  const names = results.map(({ name }) => putLine(put, name));
  const widest = Math.max(...names.map(({ length }) => length));
  return results.map(({ fate, reason, deliveredTo, sent, gap }, index) => {
    const more: Said[] = [
      ...(reason === null ? [] : [say('probe-reason', ' (the kernel says: {reason})', { reason })]),
      ...(/ (?:\S+) -> |:(\d+)$/.test(sent) && deliveredTo !== null
        ? [say('probe-delivered', '; delivered to port {port}, where nobody asked', { port: deliveredTo })]
        : []),
      ...((gap ?? 0) === 0 ? [] : [say('probe-gap', '; numbered {bytes} bytes off, which breaks the connection', { bytes: gap ?? 0 })]),
    ];
    const line = `  ${names[index]!.padEnd(widest)}  ${put(FATES[fate])}${more.map((one) => put(one)).join('')}`;
    return folded(line, width, widest + 4);
  });
}

export function probeText(report: ProbeReport, put: Put = english, width = COLUMNS): string {
  const { messages, alterations, expectations, untested, remarks, leftOver, lan, left, wan, wans, phones, translated, took, way } = report;
  const words = (line: Line, before = ''): string => folded(before + (typeof line === 'string' ? put(undefined, line) : put(line)), width);
  const out = [words(summary(report))];
  const groups: [boolean, Said][] = [
    [true, say('probe-outward', 'From the phone to the internet:')],
    [false, say('probe-inward', 'From the internet to the phone:')],
  ];
  for (const [toProvider, title] of groups) {
    const some = messages.filter((one) => one.toProvider === toProvider);
    if (some.length > 0) out.push('', words(title), ...lines(some, put, width));
  }
  if (alterations.length > 0) {
    out.push('', words(say('probe-altered', 'What was changed (sent -> seen):')));
    const names = alterations.map(({ field, part }) => `${field} ${part}`.trim());
    const widest = Math.max(...names.map(({ length }) => length));
    alterations.forEach(({ before, after, toProvider, messages: some }, index) => {
      const where =
        some.length > 3
          ? say('probe-messages', '{number} messages', { number: some.length })
          : say('probe-names', '{names}', { names: some });
      const to = toProvider ? '' : ` (${put(say('to-the-phone', 'to the phone'))})`;
      const line = `  ${names[index]!.padEnd(widest)}  ${quoted(before, put)} -> ${quoted(after, put)}${to}, ${put(where)}`;
      out.push(folded(line, width, widest + 4));
    });
  }
  if (expectations.length > 0)
    out.push(
      '',
      words(say('probe-follows', 'The ALG follows the calls: it held open for the test phone')),
      ...expectations.map((one) => words(one, '  ')),
    );
  out.push('');
  const kind = wan === null || wan.kind === 'Ethernet' || wan.kind === 'other' ? '' : ` (${wan.kind})`;
  if (lan !== null && way !== null)
    out.push(
      words(
        say('probe-about', 'Test phone {phones} in {lan}; {way}{translated}; {seconds} s. Nothing left the router.', {
          phones,
          lan,
          way:
            left === null
              ? say('probe-watched', 'watched: {devices}', { devices: wans.join(', ') })
              : say('probe-left', 'out by {device}', { device: `${left}${kind}` }),
          translated:
            translated === null
              ? ''
              : translated
                ? say('probe-translated', ', addresses translated')
                : say('probe-untranslated', ', addresses not translated'),
          seconds: (took / 1000).toFixed(1),
        }),
      ),
    );
  out.push(...[...untested, ...remarks].map((one) => words(one)), ...leftOver.map((one) => words(one, '! ')));
  return `${out.join('\n').trimEnd()}\n`;
}
