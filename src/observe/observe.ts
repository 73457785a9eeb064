/**
 * Observe: the one detection there is. Status, plan, daemon, page, report and
 * tests all look through here.
 */
import type { Host, Reading } from '../host/host.ts';
import { JOURNAL_PATH } from '../journal/path.ts';
import type { Journal } from '../journal/journal.ts';
import { MODULES_CONF, observeBoot } from './boot.ts';
import { withoutPasswords } from '../languages/uci/passwords.ts';
import { readConfiguration } from '../wish/read.ts';
import type { Facts, FirewallCheck, FirewallUci, HelperDefinition } from './facts.ts';
import { FIREWALL_CONFIG, firewallFacts, mayOpenSip, observeCheck, observeDefinitions } from './firewall.ts';
import { observeDrops, observeExpectations, observeFlows } from './flows.ts';
import type { AlsoFlows } from './flows.ts';
import { observeIncludes } from './includes.ts';
import { observeIptables } from './iptables.ts';
import { observeModules, TRACKER } from './modules.ts';
import { chainKey, observeNft } from './nft.ts';
import type { AlsoRules } from './nft.ts';
import { orElse, present, understood } from './reading.ts';
import { observeNumber, observeSystem, observeWan } from './system.ts';

export const WISH_CONFIG = '/etc/config/sipalg';
export const AUTOMATIC = '/proc/sys/net/netfilter/nf_conntrack_helper';

/** The chains something was taken out of, which are looked at even while nothing is assigned in them. */
function chainsOf(journal: Reading<Journal>): string[] {
  if (journal.state !== 'present') return [];
  return journal.value.taken.flatMap((entry) => (entry.kind === 'nft' ? entry.rules.map(chainKey) : []));
}

/** The iptables commands that showed what was taken out. */
function savesOf(journal: Reading<Journal>): string[] {
  return journal.state === 'present' ? journal.value.taken.flatMap((entry) => (entry.kind === 'iptables' ? [entry.save] : [])) : [];
}

/** Whether anything of it can set the helper: only then it matters what of it fw4 leaves out. */
const maySetHelper = ({ zones, setHelper, includes }: FirewallUci, definitions: readonly HelperDefinition[]): boolean =>
  setHelper.length > 0
  || includes.length > 0
  || (zones.some(({ sip }) => sip !== 'not') && definitions.some(({ module, available }) => module === TRACKER && available));

async function observeFirewall(host: Host, kind: Facts['system']['firewall']): Promise<Facts['firewall']> {
  if (kind.state !== 'present') return { uci: kind, definitions: kind, includes: kind };
  const definitions = await observeDefinitions(host, kind.value);
  let uci: Reading<FirewallUci> = understood(await host.read(FIREWALL_CONFIG), (text) =>
    firewallFacts(text, kind.value, orElse(definitions, [])),
  );
  if (uci.state === 'present' && kind.value === 'fw4' && maySetHelper(uci.value, orElse(definitions, [])))
    uci = present(uci.source, (await import('./left-out.ts')).withoutLeftOut(uci.value, orElse(definitions, [])));
  if (uci.state === 'present' && mayOpenSip(uci.value.text)) uci = (await import('./openings.ts')).withOpenSip(uci, kind.value);
  const includes = uci.state === 'present' ? await observeIncludes(host, kind.value, uci.value) : uci;
  return { uci, definitions, includes };
}

async function observeWish(host: Host): Promise<Facts['wish']> {
  const file = await host.read(WISH_CONFIG);
  const { wish, said, problems } = readConfiguration(orElse(file, null));
  // Facts are printed, saved and mailed: the password for a Homer server is in none of them.
  const text = understood(file, withoutPasswords);
  if (text.state !== 'failed') return { text, wish: { ...wish }, said, problems: [...problems] };
  // What the owner wishes could not be read: that is a problem, not the default.
  const problem = {
    section: '',
    option: '',
    given: '',
    allowed: 'a file that can be read',
    text: `${WISH_CONFIG} could not be read: ${text.because}`,
  };
  return { text, wish: { ...wish, policy: null }, said: false, problems: [problem, ...problems] };
}

/** Its reader is loaded where there is one. */
async function observeJournal(host: Host): Promise<Reading<Journal>> {
  const text = await host.read(JOURNAL_PATH);
  return text.state === 'present' ? understood(text, (await import('../journal/journal.ts')).parseJournal) : text;
}

/** The files of the journal that no other question reads. */
async function observeEdited(host: Host, journal: Reading<Journal>): Promise<Facts['edited']> {
  const paths = journal.state === 'present' ? journal.value.taken.flatMap((entry) => (entry.kind === 'file' ? [entry.path] : [])) : [];
  const others = [...new Set(paths)].filter((path) => path !== FIREWALL_CONFIG && path !== MODULES_CONF);
  return Object.fromEntries(await Promise.all(others.map(async (path) => [path, await host.read(path)] as const)));
}

/** Large listings are made once, for whoever needs more of them too. */
export interface Also {
  flows: AlsoFlows;
  rules: AlsoRules;
}

/**
 * Looks at everything. Never throws: what could not be read is in its reading.
 * @param checked what fw4 said a moment ago of what it would load, where a run need not ask again: it renders everything for it
 * @param also who sees each flow and each rule besides, as they are listed
 */
export async function observe(host: Host, checked?: Reading<FirewallCheck>, also?: Also): Promise<Facts> {
  // First of all what may take longest. Loaded or built in, the tracker shows here; where it does not, no long life is the helper's doing.
  const tracker = await host.kind(`/sys/module/${TRACKER}`);
  const udpStream = await observeNumber(host, '/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream');
  const flows = observeFlows(host, tracker.state === 'absent' ? null : orElse(udpStream, null), also?.flows);
  const [system, wish, journal, udp] = await Promise.all([
    observeSystem(host),
    observeWish(host),
    observeJournal(host),
    observeNumber(host, '/proc/sys/net/netfilter/nf_conntrack_udp_timeout'),
  ]);
  // The tools start first, so that files are read while they run.
  const rules = observeNft(host, chainsOf(journal), also?.rules);
  const tools = Promise.all([rules, observeIptables(host, rules, savesOf(journal)), observeDrops(host)]);
  const modules = await observeModules(host, orElse(system.kernel, ''));
  const check = checked ?? observeCheck(host, { system, modules });
  const [boot, firewall, automatic, expectations, wan] = await Promise.all([
    observeBoot(host),
    observeFirewall(host, system.firewall),
    observeNumber(host, AUTOMATIC),
    observeExpectations(host),
    observeWan(host),
  ]);
  const [nft, iptables, drops] = await tools;
  // Several lines are few routers' matter: what looks at them is loaded where that is wished.
  const lines = wish.wish.failback ? { lines: await (await import('./lines.ts')).observeLines(host, { firewall, system }) } : {};
  return {
    at: host.now(),
    uid: host.process().uid,
    system,
    modules,
    boot,
    automatic,
    nft,
    iptables,
    firewall: { ...firewall, check: await check },
    flows: await flows,
    ...lines,
    expectations,
    drops,
    timeouts: { udp, udpStream },
    wan,
    wish,
    journal,
    edited: await observeEdited(host, journal),
  };
}
