/** What lives in the kernel: the automatic helper, flows under the helper, and the modules themselves. */
import { canUnload, flowsBeyond, flowsUnder, moduleIn, staleFlows } from '../judge/questions.ts';
import { flowsElsewhere } from '../judge/lines.ts';
import { setSysctl } from '../languages/kernel/sysctl.ts';
import { AUTOMATIC_KEY } from '../observe/boot.ts';
import type { Facts, FlowFact, Module } from '../observe/facts.ts';
import { LINE_FILE } from '../observe/line-file.ts';
import { AUTOMATIC } from '../observe/observe.ts';
import { fileStep, joinParts, NOTHING, one } from './files.ts';
import type { Part } from './files.ts';
import { editLine, line, word } from '../languages/shell/command.ts';
import { FEW_FLOWS, FLOW_ELSEWHERE, FLOW_STALE, RANK } from './step.ts';
import type { Action, Step } from './step.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

export function planAutomatic(facts: Facts): Part {
  if (facts.automatic.state !== 'present' || facts.automatic.value === 0) return NOTHING;
  const { value } = facts.automatic;
  return one(
    {
      rank: RANK.automatic,
      why: 'automatic-helper',
      ...say('step-automatic', 'Stop the kernel from setting helpers by itself.'),
      actions: [{ do: 'poke', path: AUTOMATIC, text: '0\n' }],
      undo: [{ do: 'poke', path: AUTOMATIC, text: `${value}\n` }],
      commands: [`echo 0 > ${AUTOMATIC}`],
    },
    [{ kind: 'automatic', value }],
  );
}

/** The same at boot: where it is set, it is set to 0. */
export function planAutomaticAtBoot(facts: Facts): Part {
  if (facts.automatic.state === 'absent' || facts.boot.automatic.state !== 'present') return NOTHING;
  const files = new Map(facts.boot.automatic.value.map(({ file, text }) => [file, text]));
  return joinParts(
    [...files].map(([path, before]) => {
      const after = setSysctl(before, AUTOMATIC_KEY, '0');
      return fileStep({
        rank: RANK.configuration,
        why: 'automatic-at-boot',
        said: say('step-automatic-at-boot', 'Stop the next boot from letting the kernel set helpers by itself.'),
        path,
        before,
        after,
        commands: [editLine(path, before, after)],
      });
    }),
  );
}

/** conntrack says this when the flow has ended by itself meanwhile. */
const NOTHING_DELETED = 1;

/** The words by which conntrack knows the flows of a family and a protocol to one port. */
export function flowFilter(family: 'ipv4' | 'ipv6', protocol: string, port: number): string[] {
  return ['-f', family, '-p', protocol, '--orig-port-dst', String(port)];
}

const END_FLOWS = say('step-flows', 'End the flows that are under the helper; they come back without it.');

/**
 * Ends the flows that carry the helper, and with them their expectations. Only
 * where the module stays: when it goes, the kernel itself takes the helper off
 * every flow (nf_conntrack_helper_unregister), and the flow lives on, so that
 * nobody's registration is lost.
 */
export function planFlows(facts: Facts): Part {
  const flows = flowsUnder(facts);
  if (facts.flows.state === 'present' && facts.flows.value.certain && flows.length + flowsBeyond(facts) > FEW_FLOWS) {
    const filters = flows.map(({ family, protocol, destinationPort }) => line(flowFilter(family, protocol, destinationPort ?? 0)));
    return one({
      rank: RANK.flows,
      why: 'flow-under-helper',
      ...END_FLOWS,
      actions: [{ do: 'end flows' }],
      undo: [],
      commands: [...new Set(filters)].map((filter) => `conntrack -D ${filter}`),
    });
  }
  return endFlows(facts, flowsUnder(facts), 'destination', 'flow-under-helper', END_FLOWS);
}

/** Ends the flows that no answer reaches. @param others that other steps end already */
export function planStale(facts: Facts, others: readonly FlowFact[] = []): Part {
  const ended = new Set(others.map(({ remove }) => remove.join(' ')));
  return endFlows(
    facts,
    staleFlows(facts).filter(({ remove }) => !ended.has(remove.join(' '))),
    'lost',
    FLOW_STALE,
    say('step-stale', 'End the SIP flows that no answer reaches; they begin anew with the address of now.'),
  );
}

/**
 * Ends the flows of phones that go over another line than new ones; each registers anew over that one. What it was done for is
 * remembered, so that it is done once. Flows of audio are left alone: a call goes on.
 */
