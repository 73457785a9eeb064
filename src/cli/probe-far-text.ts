/** What `probe --provider` and `probe --mirror` found, for people. */
import type { Change, MirrorProbe, Tried } from '../probe/mirror/result.ts';
import type { ProviderProbe, Reach } from '../probe/provider/result.ts';

const WIDTH = 96;

/** A paragraph within the width, its first line behind `mark`. */
function wrapped(text: string, mark: string): string {
  const indent = ' '.repeat(mark.length);
  const lines: string[] = [];
  let line = mark;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > WIDTH && line.trim() !== '' && line !== mark) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  lines.push(line.trimEnd());
  return `${lines.join('\n')}\n`;
}

const MARKS = { unchanged: '+', rewritten: '!', dropped: '!', inconclusive: '?' } as const;

function head({ verdict, summary, reasons }: { verdict: keyof typeof MARKS; summary: string; reasons: readonly string[] }): string {
  return `\n${wrapped(summary, '  ')}\n${reasons.map((reason) => wrapped(reason, `    ${MARKS[verdict]} `)).join('')}`;
}

function reachLine({ over, server, says, certificate }: Reach): string {
  const address = server === null ? '' : `${server.address.includes(':') ? `[${server.address}]` : server.address}:${server.port}`;
  const flaw = certificate == null ? '' : ` Its certificate is not good for the name (${certificate}).`;
  return wrapped(`${says}${flaw}`, `    ${over.toUpperCase().padEnd(4)} ${address.padEnd(22)} `);
}

export function providerText(probe: ProviderProbe): string {
  const { reach, reachByFamily, sourcePort, fragments, binding, messages, provider } = probe;
  const isTold = ({ over, server }: Reach): boolean =>
    reach.some((one) => one.over === over && one.server?.address === server?.address && one.server?.port === server?.port);
  const all = [...reach, ...reachByFamily.filter((one) => !isTold(one))];
  const found = provider.failures.map((failure) => wrapped(`${failure}.`, '    ? ')).join('');
  return (
    head(probe)
    + `\n  Reached by\n${all.map(reachLine).join('')}${found}`
    + '\n  Over UDP\n'
    + wrapped(sourcePort.says, '    port     ')
    + wrapped(fragments.says, '    length   ')
    + wrapped(binding.says, '    silence  ')
    + `\n  ${messages} messages were sent, as sipalg-probe.\n`
  );
}

const title = ({ field, part, at, change }: Change): string => {
  const which = at > 1 && !field.startsWith('SDP') ? ` ${at}` : '';
  return `${field}${which}${part === '' ? '' : ` ${part}`}${change === 'added' ? ' (added)' : change === 'removed' ? ' (removed)' : ''}`;
};

function changeLines(changes: readonly Change[]): string {
  return changes.map((change) => `        ${title(change).padEnd(24)} ${change.before ?? '-'} -> ${change.after ?? '-'}\n`).join('');
}

const FATES: Readonly<Record<Tried['fate'], string>> = {
  unchanged: 'unchanged',
  rewritten: 'CHANGED',
  dropped: 'DROPPED',
  unheard: 'NO ANSWER',
  lost: 'unknown',
};

/** What happened to a message, whatever its ports were. */
const shapeOf = ({ fate, changes, answer }: Tried): string =>
  JSON.stringify([
    fate,
    ...[changes, answer].map((list) =>
      list.map((change) => [title(change), change.change, portless(change.before), portless(change.after)]),
    ),
  ]);
const portless = (text: string | null): string | null => text?.replace(/:\d+$/, '') ?? null;

function nameOf({ name, over, family }: Tried): string {
  return `${name}${over === 'tcp' ? ' over TCP' : ''}${family === 'ipv6' ? ' (IPv6)' : ''}`;
}

/** Messages that met with the very same are told once, with the values of the first. */
export function mirrorText(probe: MirrorProbe): string {
  const groups = new Map<string, Tried[]>();
  for (const tried of probe.tried) {
    const shape = shapeOf(tried);
    groups.set(shape, [...(groups.get(shape) ?? []), tried]);
  }
  const rows = [...groups.values()].map((group) => {
    const [first] = group as [Tried];
    const size =
      group.length === 1 && first.arrived !== null && first.arrived !== first.size ? ` (${first.size} bytes became ${first.arrived})` : '';
    const what = group.length === 1 ? ` - ${first.what}` : '';
    const back = first.answer.length > 0 ? `      in the answer, on the way back\n${changeLines(first.answer)}` : '';
    const line = wrapped(`${group.map(nameOf).join(', ')}${what}${size}`, `    ${FATES[first.fate].padEnd(10)} `);
    return `${line}${changeLines(first.changes)}${back}`;
  });
  const { port, control } = probe.mirror;
  const list = rows.length === 0 ? '' : `\n  At port ${port} (control: ${control})\n${rows.join('')}`;
  return `${head(probe)}${list}\n  ${probe.messages} messages were sent.\n`;
}
