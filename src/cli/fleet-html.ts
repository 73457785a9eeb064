/** A fleet as one page that needs nothing beside it: figures, drawn, and the routers that need somebody, the worst first. */
import { STANDS } from '../fleet/summary.ts';
import type { Named, Stand, Summary } from '../fleet/summary.ts';
import type { ReturnAt } from '../judge/verdict.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { escaped } from './html.ts';
import { AT } from './text.ts';

const WORDS: Readonly<Record<Stand, Said>> = {
  rewriting: say('fleet-rewriting', 'a SIP ALG rewrites calls'),
  tracking: say('fleet-tracking', 'a SIP ALG watches calls'),
  'comes back': say('fleet-comes-back', 'off, but something would bring it back'),
  'not as wished': say('fleet-not-as-wished', 'off, but a wanted change is not in place'),
  unknown: say('fleet-unknown', 'could not be told'),
  trouble: say('fleet-trouble', 'off, but something needs a person'),
  unjudged: say('fleet-unjudged', 'the document could not be judged'),
  'in order': say('fleet-in-order', 'off, and nothing would bring it back'),
};

const WEIGHT: Readonly<Record<string, Said>> = {
  alarm: say('fleet-alarm', 'alarm'),
  trouble: say('fleet-weight-trouble', 'trouble'),
  risk: say('fleet-risk', 'risk'),
};

const CLASS: Readonly<Record<Stand, string>> = {
  rewriting: 'a',
  tracking: 'b',
  'comes back': 'c',
  'not as wished': 'd',
  unknown: 'e',
  trouble: 'f',
  unjudged: 'g',
  'in order': 'h',
};

/** Of one way in which a router may stand. */
const colour = (name: string): string =>
  `svg .${name} { fill: var(--${name}) } td.${name} { border-left: .35rem solid var(--${name}); padding-left: .6rem }`;

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1c1e; --back: #fff; --soft: #6b6b70; --line: #c9c9ce;
  --a: #9c1c14; --b: #c9472f; --c: #d98324; --d: #c9a227; --e: #7a6fb0; --f: #4f7fb5; --g: #8a8a90; --h: #2f8a4c }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --back: #17171a; --soft: #a5a5ad; --line: #45454c;
  --a: #ff6b5e; --b: #ff9472; --c: #ffb75c; --d: #ffdd66; --e: #b7adf0; --f: #86b9f2; --g: #a5a5ad; --h: #6fd08c } }
body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--back) }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2.5rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word } td.wide { min-width: 10rem }
td.number, th.number { font-variant-numeric: tabular-nums }
ul { margin: 0; padding-left: 1.1rem } li { overflow-wrap: anywhere } p.soft, .soft { color: var(--soft) } abbr { text-decoration: none }
svg { width: 100%; height: 2.2rem; display: block } .bar svg { height: 1.1rem }
.legend { list-style: none; padding: 0; margin: .8rem 0 } .legend svg { display: inline-block; width: .9rem; height: .9rem;
  margin-right: .5rem; vertical-align: -.1rem } .names { overflow-wrap: anywhere }
.names > * { display: inline-block; max-width: 100% } td.bar { width: 45%; min-width: 8rem }
${[...'abcdefgh'].map(colour).join('\n')}
@media (max-width: 64rem) { table, tbody, tr, td { display: block } thead { position: absolute; display: block; width: 1px;
  height: 1px; overflow: hidden; clip-path: inset(50%) } th { display: block; width: 1px; overflow: hidden }
  td { border: 0; min-width: 0 } td.bar { width: auto } code { overflow-wrap: anywhere }
  tr { border-bottom: 1px solid var(--line); padding: .3rem 0 }
  td[data-name]::before { content: attr(data-name) ': '; color: var(--soft) } td:empty { display: none } }
@media print { body { margin: 0; max-width: none } tr { break-inside: avoid } h2 { break-after: avoid } }
`;

/** In groups of three digits; not every engine has Intl. */
const grouped = (number: number): string => String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f');

function share(part: number, all: number): string {
  return all === 0 ? '' : ` (${((part / all) * 100).toFixed(part / all < 0.1 ? 1 : 0)} %)`;
}

/** A number of routers; it is told in groups, and the form of the word goes with it. */
const routersSaid = (routers: number): Said =>
  say('fleet-routers', '{number} {count:router|routers}', { number: grouped(routers), count: routers });

const WIDTH = 1000;

/** One bar whose parts are how many stand so; each part says what it is to who points at it. */
function bar(stands: Record<Stand, number>, all: number, width: number, put: Put): string {
  let from = 0;
  const drawn = STANDS.map((stand) => {
    const wide = all === 0 ? 0 : (stands[stand] / all) * width;
    const begin = from;
    from += wide;
    if (wide === 0) return '';
    const title = `<title>${escaped(`${put(routersSaid(stands[stand]))}: ${put(WORDS[stand])}`)}</title>`;
    const place = `x="${begin.toFixed(1)}" y="0" width="${Math.max(wide, 1).toFixed(1)}" height="10"`;
    return `<rect class="${CLASS[stand]}" ${place}>${title}</rect>`;
  });
  const words = STANDS.filter((stand) => stands[stand] > 0).map((stand) => `${put(routersSaid(stands[stand]))}: ${put(WORDS[stand])}`);
  const label = escaped(words.join('; '));
  return `<svg viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" role="img" aria-label="${label}">${drawn.join('')}</svg>`;
}

