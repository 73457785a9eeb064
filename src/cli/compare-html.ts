/** A comparison as one page that needs nothing beside it: no script, no file, no network; light, dark and on paper. */
import type { Call, Comparison, Row } from '../compare/comparison.ts';
import type { Difference } from '../compare/difference.ts';
import { english } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { figures, nameOf } from './compare-text.ts';
import { escaped } from './html.ts';

export const STYLE = `
:root { color-scheme: light dark; --ink: #1c1c1e; --back: #fff; --soft: #6b6b70; --line: #c9c9ce; --alarm: #b3261e;
  --mild: #8a5a00; --fine: #1e6b34; --box: #f4f4f6 }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --back: #17171a; --soft: #a5a5ad; --line: #45454c;
  --alarm: #ff8a80; --mild: #ffcc66; --fine: #7bd88f; --box: #222226 } }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--back) }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2.5rem; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line) }
td, tbody th { overflow-wrap: anywhere } td.number { overflow-wrap: normal }
code, td.value { font-family: ui-monospace, monospace; font-size: .85rem }
.answer { font-size: 1.15rem; border-left: .3rem solid var(--fine); padding-left: 1rem }
  .answer.changed, .answer.trouble { border-color: var(--alarm) }
.support { background: var(--box); padding: 1rem; border-radius: .4rem } .soft { color: var(--soft) }
svg { width: 100%; height: auto; display: block } svg text { font: 12px ui-monospace, monospace; fill: var(--ink) }
svg .soft { fill: var(--soft) } svg .life { stroke: var(--line); stroke-width: 1 } svg .way { stroke: var(--ink);
  stroke-width: 1.4; fill: none }
svg .changed { stroke: var(--mild) } svg .dropped { stroke: var(--alarm) } svg text.changed { fill: var(--mild); stroke: none }
  svg text.dropped { fill: var(--alarm); stroke: none }
svg polygon.way { fill: var(--ink) } svg polygon.changed { fill: var(--mild) }
ol.ladder { font-size: .9rem; padding-left: 2rem } ol.ladder .changed { color: var(--mild) } ol.ladder .dropped { color: var(--alarm) }
@media screen and (min-width: 44.001rem) { ol.ladder { position: absolute; width: 1px; height: 1px; margin: 0; padding: 0;
  overflow: hidden; clip-path: inset(50%) } }
@media screen and (max-width: 44rem) { body { margin: 1rem auto } svg { display: none }
  table, tbody, tr, th, td { display: block } thead { position: absolute; clip-path: inset(50%) }
  tr { border-bottom: 1px solid var(--line); padding: .3rem 0 } th, td { border: 0; padding: .1rem 0 }
  td[data-name]::before { content: attr(data-name) ': '; font: 14px system-ui, sans-serif; color: var(--soft) } td:empty { display: none } }
@media print { :root { color-scheme: light; --ink: #000; --back: #fff; --soft: #555; --line: #999; --alarm: #b3261e; --mild: #7a4f00;
  --fine: #1e6b34; --box: #fff } .support { border: 1px solid var(--line) } ol.ladder { display: none } tr { break-after: auto }
  h2 { break-after: avoid } body { margin: 0; max-width: none; color: #000; background: #fff } h2, svg, tr { break-inside: avoid } }
`;

/** Where the lifelines stand: phone, the router's two sides, provider. */
const X = { time: 70, phone: 80, lan: 355, wan: 385, provider: 660, end: 860 };
const STEP = 34;
/** Seconds from which on a message is shown as late. */
const LATE = 0.2;
const TOP = 60;

function way(from: number, to: number, y: number, name: string, label: string, stops: boolean): string {
  const sign = to > from ? 1 : -1;
  const head = stops
    ? `<path class="way dropped" d="M${to - 5} ${y - 5}l10 10m0 -10l-10 10"/>`
    : `<polygon class="way ${name}" points="${to},${y} ${to - 8 * sign},${y - 4} ${to - 8 * sign},${y + 4}"/>`;
  const line = `<path class="way ${name}" d="M${from} ${y}H${to}"/>${head}`;
  return `${line}<text x="${(from + to) / 2}" y="${y - 5}" text-anchor="middle">${escaped(label)}</text>`;
}

const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const FATES: Readonly<Record<Row['fate'], Said | null>> = {
  same: null,
  changed: say('drawn-changed', 'changed'),
  served: say('drawn-served', 'by a server'),
  dropped: say('drawn-dropped', 'dropped'),
  appeared: say('drawn-appeared', 'not seen going in'),
  outside: say('drawn-outside', 'not captured'),
  local: say('drawn-local', 'local'),
};

const LATE_BY = (delay: number): Said => say('drawn-late', '{seconds} s late', { seconds: delay.toFixed(1) });

