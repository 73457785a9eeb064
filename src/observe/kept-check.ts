/**
 * What `fw4 check` answered, kept for the next look: it renders the whole firewall, which takes a router longer than the rest of
 * a look, and a page that is open asks every few seconds. It is asked again as soon as something that it reads is another, and
 * where that cannot be told; and after a while in any case, for it reads two things that no file shows (what services and
 * interfaces procd and netifd have just now).
 */
import { hash } from '../host/hash.ts';
import type { Host, Reading } from '../host/host.ts';
import { parseUci, listOf } from '../languages/uci/parse.ts';
import type { Facts, FirewallCheck } from './facts.ts';
import { FIREWALL_CONFIG, firewallFacts } from './firewall.ts';
import { nftSources } from './includes.ts';

type Check = Facts['firewall']['check'];

/** An answer, and of what. */
export interface KeptCheck {
  /** The digest of all that was read. */
  of: string;
  /** Milliseconds since the epoch. */
  at: number;
  check: Extract<Reading<FirewallCheck>, { state: 'present' }>;
}

/** Where an answer lies until the next look. */
export interface CheckStore {
  read(): Promise<KeptCheck | null>;
  write(kept: KeptCheck): Promise<void>;
}

/** For a program that stays. */
export function inMemory(): CheckStore {
  let kept: KeptCheck | null = null;
  return {
    read: async () => kept,
    async write(one) {
      kept = one;
    },
  };
}

/** Milliseconds that an answer is believed at most. */
const MOST_AGE = 120_000;
/** More text than this is not gone through at each look: whoever has as much waits for fw4. */
const MOST_TEXT = 256 * 1024;

/** What `uci` has not committed, and fw4 reads all the same; when fw4 was loaded last, which it is for each interface that comes. */
const BESIDE = ['/tmp/.uci/firewall', '/usr/share/firewall4/helpers', '/var/run/fw4.state'];
const MODULES = ['/sys/module/nf_conntrack_sip', '/sys/module/nf_nat_sip'];

/** The digest of what fw4 reads; null where that cannot be told. */
export async function whatCheckReads(host: Host): Promise<string | null> {
  const config = await host.read(FIREWALL_CONFIG);
  if (config.state !== 'present') return null;
  let files: string[];
  try {
    const { sections } = parseUci(config.value);
    const elements = sections.flatMap((section) => listOf(section, 'loadfile'));
    files = [...BESIDE, ...elements, ...(await nftSources(host, firewallFacts(config.value, 'fw4', [])))];
  } catch {
    return null;
  }
  const parts: unknown[] = [config.value];
  let size = config.value.length;
  for (const file of files) {
    const text = await host.read(file, { most: MOST_TEXT });
    if (text.state === 'failed') return null;
    const value = text.state === 'present' ? text.value : null;
    // What one file of nft's includes may lie anywhere.
    if (value !== null && file.startsWith('/') && !BESIDE.includes(file) && /^\s*include\b/m.test(value)) return null;
    size += value?.length ?? 0;
    if (size > MOST_TEXT) return null;
    parts.push([file, value]);
  }
  for (const path of MODULES) parts.push((await host.kind(path)).state);
  return hash(JSON.stringify(parts));
}

/** @param look looks, and asks fw4 itself where it is given no answer @returns the same, with the answer of before where that holds */
export function keepingCheck<T extends Pick<Facts, 'firewall'>>(
  host: Host,
  store: CheckStore,
  look: (checked?: Check) => Promise<T>,
): () => Promise<T> {
  return async () => {
    const kept = await store.read();
    const before = await whatCheckReads(host);
    const age = kept === null ? NaN : host.now() - kept.at;
    if (kept !== null && before === kept.of && age >= 0 && age < MOST_AGE)
      return look({ ...kept.check, value: { ...kept.check.value, asked: kept.at } });
    const at = host.now();
    const facts = await look();
    const { check } = facts.firewall;
    // Where something was written while fw4 read, nobody knows which of the two it has read.
    if (check?.state === 'present' && before !== null && before === (await whatCheckReads(host)))
      await store.write({ of: before, at, check });
    return facts;
  };
}
