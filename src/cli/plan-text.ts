/** A plan for people: every command, and why. */
import type { Plan } from '../plan/step.ts';
import { english, putLines } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { folded } from './fold.ts';
import { INDENT } from './text.ts';

export function planText(plan: Plan, put: Put = english, width?: number): string {
  const lines: string[] = [];
  const words = (said: Said, before = ''): string => folded(before + put(said), width);
  const given = (texts: readonly string[], coded: Plan['refusedCoded']): string[] =>
    putLines(put, texts, coded).map((one) => folded(`  ${one}`, width));
  if (plan.refused.length > 0) {
    return `${put(say('plan-refused', 'Nothing can be done as things are:'))}\n${given(plan.refused, plan.refusedCoded).join('\n')}\n`;
  }
  if (plan.held) {
    lines.push(
      words(
        say('plan-held', 'SIP is not blocked or unloaded: {because}.', {
          because: plan.held.says === undefined ? plan.held.because : { ...plan.held.says, text: plan.held.because },
        }),
      ),
      ...plan.held.lines.map((line) => INDENT + line),
      words(
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
    steps.flatMap((step) => ['', folded(`  ${put(step)} (${step.why})`, width), ...step.commands.map((command) => `    # ${command}`)]);
  const alg = plan.steps.filter(({ of }) => of === undefined);
  const voice = plan.steps.filter(({ of }) => of === 'policy');
  if (alg.length === 0) {
    lines.push(
      plan.towards === 'disabled'
        ? words(say('plan-nothing', 'There is nothing to do: everything is as `sipalg disable` would make it.'))
        : words(say('plan-nothing-back', 'There is nothing to give back.')),
    );
  } else {
    lines.push(
      plan.wish === 'unmanaged'
        ? plan.told === false
          ? words(
              say(
                'plan-untold',
                'What /etc/config/sipalg wishes could not be told, so nothing is changed by itself. `sipalg disable` would do this:',
              ),
            )
          : words(
              say(
                'plan-unmanaged',
                '/etc/config/sipalg says "unmanaged", so nothing is changed by itself. `sipalg disable` would do this:',
              ),
            )
        : words(say('plan-reach', 'To reach "{towards}":', { towards: plan.towards })),
      ...said(alg),
    );
  }
  if (voice.length > 0)
    lines.push('', words(say('plan-voice', 'For the voice firewall rules `sipalg apply` would do this:')), ...said(voice));
  if (plan.lacking.length > 0)
    lines.push(
      '',
      words(say('plan-lacking', 'Of the voice firewall rules this cannot be put in force:')),
      ...given(plan.lacking, plan.lackingCoded),
    );
  return lines.join('\n') + '\n';
}
