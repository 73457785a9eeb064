/** A diagnosis in words. */
import { KNOWN_ON, lastMended } from '../diagnose/advisories.ts';
import type { Advisory } from '../diagnose/advisories.ts';
import type { Fix } from '../diagnose/cause.ts';
import type { Diagnosis } from '../diagnose/diagnose.ts';
import { SYMPTOMS } from '../diagnose/symptoms.ts';
import { english, putLine } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say, textOf } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import { COLUMNS, folded } from './fold.ts';
import { INDENT } from './text.ts';

export { diagnose, diagnosisCode } from '../diagnose/diagnose.ts';

export function fixSaid(fix: Fix): Said {
  if ('command' in fix && fix.then !== undefined)
    return say('diagnosis-command-then', 'Fix: `{command}`, {then}', { command: fix.command, then: fix.then });
  if ('command' in fix) return say('diagnosis-command', 'Fix: `{command}`', { command: fix.command });
  if ('setting' in fix) return say('diagnosis-setting', 'Fix, on {where}: {setting}', { where: fix.of, setting: fix.setting });
  return say('diagnosis-ask', 'Ask {whom}: {question}', { whom: fix.ask, question: fix.question });
}

function grouped<T>(all: readonly T[], by: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(by(one), [...(groups.get(by(one)) ?? []), one]);
  return groups;
}

type Words = (line: Said, before?: string) => string;

/**
 * What one observation would tell stands together, under that observation.
 * @param whole a symptom was asked for, so that each of these causes may be it: what it is and why it is not known is said
 */
function openLines(unknown: Diagnosis['unknown'], whole: boolean, put: Put, words: Words): string[] {
  if (unknown.length === 0) return [];
  const lines = ['', put(say('diagnosis-open', 'Cannot be known from here, and what would tell:'))];
  for (const group of grouped(unknown, ({ tell }) => textOf(tell)).values()) {
    const [{ tell, because }] = group as [Diagnosis['unknown'][number]];
    lines.push(typeof tell === 'string' ? `  ? ${tell}` : words(tell, '  ? '));
    if (!whole) {
      lines.push(words(say('diagnosis-tells-of', 'It tells of {causes}.', { causes: group.map(({ code }) => code) }), INDENT));
      continue;
    }
    if (group.every((one) => one.because.text === because.text))
      lines.push(words(say('diagnosis-number', '{number}.', { number: because }), INDENT));
    lines.push(...group.map(({ code, what }) => words(say('cause-named', '{what} [{code}]', { what, code }), `${INDENT}- `)));
  }
  return lines;
}

/** Vulnerabilities of the kernel's helper: a line for each, and the one fix that mends them all. */
function cveLines(advisories: readonly Advisory[], words: Words): string[] {
  const last = lastMended(advisories);
  if (last === undefined) return [];
  const { kernel = '?', reach = '?' } = last.text.parameters ?? {};
  const head = say('advisories-cve', 'Kernel {kernel} has {count} known {count:vulnerability|vulnerabilities} of the helper; {reach}:', {
    kernel,
    count: advisories.length,
    reach,
  });
  return [
    words(head, '  ! '),
    ...advisories.map(({ text: { parameters = {} } }) =>
      words(say('advisory-short', '{id} ({score}, {published}): {what}', parameters), `${INDENT}- `),
    ),
    words(last.fix, INDENT),
    `${INDENT}https://www.cve.org/CVERecord?id=...`,
  ];
}

/** @param width columns of the terminal */
export function diagnosisText(
  { asked, number, found, ruledOut, unknown, phones, advisories }: Diagnosis,
  put: Put = english,
  width = COLUMNS,
): string {
  const words = (line: Said, before = ''): string => folded(before + put(line), width);
  // A rule or a path is somebody else's text, and is to be copied.
  const evidence = (line: Line): string => (typeof line === 'string' ? INDENT + line : words(line, INDENT));
  const fixed = (fix: Fix): string => ('command' in fix ? INDENT + put(fixSaid(fix)) : words(fixSaid(fix), INDENT));
  const named = (what: Said, code: string): Said => say('cause-named', '{what} [{code}]', { what, code });
  const symptoms = asked.symptoms.map((one) => SYMPTOMS[one]);
  const alike = new Set<string>();
  const lines = [
    ...(symptoms.length === 0 ? [] : [words(say('diagnosis-asked', 'Asked: {symptoms}.', { symptoms }))]),
    ...(number === null ? [] : [words(say('diagnosis-number', '{number}.', { number }))]),
    put(
      found.length === 0
        ? say('diagnosis-no-cause', 'No cause was found on this router.')
        : symptoms.length === 0
          ? say('diagnosis-found', 'Found on this router, worst first:')
          : say('diagnosis-found-asked', 'Found on this router:'),
    ),
  ];
  for (const one of found) {
    const { code, what, fix, alike: same } = one;
    if (alike.has(code)) {
      lines.push(words(say('cause-or', 'or: {what} [{code}]', { what, code }), '  ! '), fixed(fix));
      continue;
    }
    lines.push(words(named(what, code), '  ! '), ...one.evidence.map(evidence), fixed(fix));
    if (same === null) continue;
    for (const other of same.codes) alike.add(other);
    const { codes: causes, tell } = same;
    lines.push(words(say('diagnosis-alike', 'Here it cannot be told from {causes}. What would tell: {tell}', { causes, tell }), INDENT));
  }
  lines.push(...openLines(unknown, symptoms.length > 0, put, words));
  if (ruledOut.length > 0) {
    lines.push('', put(say('diagnosis-out', 'Ruled out:')));
    // What rules several out is said once.
    for (const all of grouped(ruledOut, ({ because }) => because.text).values()) {
      const [{ because }] = all as [Diagnosis['ruledOut'][number]];
      lines.push(words(say('cause-out', '{code}: {because}.', { code: all.map(({ code }) => code).join(', '), because }), '  - '));
    }
  }
  if (phones.length > 0) lines.push('', put(say('diagnosis-phones', 'Phones that signal now:')), ...phones.map((one) => words(one, '  ')));
  if (advisories.length > 0) {
    lines.push('', put(say('diagnosis-advisories', 'Security (as known on {date}):', { date: KNOWN_ON })));
    const isCve = ({ id }: Advisory): boolean => id.startsWith('CVE-');
    for (const { text, fix, source } of advisories.filter((one) => !isCve(one)))
      lines.push(words(text, '  ! '), words(fix, INDENT), INDENT + putLine(put, source));
    lines.push(...cveLines(advisories.filter(isCve), words));
  }
  return `${lines.join('\n')}\n`;
}