/** All routers in one bar, and beneath it what each colour is, in lines that a telephone can wrap. */
function overview({ stands, routers }: Summary, put: Put): string {
  const rows = STANDS.filter((stand) => stands[stand] > 0).map((stand) => {
    const words = `${put(routersSaid(stands[stand]))}${share(stands[stand], routers)}: ${put(WORDS[stand])}`;
    const box = `<svg viewBox="0 0 10 10" aria-hidden="true"><rect class="${CLASS[stand]}" width="10" height="10"/></svg>`;
    return `<li>${box}${escaped(words)}</li>`;
  });
  return `${bar(stands, routers, WIDTH, put)}<ul class="legend">${rows.join('')}</ul>`;
}

const MOST_RELEASES = 20;
const MOST_FINDINGS = 20;

interface Cell {
  html: string;
  kind?: string;
}

/** A table whose cells name their column where there is no room for columns; drawn as blocks then, it is one by its roles. */
function table(title: Said, columns: readonly Said[], rows: readonly (readonly Cell[])[], put: Put): string {
  const names = columns.map((said) => escaped(put(said)));
  const head = names.map((name) => `<th role="columnheader">${name}</th>`).join('');
  const body = rows.map((cells) => {
    const all = cells.map(
      ({ html, kind = '' }, at) => `<td role="cell" class="${kind}" data-name="${names[at]}">${html}</td>`,
    );
    return `<tr role="row">${all.join('')}</tr>`;
  });
  const name = escaped(put(title));
  return (
    `<h2>${name}</h2><table role="table" aria-label="${name}"><thead role="rowgroup"><tr role="row">${head}</tr></thead>`
    + `<tbody role="rowgroup">\n${body.join('\n')}\n</tbody></table>`
  );
}

const ROUTERS = say('fleet-column-routers', 'Routers');

function drawnReleases({ releases }: Summary, put: Put): string {
  const most = Math.max(1, ...releases.map(({ routers }) => routers));
  const rows = releases.slice(0, MOST_RELEASES).map(({ release, routers, stands }): Cell[] => [
    { html: escaped(release) },
    { html: bar(stands, routers, (routers / most) * WIDTH, put), kind: 'bar' },
    { html: grouped(routers), kind: 'number' },
  ]);
  const rest = releases.length - rows.length;
  const columns = [say('fleet-release', 'Release'), say('fleet-drawn', 'How they stand'), ROUTERS];
  return (
    table(say('fleet-by-release', 'By release'), columns, rows, put)
    + (rest > 0 ? `<p class="soft">${escaped(put(say('fleet-more-releases', 'Not drawn: {count} more.', { count: rest })))}</p>` : '')
  );
}

function findingRows({ findings, routers }: Summary, put: Put): string {
  const rows = findings.slice(0, MOST_FINDINGS).map(({ code, weight, text, routers: having }): Cell[] => [
    { html: `${grouped(having)}${share(having, routers)}`, kind: 'number' },
    { html: escaped(put(WEIGHT[weight] as Said)) },
    { html: escaped(text), kind: 'wide' },
    { html: `<code>${escaped(code)}</code>` },
  ]);
  const columns = [ROUTERS, say('fleet-weight', 'Weight'), say('fleet-example', 'For example'), say('fleet-finding', 'Finding')];
  return table(say('fleet-found', 'What was found'), columns, rows, put);
}

const listed = (sentences: readonly string[]): string =>
  sentences.length === 0 ? '' : `<ul>${sentences.map((one) => `<li>${escaped(one)}</li>`).join('')}</ul>`;

const when = (at: string, put: Put): string => (Object.hasOwn(AT, at) ? put(AT[at as ReturnAt]) : at);

