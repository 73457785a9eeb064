/** What the messages that a mirror got prove. Pure. */
import { sameAddress } from '../../languages/address/special.ts';
import { BEYOND_ALONE, elsewhere, placeOf } from '../provider/judge.ts';
import type { Here } from '../provider/result.ts';
import type { MirrorProbe, Tried } from './result.ts';

const named = (all: readonly Tried[]): string =>
  [...new Set(all.map(({ name, over, family }) => `${name} (${over.toUpperCase()}${family === 'ipv6' ? ', IPv6' : ''})`))].join(', ');

/** Fields that were changed, as people call them, the most frequent first. */
export function fieldsOf(tried: readonly Tried[]): string[] {
  const counts = new Map<string, number>();
  for (const { changes } of tried) {
    for (const title of new Set(changes.map(({ field, part }) => (part === '' ? field : `${field} ${part}`))))
      counts.set(title, (counts.get(title) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one).map(([title]) => title);
}

const LIMIT = 'A message over TLS cannot be read on the way, and is not tried.';

/** @param control the same at the control port */
export function judge(
  tried: readonly Tried[],
  control: readonly Tried[],
  host: string,
  here: Here,
): Pick<MirrorProbe, 'verdict' | 'where' | 'summary' | 'reasons'> {
  const from = here.kind === 'router' ? 'this router' : 'this computer';
  const of = (...fates: Tried['fate'][]): Tried[] => tried.filter(({ fate }) => fates.includes(fate));
  const [same, rewritten, dropped, unheard, lost] = [of('unchanged'), of('rewritten'), of('dropped'), of('unheard'), of('lost')];
  const reasons: string[] = [];
  const known =
    tried.find(({ over, seen, family }) => over === 'udp' && family === 'ipv4' && seen !== null) ?? tried.find(({ seen }) => seen !== null);
  const oddControl = control.filter(({ fate }) => fate === 'rewritten');
  if (rewritten.length > 0) {
    const answers = rewritten.filter(({ answer }) => answer.length > 0).length;
    reasons.push(`${rewritten.length} of ${tried.length} messages were changed on the way: ${named(rewritten)}.`);
    const fields = fieldsOf(rewritten);
    if (fields.length > 0) reasons.push(`Changed were ${fields.slice(0, 12).join(', ')}${fields.length > 12 ? ' and more' : ''}.`);
    if (answers > 0) reasons.push(`In ${answers} of them the answer was changed on the way back.`);
  }
  if (dropped.length > 0) reasons.push(`${dropped.length} did not arrive, while the same text at the control port did: ${named(dropped)}.`);
  if (unheard.length > 0)
    reasons.push(`Of ${unheard.length} the answer did not come back where it was SIP, and did where it was not: ${named(unheard)}.`);
  if (oddControl.length > 0) reasons.push('The message at the control port was changed too: what does it looks at every port.');
  if (lost.length > 0) reasons.push(`Of ${lost.length} nothing is known, for nothing came of them at either port: ${named(lost)}.`);
  if (known !== undefined) {
    reasons.push(
      sameAddress(known.seen!.address, known.local.address)
        ? `No address is translated on the way (${known.local.address} was seen), so an ALG has little to edit.`
        : `The mirror saw ${known.seen!.address} where this machine has ${known.local.address}: the address was translated.`,
    );
  }
  const touched = rewritten.length + dropped.length + unheard.length + oddControl.length;
  if (touched > 0) {
    const { where, says } = placeOf(here);
    reasons.push(says, LIMIT);
    const verdict = rewritten.length + oddControl.length > 0 ? 'rewritten' : 'dropped';
    const does = verdict === 'rewritten' ? 'edits SIP' : 'drops messages of SIP';
    return { verdict, where, summary: `A SIP ALG between ${from} and ${host} ${does}.`, reasons };
  }
  if (same.length === 0 || !same.some(({ name, over }) => name === 'invite' && over === 'udp')) {
    const says = [...tried, ...control].every(({ fate }) => fate === 'lost')
      ? 'Nobody answered as a mirror at either port: is `sipalg mirror` running there, and does its firewall let both ports in?'
      : 'The message that matters most, an INVITE over UDP, did not come through at either port.';
    return {
      verdict: 'inconclusive',
      where: null,
      summary: `Whether a SIP ALG stands between ${from} and ${host} could not be told.`,
      reasons: [says, ...reasons],
    };
  }
  if (here.kind === 'router' && here.alg !== 'off') reasons.push(BEYOND_ALONE);
  return {
    verdict: 'unchanged',
    where: null,
    summary: `SIP passes unchanged between ${from} and ${host}: ${same.length} messages arrived as they were sent, and so did the answers.`,
    reasons: [...reasons, ...elsewhere(tried[0]!.port), LIMIT],
  };
}
