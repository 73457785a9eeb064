/** SIP of phones that goes over another line than new calls, where its owner wishes it back. Loaded where a plan is. */
import type { Facts, LineFacts } from '../observe/facts.ts';
import { orElse } from '../observe/reading.ts';
import { shown } from './evidence.ts';
import { count } from './row.ts';
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
    const because =
      lines.state === 'failed' ? `${lines.source} could not be read: ${lines.because}` : 'the package conntrack is not installed';
    // Without a way to the internet there is nothing to bring back.
    return lines.state === 'absent' && !lines.source.startsWith('conntrack')
      ? []
      : [
          {
            code: 'lines-unseen',
            weight: 'risk',
            text: `SIP is not brought back to the main line (\`option failback\`), for it cannot be seen which one it takes: ${because}.`,
            evidence: [lines.source],
          },
        ];
  }
  const found = flowsElsewhere(facts);
  if (found === null || found.flows.length === 0) return [];
  const number = found.flows.length;
  return [
    {
      code: 'flow-elsewhere',
      weight: 'risk',
      text:
        `${count(number, 'SIP flow')} of phones still ${number === 1 ? 'goes' : 'go'} over another line than ${found.line}, which new `
        + `calls take. \`sipalg apply\` brings ${number === 1 ? 'it' : 'them'} back.`,
      evidence: shown(
        found.flows.map(
          ({ protocol, source, sourcePort, destination, destinationPort, by }) =>
            `${lines.source}: ${protocol} ${source}:${sourcePort} -> ${destination}:${destinationPort}, over ${by}`,
        ),
      ),
    },
  ];
}
