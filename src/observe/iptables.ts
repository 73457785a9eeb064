/**
 * Where iptables sets SIP helpers: `-j CT --helper sip`, in both flavours and
 * both families. The save commands run without `-t`, which would make the kernel
 * create the table that is asked for.
 */
import type { Host, Reading } from '../host/host.ts';
import type { IptablesFacts, NftFacts } from './facts.ts';
import { answered, understood } from './reading.ts';

const FAMILIES = ['iptables', 'ip6tables'];

/** The tables of the legacy flavour: the kernel lists those in use, and iptables-legacy-save shows no others. */
async function legacyTables(host: Host, family: string): Promise<Reading<string[]>> {
  const names = await host.read(family === 'iptables' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names');
  return understood(names, (text) => text.split(/\s+/).filter((name) => name !== ''));
}

/**
 * One reading per save command that has something to show; none where iptables is
 * not installed. A command is not run where the kernel itself says that there is
 * nothing for it: each costs a small router more than what it would answer.
 * @param nft    tells whether nftables holds rules of iptables' nft flavour
 * @param wanted save commands that are run all the same, because something may have to be given back
 */
export async function observeIptables(
  host: Host,
  nft: Promise<Reading<NftFacts>>,
  wanted: readonly string[],
): Promise<Reading<IptablesFacts>[]> {
  const all = await Promise.all(
    FAMILIES.map(async (family) => {
      const plain = `${family}-save`;
      const asked = async (flavour: string, has: Promise<boolean>): Promise<Reading<IptablesFacts> | null> => {
        const command = `${family}-${flavour}-save`;
        return wanted.includes(command) || wanted.includes(plain) || (await has) ? save(host, command) : null;
      };
      const legacy = await legacyTables(host, family);
      const has = legacy.state === 'failed' || (legacy.state === 'present' && legacy.value.length > 0);
      const flavours = (
        await Promise.all([
          asked('legacy', Promise.resolve(has)),
          asked(
            'nft',
            nft.then((reading) => reading.state !== 'present' || reading.value.foreign),
          ),
        ])
      ).filter((reading) => reading !== null);
      if (flavours.length === 0) return [];
      const installed = flavours.filter(({ state }) => state !== 'absent');
      const hidden = async (shown: readonly Reading<IptablesFacts>[]): Promise<Reading<IptablesFacts>[]> => {
        const rules = await nft;
        if (rules.state !== 'present' || rules.value.targets === undefined || shown.some(showsNft)) return [];
        return (await import('./iptables-unseen.ts')).unseenTargets(family, rules.value.targets);
      };
      const isLegacy = ({ source }: Reading<IptablesFacts>): boolean => source === `${family}-legacy-save`;
      if (installed.some(isLegacy)) return [...installed, ...(await hidden(installed))];
      // On older releases the plain name is the legacy flavour; its header tells.
      const other = installed.length > 0 && !has ? null : await save(host, plain);
      const more = other === null || other.state === 'absent' || (installed.length > 0 && !showsLegacy(other)) ? [] : [other];
      const lost = has && !more.some(showsLegacy) ? (await import('./iptables-unseen.ts')).unseenTable(family, legacy) : null;
      return [...installed, ...more, ...(lost === null ? [] : [lost]), ...(await hidden([...installed, ...more]))];
    }),
  );
  return all.flat();
}

/** Where it failed, its failure says enough. */
const showsLegacy = (reading: Reading<IptablesFacts>): boolean =>
  reading.state === 'failed' || (reading.state === 'present' && reading.value.flavour === 'legacy');

const showsNft = (reading: Reading<IptablesFacts>): boolean =>
  reading.state === 'failed' || reading.source.endsWith('-nft-save') || (reading.state === 'present' && reading.value.flavour === 'nft');

async function save(host: Host, command: string): Promise<Reading<IptablesFacts>> {
  const saved = answered(await host.run([command]));
  if (saved.state !== 'present') return saved;
  const { factsIn } = await import('./iptables-facts.ts');
  return understood(saved, (text) => factsIn(command, text));
}
