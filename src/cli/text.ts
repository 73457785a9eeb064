/** A report for people: sentences they can check, with the evidence under each. */
import type { Reading } from '../host/host.ts';
import type { Finding } from '../judge/verdict.ts';
import type { Report } from '../survey/survey.ts';

/** Where a line of evidence ends on a terminal. */
export const INDENT = '      ';

function value(reading: Reading<unknown>): string {
  return reading.state === 'present' ? String(reading.value) : reading.state === 'absent' ? 'none' : 'unreadable';
}

const SIGNS: Record<Finding['weight'], string> = { alarm: '!', trouble: '!', risk: '*', note: '-' };

/** Each finding, and its evidence under it. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ weight, text, evidence }) => [`  ${SIGNS[weight]} ${text}`, ...evidence.map((one) => INDENT + one)]);
}

export function statusText({ version, facts, verdict }: Omit<Report, 'plan'>): string {
  const lines = [verdict.text, '', ...findingLines(verdict.findings)];
  if (verdict.returns.length > 0) {
    lines.push('', 'What would bring it back:');
    for (const { at, because, evidence } of verdict.returns) lines.push(`  ${at}: ${because}.`, ...evidence.map((one) => INDENT + one));
  }
  const journal =
    facts.journal.state === 'present'
      ? `; taken away by sipalg since ${new Date(facts.journal.value.since).toISOString().slice(0, 10)}, given back by \`sipalg enable\``
      : '';
  const { system } = facts;
  const wish = facts.wish.said === false ? 'not known' : facts.wish.wish.alg;
  lines.push(
    '',
    `${value(system.release)}, kernel ${value(system.kernel)}, firewall ${value(system.firewall)}; `
      + `wish: ${wish}${journal}; sipalg ${version}`,
  );
  // Also where the plan is refused: it says why.
  if (verdict.alg !== 'off' && verdict.unread.length === 0 && facts.wish.wish.alg !== 'enabled')
    lines.push('`sipalg plan` shows what would be done about it, `sipalg disable` does it.');
  return lines.join('\n').replaceAll('\n\n\n', '\n\n') + '\n';
}
