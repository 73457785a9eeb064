/** The switch: what it would do, what it is doing, how it went. */
import type { Reply } from '../object/object.ts';
import type { Last } from '../object/runs.ts';
import type { Plan } from '../plan/step.ts';
import { putLines } from '../words/english.ts';
import { ago, codeOf, foldOf, notice, sentenceOf } from './blocks.ts';
import type { Confirming, State, Towards } from './state.ts';
import type { Confirm, Notice, Running, Switch, Tone } from './view.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

type Full = Extract<Reply, { facts: object }>;

const OUTCOMES: Record<Last['outcome'], Tone> = { reached: 'success', held: 'warning', failed: 'danger' };

/** What speaks against a plan. */
function againstOf({ refused, refusedCoded, held }: Plan, words: Words): Notice[] {
  const notices: Notice[] = [];
  if (refused.length > 0) notices.push(notice('refused', 'danger', words.refused, putLines(words.put, refused, refusedCoded)));
  if (held !== null) notices.push(notice('held', 'warning', fill(words.held, words.put(held.says, held.because)), held.lines));
  return notices;
}

export function confirmOf({ towards, plan, trouble }: Confirming, words: Words): Confirm {
  const confirm: Confirm = { towards, title: words.confirm[towards], wait: '', notices: [], steps: [], go: '', leave: words.close };
  if (trouble !== null) {
    confirm.notices.push(notice('trouble', 'danger', words.planFailed, trouble.said === '' ? [] : [fill(words.said, trouble.said)]));
    return confirm;
  }
  if (plan === null) return { ...confirm, wait: words.planning, leave: words.cancel };
  const { steps, refused } = plan.plan;
  confirm.notices = againstOf(plan.plan, words);
  if (refused.length > 0) return confirm;
  if (steps.length === 0) {
    confirm.notices.push(notice('nothing', 'info', words.nothing));
    return confirm;
  }
  confirm.steps = steps.map((step) => {
    const { why, commands } = step;
    // A reason is a finding's code, or one that the step's own sentence already tells.
    const finding = plan.findings.find(({ code }) => code === why);
    return { text: words.put(step), why: finding === undefined ? '' : fill(words.why, sentenceOf(finding, words)), commands };
  });
  return { ...confirm, go: words.doIt[towards], leave: words.cancel };
}

function runningOf({ now }: Reply, { asked, late }: State, words: Words): Running | null {
  const towards = now.running?.towards ?? asked?.towards;
  if (towards === undefined) return null;
  const commands = now.running?.commands ?? [];
  const waiting = late && now.pending.length > 0 ? [fill(words.stillWaiting, now.pending.join(', '))] : [];
  return {
    title: words.running[towards],
    lines: [...(asked?.uncertain ? [words.uncertain] : []), ...waiting],
    echo: commands.length === 0 ? words.noEcho : words.echo,
    commands,
  };
}

function resultOf({ facts, now }: Full, state: State, words: Words): Notice | null {
  const { result, missed } = state;
  if (missed !== null)
    return notice('missed', 'danger', words.notAsked[missed.towards], missed.said === '' ? [] : [fill(words.said, missed.said)]);
  if (result === null) return null;
  const { towards, outcome, because, coded, commands, at } = result;
  // Both times are the router's: its clock and the browser's need not agree.
  const when = [ago(facts.at + now.age - at, words)];
  return notice(
    'result',
    OUTCOMES[outcome],
    words.ended[outcome][towards],
    [...putLines(words.put, because, coded), ...when],
    foldOf('result', fill(words.commandsRun, commands.length), commands, state),
  );
}

/** What is left to do about the ALG. The voice rules have a place of their own. */
const left = ({ steps }: Plan): boolean => steps.some(({ of }) => of !== 'policy');

/** Which ways there are: off, unless that is wished and reached; back, where something was taken away or wished away. */
function waysOf({ facts, verdict, plan }: Full): Towards[] {
  const ways: Towards[] = [];
  const reached = plan.wish === 'disabled' && !left(plan) && verdict.alg === 'off';
  if (!reached) ways.push('disabled');
  const taken = facts.journal.state !== 'absent';
  if (taken || plan.wish === 'disabled' || (plan.wish === 'enabled' && left(plan))) ways.push('enabled');
  return ways;
}

export function switchOf(reply: Full, state: State, words: Words): Switch {
  const { facts, plan } = reply;
  const managed = plan.wish !== 'unmanaged';
  const running = runningOf(reply, state, words);
  const busy = running !== null;
  const lines = [plan.told === false ? words.wishUntold : words.wish[plan.wish]];
  if (managed && running === null && plan.refused.length === 0) lines.push(left(plan) ? words.unmet : words.met);
  return {
    title: words.theSwitch,
    lines,
    notices: [
      ...facts.wish.problems.map((problem, at) =>
        notice(`problem ${at} ${problem.section}.${problem.option}`, 'warning', words.put(codeOf(problem), problem.text)),
      ),
      ...(managed ? againstOf(plan, words) : []),
    ],
    buttons: busy
      ? []
      : waysOf(reply).map((towards, place) => ({
          towards,
          active: state.rights.write,
          label: towards === 'disabled' ? words.disable : words.enable,
          tone: place === 0 && towards === 'disabled' ? 'positive' : 'neutral',
        })),
    hint: !state.rights.write ? words.readOnly : busy ? '' : words.look,
    running,
    result: running === null ? resultOf(reply, state, words) : null,
  };
}
