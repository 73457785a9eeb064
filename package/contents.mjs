// What lies in which package, as one table: a line more here, and the same line in the Makefile of OpenWrt's SDK, is a file
// more. test/pure/package holds the two equal. Why they are cut like this: docs/architecture.md, "The packages".
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { codeOf, languages, moduleOf, PARTS } from './words.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** How often this version has been packed anew. */
const RELEASE = 2;

/**
 * Where a file or a whole folder of the project goes. `to` ends with a slash where it is the folder it goes into.
 * @typedef {{ from: string, to: string, mode?: number }} Row
 */

/**
 * What a package needs. `least`: from that version on. `same`: of this very version, for the parts of one build find each
 * other by names that change with it. `by`: for that package manager alone, for the releases that have it have that engine.
 * @typedef {{ name: string, least?: string, same?: true, by?: 'apk' | 'opkg' }} Dependency
 */

/**
 * @typedef {object} Package
 * @property {string} name
 * @property {string} title
 * @property {string[]} description lines
 * @property {string} section
 * @property {string} license
 * @property {Dependency[]} depends
 * @property {string[]} [provides] what else it counts as for apk: `name=1` where only one such package may be there, `name` else
 * @property {string[]} conffiles
 * @property {string[]} [program] sources whose import() begins this package's part of the program (build.mjs sorts it into
 *   dist/packages/NAME/); what the rest needs too lies in `sipalg`
 * @property {string} [preinst] run before its files come, at an upgrade while the old ones are there
 * @property {string} [postinst] run while the package is being installed, before its init scripts are started
 * @property {string} [prerm] run before anything of the package goes
 * @property {Map<string, { bytes: Buffer, mode: number }>} files by absolute path
 */

/** @typedef {{ version: string, time: number }} Release `version` as packages have it, 1.2.3-r1; `time` seconds since the epoch */

const LIB = '/usr/lib/sipalg/';
/** Where the program lay at first. */
const OLD_LIB = '/usr/lib/node/sipalg';
const PLUGIN = '/usr/libexec/rpcd/sipalg';
const OLD_GERMAN = '/usr/lib/lua/luci/i18n/luci-app-sipalg.de.lmo';

/**
 * What a package needs by one manager, in its words.
 * @param {Package} wanted @param {'apk' | 'opkg'} manager @param {Release} release
 */
export const dependsOf = ({ depends }, manager, { version }) =>
  depends
    .filter(({ by }) => by === undefined || by === manager)
    .map(({ name, least, same }) => {
      const [operator, wanted] = same ? ['=', version] : ['>=', least];
      if (wanted === undefined) return name;
      return manager === 'opkg' ? `${name} (${operator} ${wanted})` : `${name}${operator}${wanted}`;
    });

/** @typedef {Omit<Package, 'files'> & { rows: Row[] }} Filled */

