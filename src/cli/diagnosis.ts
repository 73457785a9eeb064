/** A diagnosis in words. */
import { KNOWN_ON } from '../diagnose/advisories.ts';
import type { Fix } from '../diagnose/cause.ts';
import type { Diagnosis } from '../diagnose/diagnose.ts';
import { SYMPTOMS } from '../diagnose/symptoms.ts';
import { INDENT } from './text.ts';

export { diagnose, diagnosisCode } from '../diagnose/diagnose.ts';

function fixText(fix: Fix): string {
  if ('command' in fix) return `Fix: \`${fix.command}\``;
  if ('setting' in fix) return `Fix, on ${fix.of}: ${fix.setting}`;
  return `Ask ${fix.ask}: ${fix.question}`;
}

/** What one observation would tell stands together. */
function unknownLines(unknown: Diagnosis['unknown']): string[] {
  const groups = new Map<string, Diagnosis['unknown']>();
  for (const one of unknown) groups.set(`${one.because}\n${one.tell}`, [...(groups.get(`${one.because}\n${one.tell}`) ?? []), one]);
  const lines = [...groups.values()].flatMap((group) => [
    `  ? ${group[0]?.because}.`,
    `${INDENT}To find out: ${group[0]?.tell}`,
    ...group.map(({ code, what }) => `${INDENT}- ${what} [${code}]`),
  ]);
  return lines.length > 0 ? ['', 'Cannot be known from here:', ...lines] : [];
}

export function diagnosisText({ asked, number, found, ruledOut, unknown, phones, advisories }: Diagnosis): string {
  const symptoms = asked.symptoms.map((one) => SYMPTOMS[one]).join('; ');
  const alike = new Set<string>();
  const lines = [
    ...(symptoms === '' ? [] : [`Asked: ${symptoms}.`]),
    ...(number === null ? [] : [`${number}.`]),
    found.length === 0 ? 'No cause was found on this router.' : `Found on this router${symptoms === '' ? ', worst first' : ''}:`,
  ];
  for (const { code, what, evidence, fix, alike: same } of found) {
    if (alike.has(code)) {
      lines.push(`  ! or: ${what} [${code}]`, `${INDENT}${fixText(fix)}`);
      continue;
    }
    lines.push(`  ! ${what} [${code}]`, ...evidence.map((one) => INDENT + one), `${INDENT}${fixText(fix)}`);
    if (same === null) continue;
    for (const one of same.codes) alike.add(one);
    lines.push(`${INDENT}Here it cannot be told from ${same.codes.join(', ')}. What would tell: ${same.tell}`);
  }
  lines.push(...unknownLines(unknown));
  if (ruledOut.length > 0) lines.push('', 'Ruled out:', ...ruledOut.map(({ code, because }) => `  - ${code}: ${because}.`));
  if (phones.length > 0) lines.push('', 'Phones that signal now:', ...phones.map((one) => `  ${one}`));
  if (advisories.length > 0) {
    lines.push('', `Security (as known on ${KNOWN_ON}):`);
    for (const { text, fix, source } of advisories) lines.push(`  ! ${text}`, `${INDENT}${fix}`, `${INDENT}${source}`);
  }
  return `${lines.join('\n')}\n`;
}
