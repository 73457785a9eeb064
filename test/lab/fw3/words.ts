/** Matches and comments as fw3 gives them to libxtables (iptables.c, 3a65fde), and what rules and redirects share. */
import { quoteArgument } from '../../../src/languages/iptables/arguments.ts';
import type { Config, Family, Helper, IpSet, Policy, Section, Zone } from './config.ts';

export const comment = (text: string): string => `-m comment --comment ${quoteArgument(text)}`;
export const ours = (text: string): string => comment(`!fw3: ${text}`);
export const jumpOf = (policy: Policy): string => (policy === 'REJECT' ? 'reject' : policy);
export const words = (...parts: (string | undefined)[]): string => parts.filter((part) => part !== undefined && part !== '').join(' ');

export const ICMP: Readonly<Record<Family, Readonly<Record<string, string>>>> = {
  4: {
    'echo-reply': '0',
    'destination-unreachable': '3',
    redirect: '5',
    'echo-request': '8',
    'time-exceeded': '11',
    'parameter-problem': '12',
  },
  6: {
    'destination-unreachable': '1',
    'packet-too-big': '2',
    'time-exceeded': '3',
    'parameter-problem': '4',
    'bad-header': '4/0',
    'unknown-header-type': '4/1',
    'echo-request': '128',
    'echo-reply': '129',
    'router-solicitation': '133',
    'router-advertisement': '134',
    'neighbour-solicitation': '135',
    'neighbour-advertisement': '136',
  },
};

export const familyOfAddress = (address: string): Family => (address.includes(':') ? 6 : 4);

/** A match on an address, or nothing; a network is written as it is. */
export const address = (flag: '-s' | '-d', text: string | undefined): string =>
  text === undefined ? '' : text.startsWith('!') ? `! ${flag} ${text.slice(1).trim()}` : `${flag} ${text}`;

export const port = (flag: '--sport' | '--dport', protocol: string, text: string | undefined): string => {
  if (text === undefined || !['tcp', 'udp'].includes(protocol)) return '';
  return text.startsWith('! ') ? `-m ${protocol} ! ${flag} ${text.slice(2)}` : `-m ${protocol} ${flag} ${text}`;
};

/** `-m set --match-set NAME src`: the direction that was given, else that of the set's own matches. */
export function setMatch(set: IpSet | undefined, given: string | undefined): string {
  if (set === undefined) return '';
  const directions = given?.split(/\s+/)[1] ?? set.matches.map((match) => (match.startsWith('dest') ? 'dst' : 'src')).join(',');
  return `-m set ${given?.startsWith('!') ? '! ' : ''}--match-set ${set.name} ${directions}`;
}

/** What sections are read with. */
export type Reading = {
  readonly config: Config;
  readonly family: Family;
  /** Whether a set of that name is in the kernel. */
  readonly isThere: (set: string) => boolean;
  readonly put: (table: 'filter' | 'nat' | 'mangle' | 'raw', chain: string, text: string, replace?: boolean) => void;
};

export const inFamily = (family: Family, zone: Zone | undefined): boolean => zone?.family === undefined || zone.family === family;

export const zoneNamed = ({ zones }: Config, name: string | undefined): Zone | undefined => zones.find((zone) => zone.name === name);

export const helperNamed = ({ helpers }: Config, name: string | undefined): Helper | undefined =>
  helpers.find((helper) => helper.name.toLowerCase() === name?.toLowerCase());

/** A section that is left out, with a warning. */
export function leftOut(section: Section, why: string): [] {
  section.warn(why);
  return [];
}

/** What a section of a rule or redirect says of its set: undefined where it has none, null where the rule is left out. */
export function setOf({ config: { sets }, family, isThere }: Reading, section: Section): IpSet | undefined | null {
  const given = section.one('ipset');
  if (given === undefined) return undefined;
  const name = given.replace(/^!\s*/, '').split(/\s+/)[0];
  const set = sets.find((one) => one.name === name);
  if (set === undefined) section.warn(`refers to unknown ipset '${name}'`);
  return set === undefined || set.family !== family || !isThere(set.name) ? null : set;
}