/** @type {Filled[]} */
const OURS = [
  {
    name: 'sipalg',
    title: 'Switches the SIP ALG off for good, and gives it back',
    description: [
      'Finds the SIP ALG (nf_conntrack_sip, nf_nat_sip) of this router with evidence, switches it off at once and through',
      'reloads, reboots and upgrades, and gives back exactly what was there. Command line and boot; on QuickJS or Node.',
    ],
    section: 'net',
    license: 'MIT',
    depends: [
      { name: 'quickjs', by: 'apk' },
      { name: 'node', least: '18', by: 'opkg' },
    ],
    conffiles: ['/etc/config/sipalg'],
    // The page without the daemon's init script is of the time when there was one package (up to r1), and so is the older folder.
    preinst: `#!/bin/sh
if [ -z "\${IPKG_INSTROOT}" ] && [ ! -e /etc/init.d/sipalg-daemon ] && { [ -e ${LIB}page/index.html ] || [ -e ${OLD_LIB} ]; }; then
  echo "sipalg: the daemon (page without LuCI, quicker watch) is a package of its own now: install sipalg-daemon too, where you use it."
fi
exit 0
`,
    // opkg takes files away and leaves folders. rpcd asks its plugins what they are as it reloads, and leaves out those that
    // may not be run.
    postinst: `#!/bin/sh
[ -n "\${IPKG_INSTROOT}" ] || { rmdir ${LIB}page ${OLD_LIB}/page ${OLD_LIB} 2>/dev/null || :; /etc/init.d/rpcd reload 2>/dev/null || :; }
`,
    prerm: `#!/bin/sh
[ -n "\${IPKG_INSTROOT}" ] || [ "\${PKG_UPGRADE}" = 1 ] || { sh ${LIB}give-back.sh; chmod a-x ${PLUGIN}; /etc/init.d/rpcd reload 2>/dev/null; exit 0; }
`,
    rows: [
      { from: 'files/', to: '/' },
      { from: 'files/etc/config/sipalg', to: '/etc/config/', mode: 0o600 },
      { from: 'dist/packages/sipalg/', to: LIB },
    ],
  },
  {
    name: 'sipalg-daemon',
    title: 'Resident daemon of sipalg: ubus object, watch, web page',
    description: [
      'The ubus object sipalg with notifications, the watch that takes a SIP ALG away again as soon as it is back, and a web page',
      'that needs no LuCI. Runs on Node alone. Without it rpcd publishes the object, and a watcher in shell looks.',
    ],
    section: 'net',
    license: 'MIT',
    depends: [
      { name: 'node', least: '18' },
      { name: 'sipalg', same: true },
    ],
    conffiles: [],
    program: ['src/engines/node/serve.ts'],
    rows: [
      { from: 'package/sipalg-daemon/root/', to: '/' },
      { from: 'dist/packages/sipalg-daemon/', to: LIB },
      { from: 'dist/page/index.html', to: `${LIB}page/` },
      { from: 'dist/page/page.js', to: `${LIB}page/` },
      { from: 'dist/page/page.css', to: `${LIB}page/` },
    ],
  },
  {
    name: 'sipalg-calls',
    title: 'sipalg compare, probe, watch, report: what becomes of calls',
    description: [
      'Adds commands to sipalg. compare says field by field what was changed in SIP between a capture of the LAN side of a router and',
      'one of its WAN side; probe proves by live messages what becomes of SIP in this router and on the way to a provider, or to a host',
      'that runs mirror; watch tells what happens to calls; report writes one document for the provider. The same run on a PC. A sender',
      'for a Homer server.',
    ],
    section: 'net',
    license: 'MIT',
    depends: [{ name: 'sipalg', same: true }],
    conffiles: [],
    program: [
      ...['compare', 'hep', 'mirror', 'phones', 'probe', 'probe-far', 'report', 'watch'].map((command) => `src/cli/${command}.ts`),
      ...['following', 'network'].flatMap((door) => [`src/engines/node/${door}.ts`, `src/engines/quickjs/${door}.ts`]),
      'src/engines/node/listening.ts',
    ],
    rows: [
      { from: 'package/sipalg-calls/root/', to: '/' },
      { from: 'dist/packages/sipalg-calls/', to: LIB },
    ],
  },
  {
    name: 'luci-app-sipalg',
    title: 'LuCI page of sipalg: finds the SIP ALG and switches it off',
    description: ['Services -> SIP ALG: whether one touches calls, what that rests on, and the switch.'],
    section: 'luci',
    license: 'MIT',
    // Its page speaks to the ubus object, which rpcd has where the daemon has not.
    depends: [{ name: 'luci-base' }, { name: 'sipalg' }],
    conffiles: [],
    // German came with the page up to r1, in a file of this name; who reads it would find English after the upgrade.
    preinst: `#!/bin/sh
[ -n "\${IPKG_INSTROOT}" ] || [ ! -e ${OLD_GERMAN} ] || echo "luci-app-sipalg: German is a package of its own now: install luci-i18n-sipalg-de too."
exit 0
`,
    // What luci.mk gives every application: LuCI looks at its menus, and rpcd at its rights, anew.
    postinst: `#!/bin/sh
[ -n "\${IPKG_INSTROOT}" ] || { rm -rf /tmp/luci-indexcache.* /tmp/luci-modulecache/; /etc/init.d/rpcd reload 2>/dev/null; exit 0; }
`,
    rows: [
      { from: 'package/luci-app-sipalg/root/', to: '/' },
      { from: 'dist/luci/htdocs/luci-static/resources/view/sipalg/overview.js', to: '/www/luci-static/resources/view/sipalg/' },
      {
        from: 'dist/luci/htdocs/luci-static/resources/view/status/include/70_sipalg.js',
        to: '/www/luci-static/resources/view/status/include/',
      },
    ],
  },
  {
    name: 'sipalg-fleet',
    title: 'sipalg for many routers: metrics for Prometheus, one page on a fleet',
    description: [
      'Adds the command metrics to sipalg, a collector for prometheus-node-exporter-lua, and a writer for its textfile collector;',
      'and what judges the saved documents of very many routers, which runs on a PC as well.',
    ],
    section: 'net',
    license: 'MIT',
    depends: [{ name: 'sipalg', same: true }],
    conffiles: [],
    program: ['src/cli/metrics.ts', 'src/cli/fleet-status.ts', 'src/cli/fleet-report.ts', 'src/engines/node/threads.ts'],
    rows: [
      { from: 'package/sipalg-fleet/root/', to: '/' },
      { from: 'dist/packages/sipalg-fleet/', to: LIB },
    ],
  },
];

