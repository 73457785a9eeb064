/** A report for people: sentences they can check, with the evidence under each. */
import type { Reading } from '../host/host.ts';
import type { Finding } from '../judge/verdict.ts';
import type { Plan } from '../plan/step.ts';
import type { Report } from '../survey/survey.ts';

/** Where a line of evidence ends on a terminal. */
const INDENT = '      ';

function value(reading: Reading<unknown>): string {
  return reading.state === 'present' ? String(reading.value) : reading.state === 'absent' ? 'none' : 'unreadable';
}

const SIGNS: Record<Finding['weight'], string> = { alarm: '!', trouble: '!', risk: '*', note: '-' };

/** Each finding, and its evidence under it. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ weight, text, evidence }) => [`  ${SIGNS[weight]} ${text}`, ...evidence.map((one) => INDENT + one)]);
}

export function statusText({ version, facts, verdict, plan }: Report): string {
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
  lines.push(
    '',
    `${value(system.release)}, kernel ${value(system.kernel)}, firewall ${value(system.firewall)}; wish: ${plan.told === false ? 'not known' : plan.wish}${journal}; sipalg ${version}`,
  );
  if (verdict.alg !== 'off' && plan.towards === 'disabled' && plan.steps.length > 0)
    lines.push('`sipalg plan` shows what would be done about it, `sipalg disable` does it.');
  return lines.join('\n').replaceAll('\n\n\n', '\n\n') + '\n';
}

export function planText(plan: Plan): string {
  const lines: string[] = [];
  if (plan.refused.length > 0) return `Nothing can be done as things are:\n${plan.refused.map((one) => `  ${one}\n`).join('')}`;
  if (plan.held) {
    lines.push(
      `SIP is not blocked or unloaded: ${plan.held.because}.`,
      ...plan.held.lines.map((line) => INDENT + line),
      `It would come back at the next load of the firewall. Take ${plan.held.lines.length > 0 ? 'these lines' : 'what needs the helper'} out, then run \`sipalg disable\` again.`,
      '',
    );
  }
  const said = (steps: Plan['steps']): string[] =>
    steps.flatMap(({ text, why, commands }) => ['', `  ${text} (${why})`, ...commands.map((command) => `    # ${command}`)]);
  const alg = plan.steps.filter(({ of }) => of === undefined);
  const voice = plan.steps.filter(({ of }) => of === 'policy');
  if (alg.length === 0) {
    lines.push(
      plan.towards === 'disabled'
        ? 'There is nothing to do: everything is as `sipalg disable` would make it.'
        : 'There is nothing to give back.',
    );
  } else {
    lines.push(
      plan.wish === 'unmanaged'
        ? plan.told === false
          ? 'What /etc/config/sipalg wishes could not be told, so nothing is changed by itself. `sipalg disable` would do this:'
          : '/etc/config/sipalg says "unmanaged", so nothing is changed by itself. `sipalg disable` would do this:'
        : `To reach "${plan.towards}":`,
      ...said(alg),
    );
  }
  if (voice.length > 0) lines.push('', 'For the voice firewall rules `sipalg apply` would do this:', ...said(voice));
  if (plan.lacking.length > 0)
    lines.push('', 'Of the voice firewall rules this can not be put in force:', ...plan.lacking.map((one) => `  ${one}`));
  return lines.join('\n') + '\n';
}
