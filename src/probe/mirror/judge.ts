/** What the messages that a mirror got prove. Pure. */
import { sameAddress } from '../../languages/address/special.ts';
import { BEYOND_ALONE, elsewhere, placeOf } from '../provider/judge.ts';
import type { Here } from '../provider/result.ts';
import type { MirrorProbe, Tried } from './result.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

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

const LIMIT = say('limit-tls', 'A message over TLS cannot be read on the way, and is not tried.');

/** @param control the same at the control port */
export function judge(
  tried: readonly Tried[],
  control: readonly Tried[],
  host: string,
  here: Here,
): Pick<MirrorProbe, 'verdict' | 'where' | 'summary' | 'reasons'> {
  const from = here.kind === 'router' ? say('from-router', 'this router') : say('from-computer', 'this computer');
  const of = (...fates: Tried['fate'][]): Tried[] => tried.filter(({ fate }) => fates.includes(fate));
  const [same, rewritten, dropped, unheard, lost] = [of('unchanged'), of('rewritten'), of('dropped'), of('unheard'), of('lost')];
  const reasons: Said[] = [];
  const known =
    tried.find(({ over, seen, family }) => over === 'udp' && family === 'ipv4' && seen !== null) ?? tried.find(({ seen }) => seen !== null);
  const oddControl = control.filter(({ fate }) => fate === 'rewritten');
  if (rewritten.length > 0) {
    const answers = rewritten.filter(({ answer }) => answer.length > 0).length;
    reasons.push(
      say('mirror-changed', '{changed} of {tried} messages were changed on the way: {names}.', {
        changed: rewritten.length,
        tried: tried.length,
        names: named(rewritten),
      }),
    );
    const fields = fieldsOf(rewritten);
    if (fields.length > 0)
      reasons.push(
        fields.length > 12
          ? say('mirror-fields-more', 'Changed were {fields} and more.', { fields: fields.slice(0, 12).join(', ') })
          : say('mirror-fields', 'Changed were {fields}.', { fields: fields.join(', ') }),
      );
    if (answers > 0) reasons.push(say('mirror-answers', 'In {answers} of them the answer was changed on the way back.', { answers }));
  }
  if (dropped.length > 0)
    reasons.push(
      say('mirror-dropped', '{dropped} did not arrive, while the same text at the control port did: {names}.', {
        dropped: dropped.length,
        names: named(dropped),
      }),
    );
  if (unheard.length > 0)
    reasons.push(
      say('mirror-unheard', 'Of {unheard} the answer did not come back where it was SIP, and did where it was not: {names}.', {
        unheard: unheard.length,
        names: named(unheard),
      }),
    );
  if (oddControl.length > 0)
    reasons.push(say('mirror-control-changed', 'The message at the control port was changed too: what does it looks at every port.'));
  if (lost.length > 0)
    reasons.push(
      say('mirror-lost', 'Of {lost} nothing is known, for nothing came of them at either port: {names}.', {
        lost: lost.length,
        names: named(lost),
      }),
    );
  if (known !== undefined) {
    reasons.push(
      sameAddress(known.seen!.address, known.local.address)
        ? say('mirror-untranslated', 'No address is translated on the way ({address} was seen), so an ALG has little to edit.', {
            address: known.local.address,
          })
        : say('mirror-translated', 'The mirror saw {seen} where this machine has {own}: the address was translated.', {
            seen: known.seen!.address,
            own: known.local.address,
          }),
    );
  }
  const touched = rewritten.length + dropped.length + unheard.length + oddControl.length;
  if (touched > 0) {
    const { where, says } = placeOf(here);
    reasons.push(says, LIMIT);
    const verdict = rewritten.length + oddControl.length > 0 ? 'rewritten' : 'dropped';
    const summary =
      verdict === 'rewritten'
        ? say('probe-edits', 'A SIP ALG between {from} and {host} edits SIP.', { from, host })
        : say('probe-drops', 'A SIP ALG between {from} and {host} drops messages of SIP.', { from, host });
    return { verdict, where, summary, reasons };
  }
  if (same.length === 0 || !same.some(({ name, over }) => name === 'invite' && over === 'udp')) {
    const says = [...tried, ...control].every(({ fate }) => fate === 'lost')
      ? say(
          'mirror-nobody',
          'Nobody answered as a mirror at either port: is `sipalg mirror` running there, and does its firewall let both ports in?',
        )
      : say('mirror-no-invite', 'The message that matters most, an INVITE over UDP, did not come through at either port.');
    return {
      verdict: 'inconclusive',
      where: null,
      summary: say('probe-untold', 'Whether a SIP ALG stands between {from} and {host} could not be told.', { from, host }),
      reasons: [says, ...reasons],
    };
  }
  if (here.kind === 'router' && here.alg !== 'off') reasons.push(BEYOND_ALONE);
  return {
    verdict: 'unchanged',
    where: null,
    summary: say(
      'mirror-unchanged',
      'SIP passes unchanged between {from} and {host}: {messages} messages arrived as they were sent, and so did the answers.',
      { from, host, messages: same.length },
    ),
    reasons: [...reasons, ...elsewhere(tried[0]!.port), LIMIT],
  };
}
