/** A plan for people: every command, and why. */
import type { Plan } from '../plan/step.ts';
import { english, putLines } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import { INDENT } from './text.ts';

export function planText(plan: Plan, put: Put = english): string {
  const lines: string[] = [];
  if (plan.refused.length > 0) {
    const refused = putLines(put, plan.refused, plan.refusedCoded).map((one) => `  ${one}\n`);
    return `${put(say('plan-refused', 'Nothing can be done as things are:'))}\n${refused.join('')}`;
  }
  if (plan.held) {
    lines.push(
      put(
        say('plan-held', 'SIP is not blocked or unloaded: {because}.', {
          because: plan.held.says === undefined ? plan.held.because : { ...plan.held.says, text: plan.held.because },
        }),
      ),
      ...plan.held.lines.map((line) => INDENT + line),
      put(
        plan.held.lines.length > 0
          ? say(
              'plan-held-lines',
              'It would come back at the next load of the firewall. Take these lines out, then run `sipalg disable` again.',
            )
          : say(
              'plan-held-needs',
              'It would come back at the next load of the firewall. Take what needs the helper out, then run `sipalg disable` again.',
            ),
      ),
      '',
    );
  }
  const said = (steps: Plan['steps']): string[] =>
    steps.flatMap((step) => ['', `  ${put(step)} (${step.why})`, ...step.commands.map((command) => `    # ${command}`)]);
  const alg = plan.steps.filter(({ of }) => of === undefined);
  const voice = plan.steps.filter(({ of }) => of === 'policy');
  if (alg.length === 0) {
    lines.push(
      plan.towards === 'disabled'
        ? put(say('plan-nothing', 'There is nothing to do: everything is as `sipalg disable` would make it.'))
        : put(say('plan-nothing-back', 'There is nothing to give back.')),
    );
  } else {
    lines.push(
      plan.wish === 'unmanaged'
        ? plan.told === false
          ? put(
              say(
                'plan-untold',
                'What /etc/config/sipalg wishes could not be told, so nothing is changed by itself. `sipalg disable` would do this:',
              ),
            )
          : put(
              say(
                'plan-unmanaged',
                '/etc/config/sipalg says "unmanaged", so nothing is changed by itself. `sipalg disable` would do this:',
              ),
            )
        : put(say('plan-reach', 'To reach "{towards}":', { towards: plan.towards })),
      ...said(alg),
    );
  }
  if (voice.length > 0)
    lines.push('', put(say('plan-voice', 'For the voice firewall rules `sipalg apply` would do this:')), ...said(voice));
  if (plan.lacking.length > 0)
    lines.push(
      '',
      put(say('plan-lacking', 'Of the voice firewall rules this cannot be put in force:')),
      ...putLines(put, plan.lacking, plan.lackingCoded).map((one) => `  ${one}`),
    );
  return lines.join('\n') + '\n';
}
