/** A fleet as one page that needs nothing beside it: figures, drawn, and the routers that need somebody, the worst first. */
import { STANDS } from '../fleet/summary.ts';
import type { Named, Stand, Summary } from '../fleet/summary.ts';
import { escaped } from './html.ts';

const WORDS: Readonly<Record<Stand, string>> = {
  rewriting: 'a SIP ALG rewrites calls',
  tracking: 'a SIP ALG watches calls',
  'comes back': 'off, but something would bring it back',
  'not as wished': 'off, but a wanted change is not in place',
  unknown: 'could not be told',
  trouble: 'off, but something needs a person',
  unjudged: 'the document could not be judged',
  'in order': 'off, and nothing would bring it back',
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
  overflow-wrap: break-word } td:first-child { overflow-wrap: anywhere; min-width: 7rem } td.wide { min-width: 10rem }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
ul { margin: 0; padding-left: 1.1rem } p.soft, .soft { color: var(--soft) } abbr { text-decoration: none }
svg { width: 100%; height: auto; display: block } svg text { font: 13px system-ui, sans-serif; fill: var(--ink) }
svg text.soft { fill: var(--soft) }
${[...'abcdefgh'].map(colour).join('\n')}
@media (max-width: 44rem) { table, tbody, tr, td { display: block } thead { position: absolute; clip-path: inset(50%) }
  td { border: 0 } tr { border-bottom: 1px solid var(--line); padding: .3rem 0 }
  td[data-name]::before { content: attr(data-name) ': '; color: var(--soft) } td:empty { display: none } }
