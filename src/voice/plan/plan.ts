/** From the wish to steps where the firewall is nftables; and what both firewalls have in common: the files, the sysctls, the include. */
import { Refused } from '../../languages/refused.ts';
import { parseSysctl } from '../../languages/kernel/sysctl.ts';
import type { Facts } from '../../observe/facts.ts';
import { FIREWALL_CONFIG } from '../../observe/firewall.ts';
import { orElse } from '../../observe/reading.ts';
import { NOTHING, joinParts, one, putFile, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { nftLine, word } from '../../languages/shell/command.ts';
import { RANK } from '../../plan/step.ts';
import type { Action, Step } from '../../plan/step.ts';
import { deleteSection } from '../../languages/uci/edit.ts';
import { describeSection, optionOf, parseUci } from '../../languages/uci/parse.ts';
import type { PolicyFacts } from '../facts.ts';
import { addOwn, inboundEdit, inboundOf } from '../render/inbound.ts';
import { planInbound } from './inbound.ts';
import { POLICY_FILE } from '../paths.ts';
import { clearing, TABLE, wantedNft } from '../render/nft.ts';
import type { NftText } from '../render/nft.ts';
import { voiceOf } from '../wanted.ts';
import { KEEP_LISTING, LISTED_FILE } from '../seen/nft.ts';
import { OFFLOAD_COMMENT, OFFLOAD_FILE, offloadRules } from '../shaping.ts';

export const INCLUDE_FILE = '/etc/sipalg.include';
/** Behind OpenWrt's own 11-nf-conntrack.conf, which says 60 and 180 s. */
export const SYSCTL_FILE = '/etc/sysctl.d/99-sipalg.conf';
const INCLUDE = 'sipalg_include';
const OFFLOAD = 'sipalg_offload';

function textOf(policy: PolicyFacts, path: string): string | null {
  const file = policy.files[path];
  return file?.state === 'present' ? file.value : null;
}

/** A file becomes `after`; null: it goes. */
function fileStep(policy: PolicyFacts, path: string, after: string | null, text: string, before: Action[] = []): Part {
  const now = textOf(policy, path);
  const file = policy.files[path];
  if (file?.state === 'failed') return refuse([`${path} could not be read, so it is left as it is: ${file.because}.`]);
  if (now === after) return NOTHING;
  return one({
    rank: after === null ? RANK.policyOff : path === POLICY_FILE ? RANK.policy : RANK.policyFiles,
    why: after === null ? 'policy-unwanted' : 'policy-missing',
    text,
    actions: [...before, putFile(path, after)],
    undo: path.startsWith('/var/run/') ? [] : [putFile(path, now)],
    commands: [
      after === null ? `rm ${path}` : after.length > 2000 ? `# write ${path}, ${after.length} bytes` : `printf %s ${word(after)} > ${path}`,
    ],
  });
}

/** @param rehearsed it was just tried, or it is the way back */
const nft = (input: string, rehearsed = false): Action => ({
  do: 'run',
  argv: ['nft', '-f', '-'],
  input,
  ...(rehearsed ? {} : { rehearsal: { argv: ['nft', '-c', '-f', '-'], input } }),
});

const KEEP: Step = {
  rank: RANK.policy,
  why: 'policy-missing',
  text: 'Keep how they are listed now, by which a change is noticed.',
  actions: [{ do: 'run', argv: ['sh', '-c', KEEP_LISTING] }],
  undo: [],
  commands: [KEEP_LISTING],
};

function planRules(policy: PolicyFacts): Part {
  const { all } = policy.inForce;
  if (all.state === 'failed')
    return refuse([`The voice firewall rules are left as they are: ${all.source} could not be read: ${all.because}.`]);
  if (policy.perFlow.state === 'absent')
    return refuse([
      'The voice firewall rules can not be set: nft is not installed. Install the package nftables, then run `sipalg apply`.',
    ]);
  if (policy.perFlow.state === 'failed')
    return refuse([`Whether this kernel can give a flow timeouts of its own could not be asked: ${policy.perFlow.because}.`]);
  const { text, mark, declared } = wantedNft(voiceOf(policy), orElse(policy.perFlow, false));
  const now = orElse(all, null);
  const former = textOf(policy, POLICY_FILE);
  const clear = clearing(now?.objects ?? [], { declared });
  const script = (rules: string): string => [...clear, rules].join('\n');
  const check: Action = { do: 'run', argv: ['nft', '-c', '-f', '-'], input: script(text) };
  const file = fileStep(policy, POLICY_FILE, text, 'Keep the voice firewall rules in a file, for the next start of the firewall.', [check]);
  if (file.refused.length > 0 || (now !== null && now.mark === mark && now.intact)) return file;
  const loaded = former !== null && now?.mark != null && former.includes(now.mark);
  // What is new in it goes with it; what was cleared is declared again by the former text.
  const back = loaded ? [...clearing([...declared].map(objectOf), renderedObjects(former)), former].join('\n') : null;
  const load: Step = {
    rank: RANK.policy,
    why: now === null ? 'policy-missing' : 'policy-changed',
    text:
      now === null
        ? `Put the voice firewall rules in force, as a table of their own (${TABLE}).`
        : 'Replace the voice firewall rules, in one transaction; what they have counted and learnt stays.',
    actions: [
      clear.length === 0
        ? { do: 'run', argv: ['nft', '-f', POLICY_FILE] }
        : nft(script(`include "${POLICY_FILE}"\n`), file.steps.length > 0),
    ],
    undo:
      back !== null
        ? [nft(back, true)]
        : now === null
          ? [{ do: 'run', argv: ['nft', 'delete', 'table', ...TABLE.split(' ')], tolerated: [1] }]
          : [],
    commands: [clear.length === 0 ? `nft -f ${POLICY_FILE}` : nftLine(script(`include "${POLICY_FILE}"\n`))],
  };
  return joinParts([file, one(load), one(KEEP)]);
}

/** `kind name`, the kind being one or two words. */
function objectOf(declared: string): { kind: string; name: string } {
  const at = declared.lastIndexOf(' ');
  return { kind: declared.slice(0, at), name: declared.slice(at + 1) };
}

/** What one of our texts declares. */
function renderedObjects(text: string): Pick<NftText, 'declared'> {
  return {
    declared: new Set([...text.matchAll(/^\t(chain|set|counter|ct timeout) (\S+) \{$/gm)].map(([, kind, name]) => `${kind} ${name}`)),
  };
}

/** What keeps marked voice out of fw4's offload; null where nothing is to. */
function offloadText(policy: PolicyFacts): string | null {
  const { backend, offload, wish, wanted } = policy;
  // What could not be read is no reason to change anything.
  if (wanted && offload.state === 'failed') return textOf(policy, OFFLOAD_FILE);
  const rules = wanted && backend === 'nft' && offload.state === 'present' && offload.value.software ? offloadRules(wish.marking) : [];
  return rules.length === 0 ? null : `# Written by sipalg: voice stays out of the flow offload.\n${rules.join('\n')}\n`;
}

/** Handles are known only once the rules stand there. */
const TAKE_OFFLOAD_OUT = `nft -a list chain inet fw4 forward | sed -n 's/.*${OFFLOAD_COMMENT}.*# handle \\([0-9]*\\)$/delete rule inet fw4 forward handle \\1/p' | nft -f -`;

/**
 * The rules stand in fw4's table and are part of the transaction that loads it. Put there behind a load they would be late:
 * one packet in between puts a call into the offload, and there it stays until it ends. A load also empties the offload, so
 * that calls which are in it come out.
 * @param edited what the load takes in has changed
 */
function planOffload(policy: PolicyFacts, edited: boolean): Part {
  const text = offloadText(policy);
  const seen = orElse(policy.offload, null);
  const rules = seen?.rules ?? null;
  if (text === null) {
    if (rules === null || rules.length === 0) return NOTHING;
    const script = rules.map(({ handle }) => `delete rule inet fw4 forward handle ${handle}\n`).join('');
    const former = textOf(policy, OFFLOAD_FILE);
    return one({
      rank: RANK.policyOff,
      why: 'policy-unwanted',
      text: 'Take the rules that kept voice out of the offload out of the firewall.',
      actions: [nft(script)],
      undo: former === null ? [] : [nft(former, true)],
      commands: [nftLine(script)],
    });
  }
  const fits =
    seen?.excluded === true && rules?.length === 2 && rules.every(({ rule }) => text.includes(/comment "[^"]*"/.exec(rule)?.[0] ?? '?'));
  if (!edited && (fits || seen?.loaded !== true)) return NOTHING;
  const check: Step = {
    rank: RANK.policyConfiguration,
    why: 'policy-offload',
    text: 'See whether the firewall would still load.',
    actions: [{ do: 'run', argv: ['fw4', 'check'] }],
    undo: [],
    commands: ['fw4 check'],
  };
  const load: Step = {
    rank: RANK.reload,
    why: 'policy-offload',
    text: 'Let the firewall load its rules, so that marked voice passes before its flow is put into the offload.',
    actions: [{ do: 'run', argv: ['fw4', 'reload'] }],
    undo: [{ do: 'run', argv: ['sh', '-c', TAKE_OFFLOAD_OUT] }],
    commands: ['fw4 reload'],
    unlocked: true,
  };
  // A firewall that offloads nothing yet takes them in when it begins to.
  return joinParts([one(check), seen?.loaded === true ? one(load) : NOTHING]);
}

/** fw4 runs this after each load, holding its lock: nothing here may call fw4, and nothing may fail. */
function includeText(policy: PolicyFacts): string {
  return [
    '# Written by sipalg. The firewall runs it after each load: it puts the voice firewall rules back where they are missing.',
    'if ! nft list chain inet sipalg forwarded >/dev/null 2>&1; then',
    // Where something of another text is left, that goes first.
    `\tif nft -f ${POLICY_FILE} 2>/dev/null || nft 'delete table ${TABLE}; include "${POLICY_FILE}"' 2>/dev/null; then ${KEEP_LISTING}; else logger -t sipalg 'nft does not take ${POLICY_FILE}; run: sipalg apply'; fi`,
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

function planConfiguration(facts: Facts, policy: PolicyFacts, wanted: boolean): Part {
  const { uci } = facts.firewall;
  const { firewall } = facts.system;
  if (firewall.state !== 'present' || uci.state === 'absent') return NOTHING;
  if (uci.state === 'failed')
    return refuse([`${FIREWALL_CONFIG} could not be read, so the firewall is not told to keep the voice rules: ${uci.because}.`]);
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
    calls = inboundEdit(offload.after, inboundOf(facts, policy).sections);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refuse([`${FIREWALL_CONFIG}, line ${error.line}: ${error.message}. Mend the file, then run \`sipalg apply\`.`]);
  }
  const inbound = planInbound(facts, policy, calls.commands.length > 0);
  const offloading = planOffload(policy, offload.after !== edit.after || textOf(policy, OFFLOAD_FILE) !== offloadText(policy));
  // One load is enough for both.
  const more = offloading.steps.filter(({ commands }) => !inbound.steps.some((step) => step.commands[0] === commands[0]));
  const around = joinParts([inbound, { ...NOTHING, steps: more }]);
  if (calls.after === before) return around;
  return joinParts([
    one({
      rank: RANK.policyConfiguration,
      why: wanted ? 'policy-missing' : 'policy-unwanted',
      text: !wanted
        ? 'Let the firewall forget the voice rules.'
        : offload.after === before
          ? 'Tell the firewall which calls providers may open.'
          : 'Let the firewall put the voice rules back after each of its loads.',
      actions: [putFile(FIREWALL_CONFIG, calls.after)],
      undo: [putFile(FIREWALL_CONFIG, before)],
      commands: [...edit.commands, ...offload.commands, ...calls.commands, 'uci commit firewall'],
    }),
    around,
  ]);
}

const KEYS = { udp: 'nf_conntrack_udp_timeout', udpStream: 'nf_conntrack_udp_timeout_stream' } as const;
const NAMES = ['udp', 'udpStream'] as const;
const procPath = (name: 'udp' | 'udpStream'): string => `/proc/sys/net/netfilter/${KEYS[name]}`;

/** The values there were before ours, as our own file says. */
function formerValues(text: string | null): Partial<Record<'udp' | 'udpStream', number>> {
  const [, udp, udpStream] = /^# before: (\d+) (\d+)$/m.exec(text ?? '') ?? [];
  return udp === undefined ? {} : { udp: Number(udp), udpStream: Number(udpStream) };
}

/**
 * Where a flow can have no timeouts of its own, the two of all UDP flows: both as long as an answered SIP flow is to live,
 * for an exchange that ends within two seconds never gets to the second (nf_conntrack_proto_udp.c). Never lowered.
 */
function planSysctl(facts: Facts, policy: PolicyFacts, perFlow: boolean, wanted: boolean): Part {
  const text = textOf(policy, SYSCTL_FILE);
  const live = { udp: orElse(facts.timeouts.udp, null), udpStream: orElse(facts.timeouts.udpStream, null) };
  const former = formerValues(text);
  const ours = Object.fromEntries(parseSysctl(text ?? '').map(({ key, value }) => [key.split('.').at(-1), Number(value)]));
  if (wanted && !perFlow) {
    if (live.udp === null || live.udpStream === null) {
      return text !== null
        ? NOTHING
        : refuse([
            'The timeouts of UDP flows could not be read (/proc/sys/net/netfilter), so they are left as they are. `modprobe nf_conntrack` may bring them.',
          ]);
    }
    const { signallingReplied } = policy.wish.timeouts;
    const before = { udp: former.udp ?? live.udp, udpStream: former.udpStream ?? live.udpStream };
    const wish = { udp: Math.max(before.udp, signallingReplied), udpStream: Math.max(before.udpStream, signallingReplied) };
    const after = `# Written by sipalg: this kernel knows no timeouts for single flows, so all UDP flows live as long as SIP needs.\n# before: ${before.udp} ${before.udpStream}\n${NAMES.map(
      (name) => `net.netfilter.${KEYS[name]}=${wish[name]}\n`,
    ).join('')}`;
    return joinParts([
      fileStep(policy, SYSCTL_FILE, after, 'Keep the timeouts of UDP flows for the next boot.'),
      ...NAMES.map((name) => poke(name, live[name] as number, wish[name], RANK.policyFiles, 'timeouts-global')),
    ]);
  }
  if (text === null) return NOTHING;
  // Only what still is as we left it is given back.
  const back = NAMES.flatMap((name) =>
    former[name] !== undefined && live[name] !== null && live[name] === ours[KEYS[name]]
      ? [poke(name, live[name] as number, former[name] as number, RANK.policyOff, 'policy-unwanted')]
      : [],
  );
  return joinParts([...back, fileStep(policy, SYSCTL_FILE, null, 'Let the timeouts of UDP flows be as they were, at boot too.')]);
}

function poke(name: 'udp' | 'udpStream', now: number, value: number, rank: number, why: string): Part {
  const path = procPath(name);
  return now === value
    ? NOTHING
    : one({
        rank,
        why,
        text: `Let UDP flows live ${value} s${name === 'udp' ? '' : ' once they are streams'}.`,
        actions: [{ do: 'poke', path, text: `${value}\n` }],
        undo: [{ do: 'poke', path, text: `${now}\n` }],
        commands: [`echo ${value} > ${path}`],
      });
}

/** Both firewalls: the include that brings the rules back, and the section that has it run. */
export function planKeeping(facts: Facts, policy: PolicyFacts, wanted: boolean, fw3Include: string): Part {
  const { firewall } = facts.system;
  const text = !wanted || firewall.state !== 'present' ? null : policy.backend === 'nft' ? includeText(policy) : fw3Include;
  const offload = offloadText(policy);
  return joinParts([
    fileStep(
      policy,
      INCLUDE_FILE,
      text,
      text === null
        ? 'Remove the script with which the firewall brought the voice rules back.'
        : 'Write the script with which the firewall brings the voice rules back.',
    ),
    fileStep(
      policy,
      OFFLOAD_FILE,
      offload,
      offload === null ? `Remove ${OFFLOAD_FILE}.` : 'Write the rules by which the firewall keeps marked voice out of its offload.',
    ),
    planConfiguration(facts, policy, wanted),
  ]);
}

/** nft's part where the rules are wanted. */
export function planNftOn(facts: Facts, policy: PolicyFacts): Part {
  return joinParts([planRules(policy), planSysctl(facts, policy, orElse(policy.perFlow, true), true)]);
}

/** And where they are not: what is live, then what is on disk. */
export function planNftOff(policy: PolicyFacts): Part {
  const { all } = policy.inForce;
  if (all.state === 'failed')
    return refuse([`The voice firewall rules could not be taken away: ${all.source} could not be read: ${all.because}.`]);
  const former = textOf(policy, POLICY_FILE);
  const table =
    all.state === 'absent'
      ? NOTHING
      : one({
          rank: RANK.policyOff,
          why: 'policy-unwanted',
          text: `Take the voice firewall rules away (table ${TABLE}).`,
          actions: [{ do: 'run', argv: ['nft', 'delete', 'table', ...TABLE.split(' ')] }],
          undo: former === null ? [] : [nft(former, true)],
          commands: [`nft delete table ${TABLE}`],
        });
  return table;
}

/** The other files of ours, the one that says there is something of ours last of all. */
export function planFilesOff(facts: Facts, policy: PolicyFacts, others: readonly string[]): Part {
  const gone = (path: string): Part =>
    policy.files[path]?.state !== 'present' ? NOTHING : fileStep(policy, path, null, `Remove ${path}.`);
  return joinParts([planSysctl(facts, policy, true, false), ...[LISTED_FILE, ...others, POLICY_FILE].map(gone)]);
}

/** For iptables, where a flow has no timeouts of its own. */
export function planSysctlOn(facts: Facts, policy: PolicyFacts): Part {
  return planSysctl(facts, policy, false, true);
}
