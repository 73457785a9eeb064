/**
 * The voice rules as chains of iptables, for routers with fw3: the same wish as
 * nft/table.ts. All of it stands in table mangle: before the destination is translated,
 * and after conntrack knows the flow. One rule of another table keeps marked
 * voice out of flow offload, where that is on.
 *
 * A packet meets the cheapest test first; prefixes are looked up for those alone
 * that look like a new request or like RTP already. Nothing here ends with
 * ACCEPT in mangle: the rules of others behind ours still see every packet.
 */
import { quoteArgument } from '../../../languages/iptables/arguments.ts';
import { hash } from '../../../host/hash.ts';
import type { Jump } from '../../facts.ts';
import { digit, OURS } from '../../own.ts';
import type { Family } from '../../own.ts';
import type { Voice } from '../../rules.ts';
import { keptMarks } from '../offload.ts';
import { limits } from './attempts.ts';
import { byte, memory, portLists, u32 } from './matching.ts';
import type { Extensions } from './matching.ts';
import { prefixChains } from './prefixes.ts';

/** What is ours of a table. Rules as iptables-restore takes them, after `-A CHAIN `. */
export interface Table {
  name: 'mangle' | 'filter';
  chains: Record<string, string[]>;
  jumps: Jump[];
}

/** A day: how long a phone is remembered after its last message, seconds. */
const DAY = 86_400;

/** Voice in both directions. What goes to the WAN still has its address from behind the router here. */
function marks(voice: Voice, family: Family, has: Extensions, table: Table, comment: string): void {
  const { marking } = voice;
  if (marking === null || !has['DSCP'] || !(has['dscp'] || marking.overwrite)) return;
  const { chains, jumps } = table;
  const n = digit(family);
  const learns = (has['set'] || has['recent']) && has['u32'];
  const phones = memory(`phones${n}`, has, DAY);
  const media = `-g ${OURS}voice_media`;
  const version = has['u32'] ? ` ${u32(`${byte(family, 0)}>>0x1e=0x2`)}` : '';
  for (const chain of ['FORWARD', 'OUTPUT']) {
    // Straight to where it leads: most packets are no voice, and a jump and the way back cost each of them.
    for (const match of portLists('--ports', voice.ports)) jumps.push({ chain, rule: `-p udp ${match}${comment} -j ${OURS}signalling` });
    // Version 2 (RFC 3550, section 5.1); below 1024 no phone sends audio.
    jumps.push({
      chain,
      rule: `-p udp -m udp --sport 1024:65535 --dport 1024:65535${version}${comment} -j ${OURS}rtp`,
    });
    for (const match of portLists('--ports', [...voice.ports, ...voice.tlsPorts]))
      jumps.push({ chain, rule: `-p tcp ${match}${comment} -j ${OURS}signalling` });
  }
  chains[`${OURS}signalling`] = [
    // Who speaks SIP to the internet is a phone; never learnt from what arrives.
    ...(learns
      ? voice.wan
          .map(quoteArgument)
          .flatMap((wan) => [
            `-o ${wan} -m conntrack --ctdir ORIGINAL ${phones.learn('src')}`,
            ...(has['set']
              ? [`-o ${wan} -m conntrack --ctdir REPLY -m set --match-set ${OURS}signalling${n} dst ${phones.learn('src')}`]
              : []),
          ])
      : []),
    `-g ${OURS}voice_signalling`,
  ];
  const rtp: string[] = (chains[`${OURS}rtp`] = learns ? [`${phones.knows('src')} ${media}`, `${phones.knows('dst')} ${media}`] : []);
  if (has['set']) rtp.push(...['src', 'dst'].map((end) => `-m set --match-set ${OURS}media${n} ${end} ${media}`));
  else {
    for (const [base, flag] of [
      ['s', '-s'],
      ['d', '-d'],
    ] as const) {
      prefixChains(chains, base, voice.media[family], flag, media, null);
      if (chains[`${OURS}${base}0`] !== undefined) rtp.push(`-j ${OURS}${base}0`);
    }
  }
  setMark(voice, family, chains, 'signalling');
  setMark(voice, family, chains, 'media');
}

/** Counts, and marks what no phone has marked by itself, unless that is to be overwritten. */
function setMark(voice: Voice, family: Family, chains: Table['chains'], what: 'media' | 'signalling'): void {
  const marking = voice.marking as NonNullable<Voice['marking']>;
  const { value } = marking[what];
  // A rule without a target counts, and lets pass.
  const counting: string[] = (chains[`${OURS}voice_${what}`] = ['']);
  if (value === 0 && !marking.overwrite) return;
  const rule = `${marking.overwrite ? '' : '-m dscp --dscp 0x00 '}-j DSCP --set-dscp ${hex(value)}`;
  const networks = voice.unmarked[family];
  if (networks.length === 0) return void counting.push(rule);
  // From neither side; each chain of the tree is gone to, so a RETURN leads back to where the packet came from.
  const [from, to, set] = [`${what[0]}f`, `${what[0]}t`, `${OURS}mark_${what}`];
  chains[set] = [rule];
  prefixChains(chains, from, networks, '-s', '-j RETURN', `-g ${OURS}${to}0`);
  prefixChains(chains, to, networks, '-d', '-j RETURN', `-g ${set}`);
  counting.push(`-g ${OURS}${from}0`);
}

const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;

/**
 * What is to stand in a family's tables; none where nothing is wished that could be had.
 * @param offload flows are offloaded, and marked voice is to be kept out of it
 */
export function iptablesTables(voice: Voice, family: Family, has: Extensions, offload: boolean): Table[] {
  const comment = has['comment'] ? ' -m comment --comment "!sipalg"' : '';
  const mangle: Table = { name: 'mangle', chains: {}, jumps: [] };
  // A "+" would make a name stand for many devices.
  const safe = { ...voice, wan: voice.wan.filter((name) => !name.endsWith('+')) };
  limits(safe, family, has, mangle, comment);
  marks(safe, family, has, mangle, comment);
  if (mangle.jumps.length === 0) return [];
  const text = JSON.stringify([mangle, has['set'] ? [voice.signalling[family], voice.media[family], voice.sites[family]] : [], offload]);
  mangle.chains[`${OURS}text_${hash(text)}`] = [];
  const kept = keptMarks(voice.marking);
  if (!offload || !has['dscp'] || !has['DSCP'] || kept.length === 0) return [mangle];
  return [
    mangle,
    {
      name: 'filter',
      chains: {
        [`${OURS}keep`]:
          kept === 'any'
            ? ['-m dscp ! --dscp 0x00 -j ACCEPT']
            : kept.map(({ value }) => `-m dscp --dscp ${hex(value)} -j ACCEPT`),
      },
      jumps: [{ chain: 'FORWARD', rule: `-m conntrack --ctstate RELATED,ESTABLISHED${comment} -j ${OURS}keep`, beforeOffload: true }],
    },
  ];
}