function drawnRow(row: Row, index: number, put: Put): string {
  const { toProvider, what, sdp, lan, wan, fate, again, delay } = row;
  const y = TOP + 30 + index * STEP;
  const name = fate === 'changed' ? 'changed' : fate === 'dropped' ? 'dropped' : '';
  const label = short(`${what}${sdp ? ' (SDP)' : ''}`, 34);
  const lost = fate === 'dropped';
  const left =
    lan === null ? '' : toProvider ? way(X.phone, X.lan, y, lost ? name : '', label, lost) : way(X.lan, X.phone, y, name, label, false);
  const right =
    wan === null
      ? ''
      : toProvider
        ? way(X.wan, X.provider, y, name, label, false)
        : way(X.provider, X.wan, y, lost ? name : '', label, lost);
  const known = FATES[fate];
  const words = [
    ...(known === null ? [] : [put(known)]),
    ...(again ? [put(say('drawn-again', 'again'))] : []),
    ...(delay !== null && delay > LATE ? [put(LATE_BY(delay))] : []),
  ];
  return (
    `<text class="soft" x="${X.time}" y="${y + 4}" text-anchor="end">${row.time.toFixed(3)}</text>${left}${right}`
    + `<text class="${name}" x="${X.provider + 12}" y="${y + 4}">${escaped(words.join(', '))}</text>`
  );
}

/** What the drawing shows, in words: for who does not see it, and for screens on which it would be too small. */
function inWords({ rows }: Call, id: string, put: Put): string {
  const said = rows.map((row) => {
    const { time, what, sdp, toProvider, fate, again, delay } = row;
    const way = toProvider
      ? say('from-the-phone', 'from the phone to the provider')
      : say('from-the-provider', 'from the provider to the phone');
    const late = delay !== null && delay > LATE ? [put(LATE_BY(delay))] : [];
    const words = [put(IN_WORDS[fate]), ...(again ? [put(say('words-again', 'sent again'))] : []), ...late].join(', ');
    const what_ = put(sdp ? say('words-with-sdp', '{what} with SDP', { what }) : say('words-without', '{what}', { what }));
    const name = fate === 'changed' ? 'changed' : fate === 'dropped' ? 'dropped' : '';
    return `<li>${time.toFixed(3)} s: ${escaped(what_)} ${escaped(put(way))}: <span class="${name}">${escaped(words)}</span></li>`;
  });
  return `<ol class="ladder" id="${id}">${said.join('')}</ol>`;
}

const IN_WORDS: Readonly<Record<Row['fate'], Said>> = {
  same: say('words-same', 'passed unchanged'),
  changed: say('words-changed', 'changed by the router'),
  served: say('words-served', 'changed by a SIP server'),
  dropped: say('words-dropped', 'dropped on the way'),
  appeared: say('words-appeared', 'not seen going in'),
  outside: say('words-outside', 'the other side was not captured then'),
  local: say('words-local', 'stayed on its side'),
};

function drawing({ rows, inside, outside, far, kind }: Call, words: string, put: Put): string {
  const height = TOP + 40 + rows.length * STEP;
  const life = (x: number): string => `<path class="life" d="M${x} ${TOP}V${height - 10}"/>`;
  const head = (x: number, name: string, address: string | null, anchor: string): string =>
    `<text x="${x}" y="24" text-anchor="${anchor}">${name}</text><text class="soft" x="${x}" y="42" text-anchor="${anchor}">`
    + `${escaped(short(address ?? '', 40))}</text>`;
  return (
    `<svg viewBox="0 0 ${X.end} ${height}" role="img" aria-describedby="${words}" `
    + `aria-label="${escaped(put(say('ladder-of', 'Ladder of a call: {kind}, {messages} messages', { kind, messages: rows.length })))}">`
    + head(X.phone, put(say('end-phone', 'phone')), inside, 'start')
    + head((X.lan + X.wan) / 2, put(say('end-router', 'router')), outside, 'middle')
    + head(X.provider, put(say('end-provider', 'provider')), far, 'end')
    + [X.phone, X.lan, X.wan, X.provider].map(life).join('')
    + rows.map((row, index) => drawnRow(row, index, put)).join('')
    + '</svg>'
  );
}

const CHANGES: Readonly<Record<Difference['change'], Said>> = {
  translated: say('change-translated', 'address replaced'),
  port: say('change-port', 'port changed'),
  added: say('change-added', 'added'),
  removed: say('change-removed', 'taken out'),
  reordered: say('change-reordered', 'moved'),
  respelled: say('change-respelled', 'name written otherwise'),
  layout: say('change-layout', 'written otherwise'),
  length: say('change-length', 'length adapted'),
  'length-corrected': say('change-length-corrected', 'wrong length corrected'),
  'length-wrong': say('change-length-wrong', 'length made wrong'),
  cut: say('change-cut', 'cut off'),
  value: say('change-value', 'changed'),
};

/** A cell; `name` is what it says by itself where the head of the table does not fit. */
export function cell(text: string | number, kind = '', name = ''): string {
  const about = (kind === '' ? '' : ` class="${kind}"`) + (name === '' ? '' : ` data-name="${escaped(name)}"`);
  return `<td role="cell"${about}>${text}</td>`;
}

