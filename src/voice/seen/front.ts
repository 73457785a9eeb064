/**
 * What the firewall asks before our redirects, of what comes from the internet: rules of others that translate a destination, in
 * the order in which a packet meets them. As `nft -t list table inet fw4` and `iptables-save` write them.
 */
import { parseSave } from '../../languages/iptables/save.ts';
import type { InFront } from '../facts.ts';

/** A rule in the order of its chain: what leads on, what translates, and the title of one of ours. */
interface Step {
  text: string;
  to: string | null;
  translates: boolean;
  title: string | null;
}

type Chains = ReadonlyMap<string, readonly Step[]>;

const TITLED = /"!fw[34]: (sipalg: [^"]*)"/;

function nftChains(listing: string, wan: readonly string[]): { chains: Chains; first: string[] } {
  const chains = new Map<string, Step[]>();
  const first: string[] = [];
  let steps: Step[] = [];
  let name = '';
  for (const line of listing.split('\n')) {
    const text = line.trim();
    const opened = /^chain (\S+) \{$/.exec(text)?.[1];
    if (opened !== undefined) chains.set((name = opened), (steps = []));
    else if (/^type nat hook prerouting /.test(text)) first.push(name);
    else if (line.startsWith('\t\t') && isFromWan([...text.matchAll(/\biifname (!= )?(\{[^}]*\}|"[^"]*")/g)], wan))
      steps.push({
        text,
        to: /\b(?:jump|goto) (\S+)/.exec(text)?.[1] ?? null,
        translates: /\b(dnat|redirect)\b/.test(text.replace(/"[^"]*"/g, '')),
        title: TITLED.exec(text)?.[1] ?? null,
      });
  }
  return { chains, first };
}

/** Whether devices of the internet are among those that a rule is for. */
function isFromWan(matches: readonly RegExpMatchArray[], wan: readonly string[]): boolean {
  return matches.every(([, not, devices = '']) => wan.some((device) => devices.includes(`"${device}"`)) === (not === undefined));
}

function iptablesChains(listing: string, wan: readonly string[]): { chains: Chains; first: string[] } {
  const chains = new Map<string, Step[]>();
  const { rules = [] } = parseSave(listing).tables.find(({ name }) => name === 'nat') ?? {};
  for (const { chain, text, args } of rules) {
    const device = args[args.indexOf('-i') + 1];
    const jumps = Math.max(args.lastIndexOf('-j'), args.lastIndexOf('-g'));
    const target = jumps < 0 ? null : (args[jumps + 1] ?? null);
    if (args.includes('-i') && device !== undefined && wan.includes(device) === args.includes('!')) continue;
    const steps = chains.get(chain) ?? [];
    chains.set(chain, steps);
    steps.push({ text, to: target, translates: target === 'DNAT' || target === 'REDIRECT', title: TITLED.exec(text)?.[1] ?? null });
  }
  return { chains, first: ['PREROUTING'] };
}

/** @throws Refused for rules that iptables-save does not write */
export function inFrontOf(listing: string, nft: boolean, wan: readonly string[]): InFront[] {
  const { chains, first } = nft ? nftChains(listing, wan) : iptablesChains(listing, wan);
  const found: InFront[] = [];
  const walk = (chain: string, above: readonly string[]): void => {
    for (const { text, to, translates, title } of chains.get(chain) ?? []) {
      if (title !== null && translates) {
        for (const one of found) if (!one.before.includes(title)) one.before.push(title);
      } else if (translates) found.push({ rule: text, before: [] });
      else if (to !== null && chains.has(to) && !above.includes(to)) walk(to, [...above, to]);
    }
  };
  for (const chain of first) walk(chain, [chain]);
  return found.filter(({ before }) => before.length > 0);
}
