/** What `probe --provider` and `probe --mirror` found, for people. */
import type { Change, MirrorProbe, Tried } from '../probe/mirror/result.ts';
import type { ProviderProbe, Reach } from '../probe/provider/result.ts';
import { english, putLine } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import { COLUMNS, folded } from './fold.ts';

/** A paragraph within the width, its first line behind `mark`, the others under its words. */
const paragraph = (text: string, mark: string, width: number): string => `${folded(mark + text, width, mark.length)}\n`;

const MARKS = { unchanged: '+', rewritten: '!', dropped: '!', inconclusive: '?' } as const;

interface Words {
  put: Put;
  width: number;
}

function head(
  { verdict, summary, reasons }: { verdict: keyof typeof MARKS; summary: Said; reasons: readonly Line[] },
  { put, width }: Words,
): string {
  const lines = reasons.map((reason) => paragraph(putLine(put, reason), `    ${MARKS[verdict]} `, width));
  return `\n${paragraph(put(summary), '  ', width)}\n${lines.join('')}`;
}

function reachLine({ over, server, says, certificate }: Reach, { put, width }: Words): string {
  const address = server === null ? '' : `${server.address.includes(':') ? `[${server.address}]` : server.address}:${server.port}`;
  const flaw =
    certificate == null
      ? ''
      : ` ${put(say('reach-certificate', 'Its certificate is not good for the name ({because}).', { because: certificate }))}`;
  return paragraph(`${put(says)}${flaw}`, `    ${over.toUpperCase().padEnd(4)} ${address.padEnd(22)} `, width);
}

export function providerText(probe: ProviderProbe, put: Put = english, width = COLUMNS): string {
  const words = { put, width };
  const { reach, reachByFamily, sourcePort, fragments, binding, messages, provider } = probe;
  const isTold = ({ over, server }: Reach): boolean =>
    reach.some((one) => one.over === over && one.server?.address === server?.address && one.server?.port === server?.port);
  const all = [...reach, ...reachByFamily.filter((one) => !isTold(one))];
  const found = provider.failures.map((failure) => paragraph(`${put(undefined, failure)}.`, '    ? ', width)).join('');
  const rows: [Said, Said][] = [
    [say('far-port', 'port'), sourcePort.says],
    [say('far-length', 'length'), fragments.says],
    [say('far-silence', 'silence'), binding.says],
  ];
  const widest = Math.max(...rows.map(([name]) => put(name).length));
  return (
    head(probe, words)
    + `\n  ${put(say('far-reached', 'Reached by'))}\n${all.map((one) => reachLine(one, words)).join('')}${found}`
    + `\n  ${put(say('far-over-udp', 'Over UDP'))}\n`
    + rows.map(([name, says]) => paragraph(put(says), `    ${put(name).padEnd(widest)}  `, width)).join('')
    + `\n  ${put(say('far-sent-as', '{messages} messages were sent, as sipalg-probe.', { messages }))}\n`
  );
}

function title({ field, part, at, change }: Change, put: Put): string {
  const which = at > 1 && !field.startsWith('SDP') ? ` ${at}` : '';
  const how =
    change === 'added'
      ? ` (${put(say('change-added', 'added'))})`
      : change === 'removed'
        ? ` (${put(say('change-removed', 'taken out'))})`
        : '';
  return `${field}${which}${part === '' ? '' : ` ${part}`}${how}`;
}

/** Values are somebody's own text: what is too long for a line has one for each. */
function changeLines(changes: readonly Change[], { put, width }: Words): string {
  return changes
    .map((change) => {
      const name = `        ${title(change, put).padEnd(24)}`;
      const [before, after] = [change.before ?? '-', change.after ?? '-'];
      const line = `${name} ${before} -> ${after}`;
      return line.length <= width ? `${line}\n` : `${name.trimEnd()}\n           ${before}\n        -> ${after}\n`;
    })
    .join('');
}

const FATES: Readonly<Record<Tried['fate'], Said>> = {
  unchanged: say('fate-unchanged', 'unchanged'),
  rewritten: say('fate-changed', 'CHANGED'),
  dropped: say('mark-dropped', 'DROPPED'),
  unheard: say('fate-unheard', 'NO ANSWER'),
  lost: say('fate-unknown', 'unknown'),
};

/** What happened to a message, whatever its ports were. */
const shapeOf = ({ fate, changes, answer }: Tried): string =>
  JSON.stringify([
    fate,
    ...[changes, answer].map((list) =>
      list.map((change) => [title(change, english), change.change, portless(change.before), portless(change.after)]),
    ),
  ]);
const portless = (text: string | null): string | null => text?.replace(/:\d+$/, '') ?? null;

function nameOf({ name, over, family }: Tried, put: Put): string {
  const how = over === 'tcp' ? put(say('told-over', ' over {transport}', { transport: 'TCP' })) : '';
  return `${name}${how}${family === 'ipv6' ? ' (IPv6)' : ''}`;
}

/** Messages that met with the very same are told once, with the values of the first. */
export function mirrorText(probe: MirrorProbe, put: Put = english, width = COLUMNS): string {
  const words = { put, width };
  const groups = new Map<string, Tried[]>();
  for (const tried of probe.tried) {
    const shape = shapeOf(tried);
    groups.set(shape, [...(groups.get(shape) ?? []), tried]);
  }
  const widest = Math.max(...Object.values(FATES).map((fate) => put(fate).length));
  const rows = [...groups.values()].map((group) => {
    const [first] = group as [Tried];
    const size =
      group.length === 1 && first.arrived !== null && first.arrived !== first.size
        ? put(say('far-became', ' ({size} bytes became {arrived})', { size: first.size, arrived: first.arrived }))
        : '';
    const what = group.length === 1 ? ` - ${putLine(put, first.what)}` : '';
    const back =
      first.answer.length > 0 ? `      ${put(say('far-back', 'in the answer, on the way back'))}\n${changeLines(first.answer, words)}` : '';
    const names = group.map((one) => nameOf(one, put)).join(', ');
    const line = paragraph(`${names}${what}${size}`, `    ${put(FATES[first.fate]).padEnd(widest)} `, width);
    return `${line}${changeLines(first.changes, words)}${back}`;
  });
  const { port, control } = probe.mirror;
  const list =
    rows.length === 0 ? '' : `\n  ${put(say('far-at-port', 'At port {port} (control: {control})', { port, control }))}\n${rows.join('')}`;
  return `${head(probe, words)}${list}\n  ${put(say('far-sent', '{messages} messages were sent.', { messages: probe.messages }))}\n`;
}
