/** What a test by live packets has shown, in words. */
import type { ProbeReport } from '../probe/probe.ts';
import type { Result } from '../probe/results.ts';

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;
const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

function summary({ verdict, because, messages }: ProbeReport): string {
  const tried = messages.filter(({ control, fate }) => !control && fate !== 'not tried');
  const count = (...fates: readonly Result['fate'][]): number => tried.filter(({ fate }) => fates.includes(fate)).length;
  const changed = count('rewritten', 'half rewritten');
  const lost = count('dropped', 'lost by growth');
  const of = plural(tried.length, 'message');
  switch (verdict) {
    case 'unchanged':
      return `This router passes SIP unchanged: ${of} of a test phone arrived byte for byte as sent.`;
    case 'rewritten here':
      return `This router rewrites SIP: ${changed} of ${of} of a test phone were changed${lost > 0 ? `, and ${lost} were lost` : ''}.`;
    case 'dropped here':
      return `This router drops SIP: ${lost} of ${of} of a test phone did not come out, and messages beside them did.`;
    default:
      return `It could not be told what this router does to SIP: ${because}.`;
  }
}

const FATES: Record<Result['fate'], string> = {
  unchanged: 'unchanged',
  rewritten: 'REWRITTEN',
  'half rewritten': 'HALF REWRITTEN: an address of the LAN is left in it',
  dropped: 'DROPPED',
  'lost by growth': 'LOST: rewritten it no longer fits',
  'not tried': 'not tested',
};

const quoted = (text: string | null): string => (text === null ? '(none)' : text.length > 60 ? `${text.slice(0, 57)}...` : text);

function lines(results: readonly Result[]): string[] {
  const width = Math.max(...results.map(({ name }) => name.length));
  return results.map(({ name, fate, reason, deliveredTo, sent, gap }) => {
    const why = reason === null ? '' : ` (the kernel says: ${reason})`;
    const port = / (?:\S+) -> |:(\d+)$/.test(sent) && deliveredTo !== null ? `; delivered to port ${deliveredTo}, where nobody asked` : '';
    const numbers = (gap ?? 0) === 0 ? '' : `; numbered ${gap} bytes off, which breaks the connection`;
    return `  ${name.padEnd(width)}  ${FATES[fate]}${why}${port}${numbers}`;
  });
}

export function probeText(report: ProbeReport): string {
  const { messages, alterations, expectations, untested, remarks, leftOver, lan, left, wan, wans, phones, translated, took, way } = report;
  const out = [summary(report)];
  const groups: [boolean, string][] = [
    [true, 'From the phone to the internet:'],
    [false, 'From the internet to the phone:'],
  ];
  for (const [toProvider, title] of groups) {
    const some = messages.filter((one) => one.toProvider === toProvider);
    if (some.length > 0) out.push('', title, ...lines(some));
  }
  if (alterations.length > 0) {
    out.push('', 'What was changed (sent -> seen):');
    const names = alterations.map(({ field, part }) => `${field} ${part}`.trim());
    const width = Math.max(...names.map(({ length }) => length));
    alterations.forEach(({ before, after, toProvider, messages: some }, index) => {
      const where = some.length > 3 ? plural(some.length, 'message') : listed(some);
      out.push(`  ${names[index]!.padEnd(width)}  ${quoted(before)} -> ${quoted(after)}${toProvider ? '' : ' (to the phone)'}, ${where}`);
    });
  }
  if (expectations.length > 0)
    out.push('', 'The ALG follows the calls: it held open for the test phone', ...expectations.map((one) => `  ${one}`));
  out.push('');
  const kind = wan === null || wan.kind === 'Ethernet' || wan.kind === 'other' ? '' : ` (${wan.kind})`;
  if (lan !== null && way !== null)
    out.push(
      `Test phone ${listed(phones)} in ${lan}; ${left === null ? `watched: ${wans.join(', ')}` : `out by ${left}${kind}`}` +
        `${translated === null ? '' : translated ? ', addresses translated' : ', addresses not translated'}; ` +
        `${(took / 1000).toFixed(1)} s. Nothing left the router.`,
    );
  out.push(...untested, ...remarks, ...leftOver.map((one) => `! ${one}`));
  return `${out.join('\n').trimEnd()}\n`;
}
