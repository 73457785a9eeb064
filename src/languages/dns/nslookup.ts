/**
 * What busybox's nslookup prints for one question, as data (networking/nslookup.c, FEATURE_NSLOOKUP_BIG, 1.35 and 1.36:
 * what OpenWrt has). It knows A, AAAA and SRV, asks over UDP alone, and shows no TTL. An answer cut short shows as one
 * with fewer records, or with none.
 */
import { isName } from './message.ts';
import type { ResourceRecord } from './message.ts';

export type Lookup = 'A' | 'AAAA' | 'SRV';

type WithoutOwner<Kind> = Kind extends { type: Lookup } ? Omit<Kind, 'name' | 'ttl'> : never;
/** A record as it is shown: its owner may be an alias's target, and its TTL is not told. */
export type ShownRecord = WithoutOwner<ResourceRecord>;

/** `nothing`: no record of that kind is shown; `missing`: there is no such name (NXDOMAIN). */
export type Shown =
  { state: 'found'; records: ShownRecord[] } | { state: 'nothing' } | { state: 'missing' } | { state: 'failed'; because: string };

/** The command that asks. @param name one that `isAskable` */
export const nslookup = (type: Lookup, name: string, server: string): string[] => ['nslookup', `-type=${type.toLowerCase()}`, name, server];

/** Whether a name can be handed to the command: one that begins with a dash would be an option. */
export const isAskable = (name: string): boolean => isName(name) && !name.startsWith('-');

const SERVICE = /^\S+\tservice = (\d+) (\d+) (\d+) (\S*)$/;
const ADDRESS = /^Address(?: \d+)?:\s*([0-9A-Fa-f:.]+)$/;
const TROUBLE = /^\*\*\* ?(.+)$|^;; (.+)$|^nslookup: (.+)$/m;

function recordIn(line: string, type: Lookup): ShownRecord[] {
  const [, priority, weight, port, target] = SERVICE.exec(line) ?? [];
  if (type === 'SRV') {
    if (target === undefined || !isAskable(target)) return [];
    return [{ type, priority: Number(priority), weight: Number(weight), port: Number(port), target: target.toLowerCase() }];
  }
  const [, address] = ADDRESS.exec(line) ?? [];
  return address === undefined || address.includes(':') !== (type === 'AAAA') ? [] : [{ type, address: address.toLowerCase() }];
}

/** @param code the exit status: 1 where something went wrong, or the name does not exist */
export function shownBy(type: Lookup, { code, stdout, stderr }: { code: number; stdout: string; stderr: string }): Shown {
  // Up to the first empty line stands which server was asked, with its address.
  const answer = stdout.slice(stdout.indexOf('\n\n') + 1);
  const [, complaint] = /^\*\* server can't find .*: (\w+)$/m.exec(answer) ?? [];
  if (complaint === 'NXDOMAIN') return { state: 'missing' };
  if (complaint !== undefined) return { state: 'failed', because: `it says ${complaint}` };
  const records = answer.split('\n').flatMap((line) => recordIn(line, type));
  if (code === 0) return records.length > 0 ? { state: 'found', records } : { state: 'nothing' };
  const trouble = (TROUBLE.exec(`${stdout}\n${stderr}`) ?? []).slice(1).find((words) => words !== undefined);
  return { state: 'failed', because: trouble ?? `nslookup ended with ${code}` };
}