@media print { body { margin: 0; max-width: none } tr { break-inside: avoid } h2 { break-after: avoid } }
`;

/** In groups of three digits; not every engine has Intl. */
const grouped = (number: number): string => String(number).replace(/\B(?=(\d{3})+$)/g, ',');

const count = (number: number, one = 'router', many = `${one}s`): string => `${grouped(number)} ${number === 1 ? one : many}`;
const share = (part: number, all: number): string => (all === 0 ? '' : ` (${((part / all) * 100).toFixed(part / all < 0.1 ? 1 : 0)} %)`);

const WIDTH = 1000;

/** One bar whose parts are how many stand so; each part says what it is to who points at it. */
function parts(stands: Record<Stand, number>, all: number, x: number, y: number, width: number, height: number): string {
  let from = x;
  return STANDS.map((stand) => {
    const wide = all === 0 ? 0 : (stands[stand] / all) * width;
    const begin = from;
    from += wide;
    if (wide === 0) return '';
    const title = `<title>${escaped(`${count(stands[stand])}: ${WORDS[stand]}`)}</title>`;
    const place = `x="${begin.toFixed(1)}" y="${y}" width="${Math.max(wide, 1).toFixed(1)}" height="${height}"`;
    return `<rect class="${CLASS[stand]}" ${place}>${title}</rect>`;
  }).join('');
}

/** All routers in one bar, and beneath it what each colour is. */
function overview({ stands, routers }: Summary): string {
  const rows = STANDS.filter((stand) => stands[stand] > 0);
  const legend = rows.map((stand, at) => {
    const y = 66 + at * 22;
    const words = `${count(stands[stand])}${share(stands[stand], routers)}: ${WORDS[stand]}`;
    return `<rect class="${CLASS[stand]}" x="0" y="${y - 12}" width="14" height="14"/><text x="22" y="${y}">${escaped(words)}</text>`;
  });
  const label = rows.map((stand) => `${count(stands[stand])}: ${WORDS[stand]}`).join('; ');
  return (
    `<svg viewBox="0 0 ${WIDTH} ${60 + rows.length * 22}" role="img" aria-label="${escaped(label)}">` +
    `${parts(stands, routers, 0, 0, WIDTH, 36)}${legend.join('')}</svg>`
  );
}

const MOST_RELEASES = 20;
const MOST_FINDINGS = 20;

function drawnReleases({ releases }: Summary): string {
  const rows = releases.slice(0, MOST_RELEASES);
  const most = Math.max(1, ...rows.map(({ routers }) => routers));
  const drawn = rows.map(({ release, routers, stands }, at) => {
    const y = at * 26;
    const width = (routers / most) * 560;
    const name = release.length > 44 ? `${release.slice(0, 43)}…` : release;
    return (
      `<text x="0" y="${y + 15}">${escaped(name)}</text>${parts(stands, routers, 340, y, width, 20)}` +
      `<text class="soft" x="${(346 + width).toFixed(1)}" y="${y + 15}">${grouped(routers)}</text>`
    );
  });
  const label = rows.map(({ release, routers }) => `${release}: ${count(routers)}`).join('; ');
  const rest = releases.length > rows.length ? `<p class="soft">${releases.length - rows.length} more releases are not drawn.</p>` : '';
  return `<svg viewBox="0 0 ${WIDTH} ${rows.length * 26}" role="img" aria-label="${escaped(label)}">${drawn.join('')}</svg>${rest}`;
}

function findingRows({ findings, routers }: Summary): string {
  const rows = findings
    .slice(0, MOST_FINDINGS)
    .map(
      ({ code, weight, text, routers: having }) =>
        `<tr><td class="number" data-name="Routers">${grouped(having)}${share(having, routers)}</td>` +
      `<td data-name="Weight">${weight}</td>` +
        `<td data-name="Finding"><code>${escaped(code)}</code></td><td data-name="For example">${escaped(text)}</td></tr>`,
    );
  const head = '<th class="number">Routers</th><th>Weight</th><th>Finding</th><th>For example</th>';
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const listed = (sentences: readonly string[]): string =>
  sentences.length === 0 ? '' : `<ul>${sentences.map((one) => `<li>${escaped(one)}</li>`).join('')}</ul>`;

/** Short, for a fleet has the same few reasons many times; each is shown to who points at it. */
const moments = (returns: Named['returns']): string =>
  returns.map(({ at, because }) => `<abbr title="${escaped(because)}">${escaped(at)}</abbr>`).join(', ');

const moment = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 16);

function namedRow({ line, router, stand, release, wish, at, says, returns, decide }: Named): string {
  return (
    `<tr><td class="${CLASS[stand]}" data-name="Router">${escaped(router ?? `line ${line}`)}</td>` +
    `<td class="wide" data-name="How it stands">${escaped(says)}</td>` +
    `<td data-name="Would bring it back">${moments(returns)}</td><td data-name="To decide">${listed(decide)}</td>` +
    `<td data-name="Wish">${wish ?? ''}</td><td data-name="Release">${escaped(release ?? '')}</td>` +
    `<td data-name="Seen (UTC)">${at === null ? '' : moment(at)}</td></tr>`
  );
}

function headline({ routers, stands }: Summary): string {
  if (routers === 0) return 'No router was given.';
  const on = stands.rewriting + stands.tracking;
  const blind = stands.unknown + stands.unjudged;
  const rest = routers - on - blind - stands['in order'];
  return [
    `${count(routers)}: ${grouped(stands['in order'])} in order.`,
    on === 0
      ? blind === 0
        ? 'No SIP ALG touches calls on any of them.'
        : 'On none that could be told a SIP ALG touches calls.'
      : `On ${grouped(on)} a SIP ALG touches calls.`,
    ...(rest === 0 ? [] : [`On ${grouped(rest)} it is off, but not for good or not as wished.`]),
    ...(blind === 0 ? [] : [`Of ${grouped(blind)} it could not be told.`]),
  ].join(' ');
}

/** @param now milliseconds since the epoch */
export function fleetHtml(summary: Summary, version: string, now: number): string {
  const { from, to, worst, unnamed, returns, findings, releases, routers } = summary;
  const looked = from === null || to === null ? '' : `Looked at between ${moment(from)} and ${moment(to)} UTC. `;
  const back =
    returns.length === 0
      ? ''
      : `<p>What would bring it back: ${returns.map((one) => escaped(`${one.at} on ${count(one.routers)}`)).join(', ')}.</p>`;
  const table =
    worst.length === 0
      ? ''
      : '<h2>Routers, the worst first</h2><table><thead><tr><th>Router</th><th>How it stands</th><th>Would bring it back</th>' +
        '<th>To decide</th>' +
        `<th>Wish</th><th>Release</th><th>Seen (UTC)</th></tr></thead><tbody>\n${worst.map(namedRow).join('\n')}\n</tbody></table>` +
        (unnamed > 0
          ? `<p class="soft">${count(unnamed, 'more router')} not in order ${unnamed === 1 ? 'is' : 'are'} not named here.</p>`
          : '');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>SIP ALG: ${count(routers)}</title><style>${STYLE}</style></head><body>
<h1>SIP ALG: ${count(routers)}</h1>
<p>${escaped(headline(summary))}</p>
${routers === 0 ? '' : overview(summary)}
<p class="soft">${escaped(`${looked}Written ${moment(now)} UTC by sipalg ${version}.`)}</p>
${back}
${table}
${findings.length === 0 ? '' : `<h2>What was found</h2>${findingRows(summary)}`}
${releases.length === 0 ? '' : `<h2>By release</h2>${drawnReleases(summary)}`}
</body></html>
`;
}
