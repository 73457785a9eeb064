/**
 * Plan: what would change, as data. Pure: the same facts give the same plan, and
 * a plan for facts that are as wished has no steps.
 */
import { canBlock, canUnload, flowsUnder, heldBy, inKernel, moduleIn, unread } from '../judge/questions.ts';
import { isUnshown } from '../judge/origin.ts';
import { Refused } from '../languages/refused.ts';
import { passwordsIn } from '../languages/uci/passwords.ts';
import { wishSection, writeWish } from '../wish/write.ts';
import type { Facts } from '../observe/facts.ts';
import { WISH_CONFIG } from '../observe/observe.ts';
import { planBlock, planUnblock } from './block.ts';
import { planConfiguration } from './configuration.ts';
import { joinParts, NOTHING, one, putFile, refuse } from './files.ts';
import type { Part } from './files.ts';
import { planGiveBack } from './give-back.ts';
import { planIptables } from './iptables.ts';
import { planAutomatic, planAutomaticAtBoot, planFlows, planLine, planStale, planUnload } from './kernel.ts';
import { planRules } from './nft.ts';
import { line } from '../languages/shell/command.ts';
import { RANK } from './step.ts';
import type { Action, Plan, Step } from './step.ts';
import { coded, say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

export type Towards = Exclude<Plan['towards'], 'unmanaged'>;

/** Where the owner's configuration leads; `disabled` is shown, not done, while nothing is wished. */
export function wished(facts: Facts): Towards {
  return facts.wish.wish.alg === 'enabled' ? 'enabled' : 'disabled';
}

/** With the module gone, fw4 itself must still take what it would load. */
function planCheck(facts: Facts, parts: readonly Part[]): Part {
  const { firewall } = facts.system;
  // A firewall that does not load for reasons of its owner's own proves nothing, and does not keep the ALG on.
  if (facts.firewall.check?.state === 'present' && !facts.firewall.check.value.loads) return NOTHING;
  const risky = parts.some(({ steps }) => steps.some(({ rank }) => rank === RANK.durable || rank === RANK.unload));
  if (!risky || firewall.state !== 'present' || firewall.value !== 'fw4') return NOTHING;
  return one({
    rank: RANK.check,
    why: 'include-needs-helper',
    ...say('step-check', 'Prove that the firewall still loads without the SIP modules.'),
    actions: [{ do: 'check', argv: ['fw4', 'check'] }],
    undo: [],
    commands: [],
  });
}

/**
 * The firewall is loaded once more, where the module is there or may be loaded by a rule, to see whether somebody sets the helper
 * again. One that its owner has stopped, or that would not load, is left alone.
 */
function planShow(facts: Facts): Part {
  const { firewall } = facts.system;
  if (firewall.state !== 'present' || !isUnshown(facts)) return NOTHING;
  const { check } = facts.firewall;
  const refuses = check?.state === 'present' && !check.value.loads;
  const runs =
    firewall.value === 'fw4'
      ? facts.nft.state === 'present' && facts.nft.value.tables.includes('inet fw4') && !refuses
      : facts.iptables.some((reading) => reading.state === 'present' && reading.value.fw3 === true);
  if (!runs) return NOTHING;
  // A reload of fw3 runs no script, unless its section says so (includes.c).
  const argv = [firewall.value, firewall.value === 'fw4' ? 'reload' : 'restart'];
  return one({
    rank: RANK.reload,
    why: 'assignment-unexplained',
    ...say('step-show', 'Load the firewall once, to see whether something sets the SIP helper again.'),
    actions: [{ do: 'run', argv }],
    undo: [],
    commands: [line(argv)],
    unlocked: true,
  });
}

function planDisable(facts: Facts): Part {
  const held = heldBy(facts) !== null;
  const unloads = !held && canUnload(facts);
  const rules = [planRules(facts, unloads), planIptables(facts, unloads), planAutomatic(facts)];
  if (held) return joinParts([planUnblock(facts), ...rules, planFlows(facts)]);
  const stays = inKernel(facts, 'tracker') === true && !canUnload(facts);
  const builtin = moduleIn(facts, 'tracker')?.state === 'built in';
  const absent = moduleIn(facts, 'tracker')?.state === 'not there';
  const comes = stays || builtin || (!canBlock(facts) && !absent);
  const parts = [
    planBlock(facts),
    planConfiguration(facts, comes),
    planAutomaticAtBoot(facts),
    ...rules,
    stays ? planFlows(facts) : NOTHING,
    comes ? planShow(facts) : NOTHING,
    planUnload(facts),
  ];
  return joinParts([...parts, planCheck(facts, parts)]);
}

/** What facts have of it is without passwords. */
function putWish(text: string | null): Action {
  const action = putFile(WISH_CONFIG, text);
  return action.do === 'write' && passwordsIn(action.text).length > 0 ? { ...action, keeps: 'passwords' } : action;
}

/** Writes the wish down, so that a boot or a power cut finds it. */
function planWish(facts: Facts, towards: Towards): Part {
  if (facts.wish.wish.alg === towards) return NOTHING;
  const { text } = facts.wish;
  if (text.state === 'failed')
    return refuse([
      say('refused-wish-unread', '{file} could not be read, so the wish cannot be written into it: {because}.', {
        file: WISH_CONFIG,
        because: text.because,
      }),
    ]);
  const before = text.state === 'present' ? text.value : null;
  let after: string;
  try {
    after = writeWish(before, towards);
  } catch (error) {
    return refuse([
      say('refused-wish', 'The wish cannot be written into {place}: {because}. Mend the file, or remove it.', {
        place: error instanceof Refused ? say('place-line', '{file}, line {line}', { file: WISH_CONFIG, line: error.line }) : WISH_CONFIG,
        because: (error as Error).message,
      }),
    ]);
  }
  const step: Step = {
    rank: RANK.wish,
    why: 'wish',
    ...(towards === 'disabled'
      ? say('step-wish-disabled', 'Write down that the SIP ALG is to be disabled.')
      : say('step-wish-enabled', 'Write down that the SIP ALG is to be enabled.')),
    actions: [putWish(after)],
    undo: [putWish(before)],
    commands: wishCommands(before, towards),
  };
  return one(step);
}

/** uci sets no option of a section, or a section of a file, that is not there. */
function wishCommands(before: string | null, towards: Towards): string[] {
  const section = wishSection(before);
  return [
    ...(before === null ? [`touch ${WISH_CONFIG}`] : []),
    ...(section === null ? ['uci set sipalg.main=sipalg'] : []),
    `uci set ${section ?? 'sipalg.main'}.alg=${towards}`,
    'uci commit sipalg',
  ];
}

const refusedOf = (refused: readonly Said[]): Pick<Plan, 'refused' | 'refusedCoded'> => ({
  refused: refused.map(({ text }) => text),
  ...(refused.length === 0 ? {} : { refusedCoded: refused.map(coded) }),
});

const heldAs = (held: ReturnType<typeof heldBy>): Pick<Plan, 'held'> => ({
  held: held === null ? null : { because: held.because.text, says: coded(held.because), lines: held.lines },
});

/**
 * What the ALG needs; `lacking` is the voice rules' and empty here.
 * @param towards   where the steps lead
 * @param writeDown whether the wish is to be written too (`disable` and `enable` do, `apply` acts on it)
 */
export function planAlg(facts: Facts, towards: Towards, writeDown: boolean): Plan {
  const blind =
    towards === 'disabled'
      ? unread(facts).map(({ source, because }) => say('refused-unread', '{source} could not be read: {because}.', { source, because }))
      : [];
  const part = blind.length > 0 ? refuse(blind) : towards === 'disabled' ? planDisable(facts) : planGiveBack(facts);
  const wish = writeDown ? planWish(facts, towards) : NOTHING;
  const refused = [...wish.refused, ...part.refused];
  const ended = part.steps.some(({ why }) => why === 'flow-under-helper') ? flowsUnder(facts) : [];
  const flows = [...planStale(facts, ended).steps, ...planLine(facts, ended).steps];
  const steps = [...wish.steps, ...part.steps, ...flows].sort((one, other) => one.rank - other.rank);
  return {
    wish: facts.wish.wish.alg,
    ...(facts.wish.said === false ? { told: false as const } : {}),
    towards,
    steps: refused.length > 0 ? [] : steps,
    takes: refused.length > 0 ? [] : part.takes,
    ...refusedOf(refused),
    lacking: [],
    ...(towards === 'disabled' ? heldAs(heldBy(facts)) : { held: null }),
  };
}
