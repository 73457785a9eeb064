/** What brings the rules back after each load of the firewall: the include, and the sections of /etc/config/firewall that have it run. */
import { word } from '../../languages/shell/command.ts';
import { Refused } from '../../languages/refused.ts';
import { deleteSection } from '../../languages/uci/edit.ts';
import { describeSection, optionOf, parseUci } from '../../languages/uci/parse.ts';
import type { Facts } from '../../observe/facts.ts';
import { FIREWALL_CONFIG } from '../../observe/firewall.ts';
import { NOTHING, joinParts, one, putFile, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { RANK } from '../../plan/step.ts';
import type { Step } from '../../plan/step.ts';
import type { PolicyFacts } from '../facts.ts';
import type { Compared } from '../judge/compare.ts';
import { INCLUDE_FILE, OFFLOAD_COMMENT, OFFLOAD_FILE, TABLE } from '../own.ts';
import { POLICY_FILE } from '../paths.ts';
import { addOwn, inboundEdit } from '../render/inbound.ts';
import { FW3_INCLUDE } from '../render/iptables/restore.ts';
import { changeOwn, removal, textOf } from './files.ts';
import { planInbound } from './inbound.ts';
import { KEEP_LISTING } from './nft.ts';
import { offloadText, planOffload } from './offload.ts';
import { say } from '../../words/say.ts';

const INCLUDE = 'sipalg_include';
const OFFLOAD = 'sipalg_offload';

/** fw4 runs this after each load, holding its lock: nothing here may call fw4, and nothing may fail. */
function includeText(policy: PolicyFacts): string {
  return [
    '# Written by sipalg. The firewall runs it after each load: it puts the voice firewall rules back where they are missing.',
    'if ! nft list chain inet sipalg forwarded >/dev/null 2>&1; then',
    // Where something of another text is left, that goes first.
    `\tif nft -f ${POLICY_FILE} 2>/dev/null || nft 'delete table ${TABLE}; include "${POLICY_FILE}"' 2>/dev/null; then ${KEEP_LISTING}; `
      + `else logger -t sipalg 'nft does not take ${POLICY_FILE}; run: sipalg apply'; fi`,
    'fi',
    // Where fw4 does not take them in by itself.
    ...(offloadText(policy) === null
      ? []
      : [`nft list chain inet fw4 forward 2>/dev/null | grep -q '${OFFLOAD_COMMENT}' || nft -f ${OFFLOAD_FILE} 2>/dev/null`]),
    'exit 0',
    '',
  ].join('\n');
}

/** A section by which the firewall includes something of ours; null: it goes. */
function includeEdit(
  text: string,
  name: string,
  options: readonly (readonly [name: string, value: string])[] | null,
): { after: string; commands: string[] } {
  const pkg = parseUci(text);
  const section = pkg.sections.find((one) => one.name === name);
  if (
    section !== undefined
    && options !== null
    && section.type === 'include'
    && section.options.length === options.length
    && options.every(([name, value]) => optionOf(section, name) === value)
  )
    return { after: text, commands: [] };
  const without = section === undefined ? text : deleteSection(pkg, section);
  const gone = section === undefined ? [] : [`uci delete ${describeSection(section, 'firewall')}`];
  if (options === null) return { after: without, commands: gone };
  return {
    after: addOwn(
      without,
      'include',
      name,
      options.map(([option, value]) => ({ kind: 'option', name: option, value })),
    ),
    commands: [
      ...gone,
      `uci set firewall.${name}=include`,
      ...options.map(([option, value]) => `uci set firewall.${name}.${option}=${word(value)}`),
    ],
  };
}

function planConfiguration(facts: Facts, policy: PolicyFacts, compared: Compared): Part {
  const { wanted } = policy;
  const { uci } = facts.firewall;
  const { firewall } = facts.system;
  if (firewall.state !== 'present' || uci.state === 'absent') return NOTHING;
  if (uci.state === 'failed')
    return refuse([
      say('refused-keeping', '{file} could not be read, so the firewall is not told to keep the voice rules: {because}.', {
        file: FIREWALL_CONFIG,
        because: uci.because,
      }),
    ]);
  const before = uci.value.text;
  let edit: ReturnType<typeof includeEdit>;
  let offload: typeof edit;
  let calls: typeof edit;
  try {
    edit = includeEdit(
      before,
      INCLUDE,
      wanted ? [['type', 'script'], ['path', INCLUDE_FILE], firewall.value === 'fw4' ? ['fw4_compatible', '1'] : ['reload', '1']] : null,
    );
    offload = includeEdit(
      edit.after,
      OFFLOAD,
      offloadText(policy) === null
        ? null
        : [
            ['type', 'nftables'],
            ['path', OFFLOAD_FILE],
            ['position', 'ruleset-append'],
          ],
    );
    calls = inboundEdit(offload.after, compared.inbound.sections);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refuse([
      say('refused-firewall-line', '{file}, line {line}: {because}. Mend the file, then run `sipalg apply`.', {
        file: FIREWALL_CONFIG,
        line: error.line,
        because: error.message,
      }),
    ]);
  }
  const inbound = planInbound(facts, policy, compared, calls.commands.length > 0);
  const offloading = planOffload(policy, compared, offload.after !== edit.after || textOf(policy, OFFLOAD_FILE) !== offloadText(policy));
  // One load is enough for both, and takes back what it has brought of both.
  const twice = (one: Step): Step | undefined => offloading.steps.find(({ commands }) => commands[0] === one.commands[0]);
  const steps = inbound.steps.map((step) => ({ ...step, undo: [...step.undo, ...(twice(step)?.undo ?? [])] }));
  const more = offloading.steps.filter(({ commands }) => !steps.some((step) => step.commands[0] === commands[0]));
  const around = joinParts([
    { ...inbound, steps },
    { ...NOTHING, steps: more },
  ]);
  if (calls.after === before) return around;
  return joinParts([
    one({
      rank: RANK.policyConfiguration,
      why: wanted ? 'policy-missing' : 'policy-unwanted',
      ...(!wanted
        ? say('step-forget', 'Let the firewall forget the voice rules.')
        : offload.after === before
          ? say('step-calls', 'Tell the firewall which calls providers may open.')
          : say('step-include', 'Let the firewall put the voice rules back after each of its loads.')),
      actions: [putFile(FIREWALL_CONFIG, calls.after)],
      undo: [putFile(FIREWALL_CONFIG, before)],
      commands: [...edit.commands, ...offload.commands, ...calls.commands, 'uci commit firewall'],
    }),
    around,
  ]);
}

/** Both firewalls: the include that brings the rules back, and the section that has it run. */
export function planKeeping(facts: Facts, policy: PolicyFacts, compared: Compared): Part {
  const { wanted } = policy;
  const { firewall } = facts.system;
  const text = !wanted || firewall.state !== 'present' ? null : policy.backend === 'nft' ? includeText(policy) : FW3_INCLUDE;
  const offload = offloadText(policy);
  return joinParts([
    changeOwn(
      policy,
      INCLUDE_FILE,
      text,
      text === null
        ? say('step-script-out', 'Remove the script with which the firewall brought the voice rules back.')
        : say('step-script', 'Write the script with which the firewall brings the voice rules back.'),
    ),
    changeOwn(
      policy,
      OFFLOAD_FILE,
      offload,
      offload === null
        ? removal(OFFLOAD_FILE)
        : say('step-offload-file', 'Write the rules by which the firewall keeps marked voice out of its offload.'),
    ),
    planConfiguration(facts, policy, compared),
  ]);
}