export function planLine(facts: Facts, others: readonly FlowFact[] = []): Part {
  const found = flowsElsewhere(facts);
  if (found === null) return NOTHING;
  const ended = new Set(others.map(({ remove }) => remove.join(' ')));
  const flows = found.flows.filter(({ remove }) => !ended.has(remove.join(' ')));
  const argvs = flows.map(({ remove }) => (remove[0] === 'conntrack' ? remove : ['conntrack', ...remove]));
  return one({
    rank: RANK.flows,
    why: FLOW_ELSEWHERE,
    ...say('step-line', 'End the SIP flows of phones that go over another line; they begin anew over {line}.', { line: found.line }),
    actions: [
      ...argvs.map((argv): Action => ({ do: 'run', argv, tolerated: [NOTHING_DELETED] })),
      { do: 'write', path: LINE_FILE, text: `${found.line}\n` },
    ],
    undo: [],
    commands: [...argvs.map((argv) => line(argv)), `echo ${word(found.line)} > ${LINE_FILE}`],
  });
}

/**
 * @param by where flows cannot be named one by one: the address all flows of which are ended. OpenWrt's kernels forget those
 *   of an address written here; of a flow under the helper the far side's has least to do with anything but SIP, and of a
 *   stale one it is the address that is gone. Those that have none live on.
 */
function endFlows(
  facts: Facts,
  flows: readonly (FlowFact & { lost?: string })[],
  by: 'destination' | 'lost',
  why: string,
  said: Said,
): Part {
  if (facts.flows.state !== 'present') return NOTHING;
  const actions: Action[] = facts.flows.value.certain
    ? flows.map(({ remove }) => ({
        do: 'run',
        argv: remove[0] === 'conntrack' ? remove : ['conntrack', ...remove],
        tolerated: [NOTHING_DELETED],
      }))
    : [...new Set(flows.map((flow) => flow[by]))].flatMap((address) =>
        address ? [{ do: 'poke', path: '/proc/net/nf_conntrack', text: `${address}\n` }] : [],
      );
  if (actions.length === 0) return NOTHING;
  return one({
    rank: RANK.flows,
    why,
    ...said,
    actions,
    undo: [], // a flow comes back with its next packet
    commands: actions.map((action) =>
      action.do === 'run' ? line(action.argv) : action.do === 'poke' ? `echo ${word(action.text.trim())} > ${action.path}` : '',
    ),
  });
}

/** What each parameter is when nobody has set it (nf_conntrack_sip.c). */
const DEFAULTS: Record<string, string> = {
  ports: '5060',
  sip_timeout: '3600',
  sip_direct_signalling: '1',
  sip_direct_media: '1',
  sip_external_media: '0',
};

/**
 * How a module is loaded again as it was. modprobe and its dependencies where it
 * had no parameters of its own; insmod with its file where it had, for OpenWrt's
 * modprobe takes none.
 */
export function loadArguments(name: string, parameters: Record<string, string>, file: string | null): string[] {
  const own = Object.entries(parameters)
    .filter(([key, value]) => (DEFAULTS[key] ?? value) !== value)
    .map(([key, value]) => `${key}=${value}`);
  return own.length === 0 || file === null ? ['modprobe', name] : ['insmod', file, ...own];
}

function unload(module: Module, why: string): Step {
  const argv = ['rmmod', module.name];
  return {
    rank: RANK.unload,
    why,
    ...say('step-unload', 'Unload {module}.', { module: module.name }),
    actions: [{ do: 'run', argv }],
    // insmod, not modprobe: on the way back the blacklist may still stand.
    undo: [
      {
        do: 'run',
        argv:
          module.file === null
            ? ['modprobe', module.name]
            : ['insmod', module.file, ...loadArguments(module.name, module.parameters, module.file).slice(2)],
        reached: { path: `/sys/module/${module.name}`, is: 'present' },
      },
    ],
    commands: [line(argv)],
  };
}

/** nf_nat_sip first: it uses nf_conntrack_sip. */
export function planUnload(facts: Facts): Part {
  const rewriter = moduleIn(facts, 'rewriter');
  const tracker = moduleIn(facts, 'tracker');
  const goes: Module[] = [];
  if (rewriter?.state === 'loaded') goes.push(rewriter);
  if (tracker?.state === 'loaded' && canUnload(facts)) goes.push(tracker);
  return {
    steps: goes.map((module) => unload(module, 'module-idle')),
    // In the order in which they are loaded again.
    takes: [...goes].reverse().map(({ name, parameters }) => ({ kind: 'module', name, parameters })),
    refused: [],
  };
}
