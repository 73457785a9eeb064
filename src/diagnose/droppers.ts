/** Rules of the firewall that drop audio: whom they would meet, and whether they drop as fast as audio comes. Pure. */
import type { Line } from '../words/say.ts';
import { say } from '../words/say.ts';
import { unknown } from './cause.ts';
import type { Fix, Outcome } from './cause.ts';
import { audioOf, droppedRate, fromPhones, isInside, meets, peersOf, shown, shownRule, valueOf } from './look.ts';
import type { Look } from './look.ts';
import type { CallFlow, DropRule } from '../observe/calls/facts.ts';

/** Packets a second that tell of audio: half of what one call sends at 20 ms a packet (RFC 3551). */
export const AUDIO_RATE = 10;

/** Rules that drop as fast as audio comes what they would meet of it. */
export const dropping = (look: Look, way: 'in' | 'out'): { rule: DropRule; flow: CallFlow | null }[] =>
  droppers(look, way).filter(({ rule }) => (droppedRate(look, rule) ?? 0) >= AUDIO_RATE);

/**
 * Rules with a count that meet the answers of an audio flow, before or after translation, or what the phone sends. What they have
 * counted may be something else, from the same places: only at what rate they count now tells.
 */
function droppers(look: Look, way: 'in' | 'out'): { rule: DropRule; flow: CallFlow | null }[] {
  const rules = (valueOf(look.calls.drops) ?? []).filter(({ packets, limits }) => packets !== null && packets > 0 && !limits);
  const flows = audioOf(look);
  return rules.flatMap((rule): { rule: DropRule; flow: CallFlow | null }[] => {
    const met = flows.find((flow) =>
      way === 'in'
        ? [
            {
              source: flow.replySource,
              sourcePort: flow.destinationPort,
              destination: flow.replyDestination,
              destinationPort: flow.replyPort,
            },
            { source: flow.destination, sourcePort: flow.destinationPort, destination: flow.source, destinationPort: flow.sourcePort },
          ].some((packet) => meets(rule, packet) && narrowsAudio(rule))
        : meets(rule, flow) && narrowsAudio(rule),
    );
    if (met !== undefined) return [{ rule, flow: met }];
    if (way === 'in' || !narrowsAudio(rule)) return [];
    // No flow comes about where the first packet is dropped: whoever signals is met as whoever sends audio to the same places.
    const phone = fromPhones(look).find(
      ({ source, destination }) =>
        meets(rule, { source, sourcePort: null, destination: peersOf(look).length === 1 ? destination : source, destinationPort: null })
        || meets(rule, { source, sourcePort: null, destination, destinationPort: null }),
    );
    return phone === undefined || !isOutward(rule, look) ? [] : [{ rule, flow: null }];
  });
}

/** Where a rule would meet audio, and it was not looked at what it drops now; null where none would, or it was. */
export function unproven(look: Look, way: 'in' | 'out'): Outcome | null {
  const first = droppers(look, way).find(({ rule }) => droppedRate(look, rule) === null);
  return first === undefined
    ? null
    : unknown(
        say('rule-unproven', '{rule}, and whether that was audio is not known', { rule: shownRule(look, first.rule) }),
        say('tell-in-call', 'look while a call runs: `sipalg diagnose one-way-audio`'),
      );
}

/** A rule for signalling alone is no rule for audio. */
const narrowsAudio = ({ asks }: DropRule): boolean =>
  !asks.some(
    ({ of, not, values }) =>
      (of === 'destination port' || of === 'source port') && !not && values.every((one) => one === '5060' || one === '5061'),
  );

/** It names somebody inside as the sender, or somebody outside as whom it is sent to, or ports where only phones send to. */
const isOutward = ({ asks, chain }: DropRule, look: Look): boolean =>
  asks.some(({ of, values }) => of === 'source' && values.some((one) => isInside(look, one.split('/')[0] ?? '')))
  || asks.some(({ of, values }) => of === 'destination' && values.some((one) => !isInside(look, one.split('/')[0] ?? '')))
  || /lan/.test(chain);

export const evidenceOf = (look: Look, all: { rule: DropRule; flow: CallFlow | null }[]): Line[] =>
  all
    .slice(0, 3)
    .flatMap(({ rule, flow }) => [
      shownRule(look, rule),
      ...(flow === null ? [] : [say('rule-meets', 'it meets {flow}', { flow: shown(flow) })]),
    ]);

export const ruleFix = ({ tool, family, table, chain, handle }: DropRule): Fix => ({
  command: tool === undefined ? `nft -a list chain ${family} ${table} ${chain}` : `${tool} -t ${table} -nvL ${chain} --line-numbers`,
  then: say('fix-then-rule', 'then take out rule {handle} where it was written', { handle }),
});
