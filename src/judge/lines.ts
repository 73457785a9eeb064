/** SIP of phones that goes over another line than new calls, where its owner wishes it back. Loaded where a plan is. */
import type { Facts, LineFacts } from '../observe/facts.ts';
import { orElse } from '../observe/reading.ts';
import { say } from '../words/say.ts';
import { finding, shown } from './evidence.ts';
import type { Finding } from './verdict.ts';

/**
 * The flows, where that is to be mended: once for each change of the line, for a rule of the owner's may send them there again.
 * null: nothing is to be done. One whose address some rule gives is where it belongs.
 */
export function flowsElsewhere(facts: Facts): { line: string; flows: LineFacts['flows'] } | null {
  const lines = facts.lines === undefined ? null : orElse<LineFacts | null>(facts.lines, null);
  if (lines === null || lines.line === lines.before) return null;
  const sources = orElse(facts.nft, null)?.sources ?? [];
  const flows = lines.flows.filter(({ replyDestination }) => !sources.includes('') && !sources.includes(replyDestination));
  return flows.length === 0 && lines.before === null ? null : { line: lines.line, flows };
}

export function lineFindings(facts: Facts): Finding[] {
  const { lines } = facts;
  if (lines === undefined) return [];
  if (lines.state !== 'present') {
    // Without a way to the internet there is nothing to bring back.
    if (lines.state === 'absent' && !lines.source.startsWith('conntrack')) return [];
    const sentence =
      lines.state === 'failed'
        ? say(
            'lines-unseen',
            'SIP is not brought back to the main line (`option failback`), for it cannot be seen which one it takes: {because}.',
            { because: say('lines-unread', '{what} could not be read: {because}', { what: lines.source, because: lines.because }) },
          )
        : say(
            'lines-unseen-conntrack',
            'SIP is not brought back to the main line (`option failback`), for it cannot be seen which one it takes: '
              + 'the package conntrack is not installed.',
          );
    return [finding('lines-unseen', 'risk', sentence, [lines.source])];
  }
  const found = flowsElsewhere(facts);
  if (found === null || found.flows.length === 0) return [];
  const sentence = say(
    'flow-elsewhere',
    '{flows} SIP {flows:flow|flows} of phones still {flows:goes|go} over another line than {line}, which new calls take. '
      + '`sipalg apply` brings {flows:it|them} back.',
    { flows: found.flows.length, line: found.line },
  );
  const evidence = found.flows.map(({ protocol, source, sourcePort, destination, destinationPort, by }) =>
    say('flow-over', '{source}: {flow}, over {line}', {
      source: lines.source,
      flow: `${protocol} ${source}:${sourcePort} -> ${destination}:${destinationPort}`,
      line: by,
    }),
  );
  return [finding('flow-elsewhere', 'risk', sentence, shown(evidence))];
}