/** Short, for a fleet has the same few reasons many times; each is shown to who points at it. */
const moments = (returns: Named['returns'], put: Put): string =>
  returns.map(({ at, because }) => `<abbr title="${escaped(because)}">${escaped(when(at, put))}</abbr>`).join(', ');

const moment = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 16);

function members({ members: some, routers }: Named, put: Put): string {
  const names = some.map(({ line, router, release, at }) => {
    const about = [...(release === null ? [] : [release]), ...(at === null ? [] : [`${moment(at)} UTC`])].join(', ');
    const name = escaped(router ?? put(say('fleet-line', 'line {line}', { line })));
    return about === '' ? `<span>${name}</span>` : `<abbr title="${escaped(about)}">${name}</abbr>`;
  });
  const rest = routers - some.length;
  const more = rest > 0 ? ` ${escaped(put(say('fleet-more-routers', 'and {count} more', { count: grouped(rest) })))}` : '';
  const count = routers === 1 ? '' : `<b>${escaped(put(routersSaid(routers)))}</b>: `;
  return `${count}<span class="names">${names.join(', ')}${more}</span>`;
}

function worstFirst({ worst, unnamed }: Summary, put: Put): string {
  if (worst.length === 0) return '';
  const rows = worst.map((group): Cell[] => [
    { html: escaped(group.says), kind: `wide ${CLASS[group.stand]}` },
    { html: members(group, put), kind: 'wide' },
    { html: moments(group.returns, put) },
    { html: listed(group.decide) },
    { html: group.wish ?? '' },
  ]);
  const columns = [
    say('fleet-stands', 'How it stands'),
    ROUTERS,
    say('fleet-back', 'Would bring it back'),
    say('fleet-decide', 'To decide'),
    say('fleet-wish', 'Wish'),
  ];
  const rest = say('fleet-unnamed', '{number} more {count:router|routers} not in order {count:is|are} not named here.', {
    number: grouped(unnamed),
    count: unnamed,
  });
  return (
    table(say('fleet-worst', 'What needs somebody, the worst first'), columns, rows, put)
    + (unnamed > 0 ? `<p class="soft">${escaped(put(rest))}</p>` : '')
  );
}

function headline({ routers, stands }: Summary): Said[] {
  if (routers === 0) return [say('fleet-empty', 'No router was given.')];
  const on = stands.rewriting + stands.tracking;
  const blind = stands.unknown + stands.unjudged;
  const rest = routers - on - blind - stands['in order'];
  return [
    say('fleet-head', '{routers}: {number} in order.', { routers: routersSaid(routers), number: grouped(stands['in order']) }),
    on > 0
      ? say('fleet-head-on', 'On {number} a SIP ALG touches calls.', { number: grouped(on) })
      : blind === 0
        ? say('fleet-head-none', 'No SIP ALG touches calls on any of them.')
        : say('fleet-head-none-told', 'On none that could be told a SIP ALG touches calls.'),
    ...(rest === 0
      ? []
      : [say('fleet-head-rest', 'On {number} it is off, but not for good or not as wished.', { number: grouped(rest) })]),
    ...(blind === 0 ? [] : [say('fleet-head-blind', 'Of {number} it could not be told.', { number: grouped(blind) })]),
  ];
}

/** @param now milliseconds since the epoch */
export function fleetHtml(summary: Summary, version: string, now: number, put: Put): string {
  const { from, to, returns, findings, releases, routers } = summary;
  const sentence = (said: Said): string => escaped(put(said));
  const looked =
    from === null || to === null
      ? ''
      : `${sentence(say('fleet-looked', 'Looked at between {from} and {to} UTC.', { from: moment(from), to: moment(to) }))} `;
  const parts = returns.map(({ at, routers: having }) =>
    say('fleet-back-on', '{at} on {routers}', { at: when(at, put), routers: routersSaid(having) }),
  );
  const back = parts.length === 0 ? '' : `<p>${sentence(say('fleet-back-by', 'What would bring it back: {parts}.', { parts }))}</p>`;
  const title = sentence(say('fleet-title', 'SIP ALG: {routers}', { routers: routersSaid(routers) }));
  return `<!doctype html>
<html lang="${sentence(say('language', 'en'))}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${STYLE}</style></head><body>
<h1>${title}</h1>
<p>${headline(summary).map(sentence).join(' ')}</p>
${routers === 0 ? '' : overview(summary, put)}
<p class="soft">${looked}${sentence(say('fleet-written', 'Written {at} UTC by sipalg {version}.', { at: moment(now), version }))}</p>
${back}
${worstFirst(summary, put)}
${findings.length === 0 ? '' : findingRows(summary, put)}
${releases.length === 0 ? '' : drawnReleases(summary, put)}
</body></html>
`;
}
