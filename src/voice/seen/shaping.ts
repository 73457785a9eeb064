/** What takes marked packets past our rules, as it is set up: flow offload. What reads the marks is `observe/shapers.ts`'s. */
import type { Host, Reading } from '../../host/host.ts';
import type { Facts } from '../../observe/facts.ts';
import { boolean } from '../../observe/firewall.ts';
import { answered, orElse, understood } from '../../observe/reading.ts';
import { optionOf, parseUci } from '../../languages/uci/parse.ts';
import type { Offload } from '../facts.ts';
import { OFFLOAD_COMMENT } from '../own.ts';

const FORWARD = ['nft', '-a', 'list', 'chain', 'inet', 'fw4', 'forward'];

export async function observeOffload(host: Host, facts: Facts): Promise<Reading<Offload>> {
  const { uci } = facts.firewall;
  const firewall = orElse(facts.system.firewall, 'fw4');
  const read = understood(uci, ({ text }): Offload => {
    const defaults = parseUci(text).sections.find(({ type }) => type === 'defaults');
    const on = (option: string): boolean => defaults !== undefined && boolean(firewall, optionOf(defaults, option), false) === true;
    const software = on('flow_offloading');
    return { software, hardware: software && on('flow_offloading_hw'), forward: null };
  });
  // Rules of ours may be left from when it was on.
  if (read.state !== 'present' || firewall !== 'fw4' || !orElse(facts.nft, null)?.present.includes('inet fw4 forward')) return read;
  return understood(answered(await host.run(FORWARD)), (text) => {
    const lines = text.split('\n');
    const rules = lines.flatMap((line) =>
      line.includes(OFFLOAD_COMMENT) ? [{ handle: Number(/# handle (\d+)$/.exec(line)?.[1]), rule: line.trim() }] : [],
    );
    const flow = lines.findIndex((line) => /^\s*(meta l4proto .*)?flow (add|offload) @/.test(line));
    const late = flow >= 0 && lines.slice(flow).some((line) => line.includes(OFFLOAD_COMMENT));
    return { ...read.value, forward: { rules, loaded: flow >= 0, late } };
  });
}
