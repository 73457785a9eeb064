/** A plan for people: every command, and why. */
import type { Plan } from '../plan/step.ts';
import { INDENT } from './text.ts';

export function planText(plan: Plan): string {
  const lines: string[] = [];
  if (plan.refused.length > 0) return `Nothing can be done as things are:\n${plan.refused.map((one) => `  ${one}\n`).join('')}`;
  if (plan.held) {
    lines.push(
      `SIP is not blocked or unloaded: ${plan.held.because}.`,
      ...plan.held.lines.map((line) => INDENT + line),
      `It would come back at the next load of the firewall. Take ${plan.held.lines.length > 0 ? 'these lines' : 'what needs the helper'} `
        + 'out, then run `sipalg disable` again.',
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
    lines.push('', 'Of the voice firewall rules this cannot be put in force:', ...plan.lacking.map((one) => `  ${one}`));
  return lines.join('\n') + '\n';
}