export const row = (cells: readonly string[]): string => `<tr role="row">${cells.join('')}</tr>`;

/** With its roles said, which a browser forgets where a table is shown as something else. */
export function table(name: string, heads: readonly string[], rows: readonly string[]): string {
  const head = row(heads.map((text) => `<th role="columnheader">${text}</th>`));
  return (
    `<table role="table" aria-label="${escaped(name)}"><thead role="rowgroup">${head}</thead>`
    + `<tbody role="rowgroup">${rows.join('')}</tbody></table>`
  );
}

function details({ rows, callId }: Call, put: Put): string {
  const before = put(say('detail-before', 'Before'));
  const after = put(say('detail-after', 'After'));
  const changed = rows.filter(({ differences }) => differences.length > 0);
  if (changed.length === 0) return '';
  const body = changed.flatMap(({ what, time, toProvider, differences }) => {
    const to = put(toProvider ? say('to-the-provider', 'to the provider') : say('to-the-phone', 'to the phone'));
    const head = row([`<th role="rowheader" colspan="4">${escaped(what)}, ${time.toFixed(3)} s, ${escaped(to)}</th>`]);
    const found = differences.map((each) =>
      row([
        cell(escaped(nameOf(each, put))),
        cell(escaped(each.before?.text ?? '—'), 'value', before),
        cell(escaped(each.after?.text ?? '—'), 'value', after),
        cell(
          escaped(
            each.cause === 'server'
              ? put(say('change-by-server', '{change}, by a SIP server', { change: CHANGES[each.change] }))
              : put(CHANGES[each.change]),
          ),
        ),
      ]),
    );
    return [head, ...found];
  });
  const heads = [put(say('detail-field', 'Field')), before, after, put(say('detail-what', 'What happened'))];
  return table(put(say('detail-changes', 'Changes in the call {call}', { call: callId })), heads.map(escaped), body);
}

const OMITTED = (messages: number): Said => say('call-omitted', '{messages} more messages of this call are not shown.', { messages });

/** @param level of its heading */
export function callPart(call: Call, index: number, put: Put = english, level = 2): string {
  const { callId, kind, omitted, notes } = call;
  const words = `ladder-${index + 1}`;
  const more = omitted > 0 ? `<p class="soft">${escaped(put(OMITTED(omitted)))}</p>` : '';
  const title = put(say('call-title', 'Call {number}: {kind}', { number: index + 1, kind }));
  return (
    `<section aria-labelledby="call-${index + 1}"><h${level} id="call-${index + 1}">${escaped(title)} `
    + `<code>${escaped(callId)}</code></h${level}>`
    + `${drawing(call, words, put)}${inWords(call, words, put)}${more}${details(call, put)}`
    + `${notes.map((note) => `<p>${escaped(put(note))}</p>`).join('')}</section>`
  );
}

const PAGE_TITLE = say('page-title', 'SIP on both sides of a router');

/** @param put of whoever reads it: the page is in one language */
export function comparisonPage(comparison: Comparison, version: string, put: Put = english): string {
  const { summary, paragraph, remarks, lan, wan, calls, verdict } = comparison;
  const words = (said: Said): string => escaped(put(said));
  const heads = {
    side: words(say('page-side', 'Side')),
    capture: words(say('page-capture', 'Capture')),
    messages: words(say('page-messages', 'Messages')),
    packets: words(say('page-packets', 'Packets')),
    bytes: words(say('page-bytes', 'Bytes')),
    problems: words(say('page-problems', 'Problems')),
  };
  const sides = [lan, ...(wan === null ? [] : [wan])].map(({ name, messages, packets, bytes, problems }, index) =>
    row([
      cell(wan === null ? words(say('page-both', 'both sides')) : index === 0 ? 'LAN' : 'WAN'),
      cell(escaped(name)),
      cell(messages, 'number', heads.messages),
      cell(packets, 'number', heads.packets),
      cell(bytes, 'number', heads.bytes),
      cell(problems.map((problem) => escaped(put(undefined, problem))).join('<br>')),
    ]),
  );
  const title = words(PAGE_TITLE);
  const language = words(say('language', 'en'));
  const support = words(say('page-support', 'For the support of the provider'));
  return `<!DOCTYPE html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${STYLE}</style></head><body>
<h1>${title}</h1>
<p class="answer ${verdict}">${words(summary)}</p>
${paragraph === '' ? '' : `<h2>${support}</h2><p class="support">${words(paragraph)}</p>`}
${remarks.map((remark) => `<p>${words(remark)}</p>`).join('\n')}
${table(put(say('page-captures', 'The captures')), Object.values(heads), sides)}
<p>${words(figures(comparison))}.</p>
${calls.map((call, index) => callPart(call, index, put)).join('\n')}
<p class="soft">${words(
    say('page-made', 'Made by sipalg {version}. Passwords, answers to challenges and keys are taken out.', { version }),
  )}</p>
</body></html>
`;
}