/**
 * A language: one package for the program, and one for LuCI, called as luci.mk calls an application's.
 * @param {string} language @returns {Filled[]}
 */
function translated(language) {
  const code = codeOf(language);
  return [
    {
      name: `sipalg-i18n-${code}`,
      title: `sipalg - ${code} translation`,
      description: ['What sipalg says on a terminal, in its documents and on the page of its daemon, in another language.'],
      section: 'net',
      license: 'MIT',
      depends: [{ name: 'sipalg', same: true }],
      conffiles: [],
      program: PARTS.map((part) => `words:${moduleOf(language, part)}`),
      rows: [{ from: `dist/packages/sipalg-i18n-${code}/`, to: LIB }],
    },
    {
      name: `luci-i18n-sipalg-${code}`,
      title: `luci-app-sipalg - ${code} translation`,
      description: ['The page of sipalg in LuCI, in another language.'],
      section: 'luci',
      license: 'MIT',
      depends: [{ name: 'luci-app-sipalg' }],
      conffiles: [],
      rows: [
        { from: `dist/luci/i18n/sipalg.${code}.lmo`, to: '/usr/lib/lua/luci/i18n/' },
        { from: `dist/luci/uci-defaults/luci-i18n-sipalg-${code}`, to: '/etc/uci-defaults/' },
      ],
    },
  ];
}

export const PACKAGES = [...OURS, ...languages().flatMap(translated)];

/** The files under a folder, as paths from it. @param {string} folder @returns {string[]} */
function under(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? under(`${folder}${entry.name}/`).map((path) => `${entry.name}/${path}`) : [entry.name]))
    .sort();
}

/**
 * Whether its owner may run it is all that is asked of a file here: the rest is the umask of whoever checked it out.
 * @param {string} path
 */
const modeOf = (path) => ((statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);

/** @param {readonly Row[]} rows @param {string} built */
function read(rows, built) {
  /** @type {Package['files']} */
  const files = new Map();
  for (const { from, to, mode } of rows) {
    const place = from.startsWith('dist/') ? `${built}${from.slice('dist'.length)}` : root + from;
    if (!existsSync(place))
      throw new Error(`There is no ${place}, which goes into the package as ${to}. Is it built? \`npm run build\` writes dist/.`);
    const paths = from.endsWith('/')
      ? under(place).map((path) => [place + path, to + path])
      : [[place, to + from.slice(from.lastIndexOf('/') + 1)]];
    for (const [source = '', path = ''] of paths) {
      const bytes = readFileSync(source);
      // What is built is started by a wrapper, and need not be a program itself.
      files.set(path, { bytes, mode: mode ?? (from.startsWith('dist/') ? 0o644 : modeOf(source)) });
    }
  }
  return files;
}

/**
 * The packages with their files read in.
 * @param {string} [built] the folder that stands for dist/, where what is built lies
 * @returns {Package[]}
 */
export const packages = (built = `${root}dist`) => PACKAGES.map(({ rows, ...rest }) => ({ ...rest, files: read(rows, built) }));

/**
 * The version, and the time that stands for it in every archive: SOURCE_DATE_EPOCH where it is set, else that of the
 * last commit, else (a folder without a history) that of nothing in particular.
 * @returns {Release}
 */
export function release() {
  const { version } = JSON.parse(readFileSync(root + 'package.json', 'utf8'));
  return { version: `${version}-r${RELEASE}`, time: time() };
}

function time() {
  const given = process.env['SOURCE_DATE_EPOCH'] ?? '';
  if (given !== '' && !/^\d{1,10}$/.test(given))
    throw new Error(`SOURCE_DATE_EPOCH is "${given}"; it is a number of seconds since 1970, in digits.`);
  if (given !== '') return Number(given);
  if (!existsSync(root + '.git')) return Date.UTC(2026, 0) / 1000;
  const { status, stdout } = spawnSync('git', ['-c', 'safe.directory=*', '-C', root, 'log', '-1', '--format=%ct'], { encoding: 'utf8' });
  return status === 0 && /^\d+\n$/.test(stdout) ? Number(stdout) : Date.UTC(2026, 0) / 1000;
}
