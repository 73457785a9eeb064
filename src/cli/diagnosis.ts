/** A diagnosis in words. */
import { KNOWN_ON } from '../diagnose/advisories.ts';
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
  // What one observation would tell stands together.
  const groups = new Map<string, Diagnosis['unknown']>();
  for (const one of unknown) {
    const key = `${one.because.text}\n${textOf(one.tell)}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  if (groups.size > 0) lines.push('', put(say('diagnosis-open', 'Cannot be known from here:')));
  for (const group of groups.values()) {
    const [{ because, tell }] = group as [Diagnosis['unknown'][number]];
    lines.push(
      words(say('diagnosis-number', '{number}.', { number: because }), '  ? '),
      words(say('diagnosis-tell', 'To find out: {tell}', { tell }), INDENT),
      ...group.map(({ code, what }) => words(named(what, code), `${INDENT}- `)),
    );
  }
  if (ruledOut.length > 0)
    lines.push(
      '',
      put(say('diagnosis-out', 'Ruled out:')),
      ...ruledOut.map(({ code, because }) => words(say('cause-out', '{code}: {because}.', { code, because }), '  - ')),
    );
  if (phones.length > 0) lines.push('', put(say('diagnosis-phones', 'Phones that signal now:')), ...phones.map((one) => words(one, '  ')));
  if (advisories.length > 0) {
    lines.push('', put(say('diagnosis-advisories', 'Security (as known on {date}):', { date: KNOWN_ON })));
    for (const { text, fix, source } of advisories) lines.push(words(text, '  ! '), words(fix, INDENT), INDENT + putLine(put, source));
  }
  return `${lines.join('\n')}\n`;
}
