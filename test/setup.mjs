// What the tests, the lab and the bench need beyond Node: says what is lacking, installs it, and says in a
// sentence what cannot be had. Plain Node, no dependency: it runs on a fresh clone, before anything is installed.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Debian packages: the command that proves one is there, the layers that need it, and what for.
 * @type {{ command: string, package: string, layers: string[], why: string, proof?: (path: string) => boolean }[]}
 */
const DEBIAN = [
  { command: 'ip', package: 'iproute2', layers: ['namespaces', 'vm'], why: 'makes network namespaces and joins them' },
  { command: 'nft', package: 'nftables', layers: ['namespaces', 'vm'], why: 'loads and shows the rulesets of a router' },
  { command: 'iptables-save', package: 'iptables', layers: ['namespaces', 'vm'], why: 'routers with fw3, in legacy and nft flavour' },
  { command: 'ipset', package: 'ipset', layers: ['namespaces'], why: 'routers with fw3, whose firewall keeps networks in sets' },
  { command: 'conntrack', package: 'conntrack', layers: ['namespaces', 'vm'], why: 'shows and ends flows and expectations' },
  { command: 'modprobe', package: 'kmod', layers: ['namespaces', 'vm'], why: "loads the kernel's SIP modules where they are modules" },
  { command: 'sipp', package: 'sip-tester', layers: ['sip-tools'], why: 'phones and a provider nobody here wrote' },
  { command: 'tshark', package: 'tshark', layers: ['sip-tools'], why: 'reads what arrived, as a second opinion' },
  { command: 'tcpdump', package: 'tcpdump', layers: ['sip-tools'], why: 'captures what is on the wire' },
  { command: 'sngrep', package: 'sngrep', layers: ['sip-tools'], why: 'reads captures, beside which the bench measures' },
  { command: 'baresip', package: 'baresip-core', layers: ['sip-tools'], why: 'a phone that people use' },
  { command: 'kamailio', package: 'kamailio', layers: ['sip-tools'], why: 'a registrar and proxy that providers use' },
  { command: 'openssl', package: 'openssl', layers: ['sip-tools'], why: 'has the TLS that QuickJS lacks' },
  { command: 'socat', package: 'socat', layers: ['sip-tools'], why: 'has the sockets that QuickJS lacks' },
  { command: 'qemu-system-x86_64', package: 'qemu-system-x86', layers: ['vm'], why: 'a machine whose modules load, unload and lose power' },
  { command: 'cpio', package: 'cpio', layers: ['vm'], why: 'packs the root file system of that machine' },
  {
    command: 'busybox',
    package: 'busybox-static',
    layers: ['vm', 'shell'],
    why: "is the userland of that machine, and its shell a router's",
    proof: isStatic,
  },
  { command: 'mke2fs', package: 'e2fsprogs', layers: ['vm'], why: 'makes its disks, and looks at what a power cut left on them' },
  { command: 'pppd', package: 'ppp', layers: ['vm'], why: "is a router's PPPoE in that machine, and its provider's" },
  { command: 'xz', package: 'xz-utils', layers: ['vm'], why: 'unpacks the modules of its newer kernel' },
  { command: 'qemu-s390x', package: 'qemu-user', layers: ['engines'], why: 'runs a program of a processor with the other byte order' },
  { command: 'shellcheck', package: 'shellcheck', layers: ['shell'], why: 'reads the scripts that go onto a router' },
  { command: 'prometheus', package: 'prometheus', layers: ['fleet'], why: 'scrapes the metrics, and judges the alerts' },
  { command: 'lua5.1', package: 'lua5.1', layers: ['fleet'], why: "runs the collector of prometheus-node-exporter-lua, as a router's does" },
  { command: 'ansible-playbook', package: 'ansible-core', layers: ['fleet'], why: 'runs the role over SSH' },
  {
    command: 'kamailio',
    package: 'kamailio-sqlite-modules',
    layers: ['fleet'],
    why: 'keeps what a capture server was sent',
    proof: hasSqlite,
  },
  { command: 'dropbear', package: 'dropbear-bin', layers: ['fleet'], why: "is a router's SSH server" },
  { command: 'chromium', package: 'chromium', layers: ['page'], why: 'opens the page as a person does' },
];

/** What stands behind a layer's name, and what it needs besides packages. */
const LAYERS = new Set(['npm', 'shell', 'engines', 'namespaces', 'alg', 'sip-tools', 'fleet', 'vm', 'page']);

/** @param {string} text */
const say = (text) => {
  process.stderr.write(`setup: ${text}\n`);
};

/**
 * @param {string} command
 * @returns {string | undefined} its path; sbin is searched too, which a user's PATH often lacks
 */
export function which(command) {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']) {
    const path = `${folder}/${command}`;
    if (folder === '' || !existsSync(path) || !statSync(path).isFile()) continue;
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** A program that brings no loader along needs no library: it runs in a root file system that holds nothing else. */
function isStatic(/** @type {string} */ path) {
  return !readFileSync(path).subarray(0, 4096).includes('/ld-linux');
}

/** A module of kamailio's beside its program. */
function hasSqlite() {
  return readdirSync('/usr/lib').some((name) => existsSync(`/usr/lib/${name}/kamailio/modules/db_sqlite.so`));
}

/**
 * Makes sure that layers can run here: installs what is lacking where that is possible, and says so on standard
 * error. Layers: `npm` (packages of package.json), `shell` (shellcheck, a router's shell), `engines` (the other Nodes, and
 * QuickJS), `namespaces` (root, network namespaces, a router's commands),
 * `alg` (the kernel's SIP ALG), `sip-tools` (sipp, tshark, tcpdump, sngrep, baresip, kamailio, openssl, socat), `fleet` (Prometheus,
 * Ansible, dropbear, Lua), `vm` (qemu), `page` (a browser).
 * @param {string[]} layers
 * @returns {Promise<{ layer: string, reason: string }[]>} the layers that cannot run, each with a sentence; empty when all can
 */
export async function need(layers) {
  const unknown = layers.find((layer) => !LAYERS.has(layer));
  if (unknown !== undefined) throw new Error(`There is no layer '${unknown}'; there are ${[...LAYERS].join(', ')}.`);
  if (layers.includes('alg') && !layers.includes('namespaces')) layers = ['namespaces', ...layers];
  const missing = [];
  if (layers.includes('npm')) {
    const reason = npm();
    if (reason !== undefined) missing.push({ layer: 'npm', reason });
  }
  const reasons = debian(layers);
  for (const layer of layers) {
    const reason = reasons.get(layer) ?? (await able(layer));
    if (reason !== undefined) missing.push({ layer, reason });
  }
  return missing;
}

/** The packages of package.json that are not in node_modules. */
function lacking() {
  const { devDependencies = {} } = JSON.parse(readFileSync(root + 'package.json', 'utf8'));
  return Object.keys(devDependencies).filter((name) => !existsSync(`${root}node_modules/${name}/package.json`));
}

function npm() {
  const wanted = lacking();
  if (wanted.length === 0) return undefined;
  const verb = existsSync(root + 'package-lock.json') ? 'ci' : 'install';
  say(`npm ${verb}: ${wanted.join(', ')} (packer, compiler, test suites; the program itself needs none of them)`);
  const { error, status, stdout, stderr } = spawnSync('npm', [verb, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (error !== undefined) return `npm could not be started (${error.message}); install it (Debian: apt-get install npm) and try again.`;
  if (status !== 0)
    return `'npm ${verb}' failed: ${last(stderr + stdout)} Is the package registry reachable? Run 'npm ${verb}' by hand to see more.`;
  const still = lacking();
  return still.length === 0 ? undefined : `'npm ${verb}' ended well but ${still.join(', ')} is not in node_modules.`;
}

/** The last line that says anything, as a sentence's end. @param {string} text */
function last(text) {
  const line =
    text
      .trim()
      .split('\n')
      .filter((each) => !/A complete log|^\s*$/.test(each))
      .pop()
      ?.trim() ?? '';
  return line === '' ? 'it said nothing.' : `"${line.slice(0, 200)}".`;
}

/**
 * Engines the program must run on besides the one at hand, kept under .cache/engines/NAME.
 * Node as npm's own packages carry it. QuickJS is Debian's: see QJS.
 * @returns {{ name: string, package: string, file: string }[]} `file`: what proves it is there, below node_modules
 */
export function wantedEngines() {
  const platform = `node-linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}`;
  return [...[18, 20, 22, 24].map((major) => ({ name: `node-${major}`, package: `${platform}@${major}`, file: `${platform}/bin/node` }))];
}

/** @param {string} name @returns {string} the path of an engine's file, be it there or not */
export function enginePath(name) {
  const engine = wantedEngines().find((each) => each.name === name);
  if (engine === undefined) throw new Error(`There is no engine '${name}'.`);
  return `${root}.cache/engines/${name}/node_modules/${engine.file}`;
}

/** QuickJS as Debian 13 packages it, with its own C library: a script that starts it. */
export const QJS = `${root}.cache/engines/qjs/qjs`;

/**
 * QuickJS for processors of other kinds, as on routers: name to the script that starts it. `i386` has words of 32 bits, as most
 * routers have; `s390x` has the most significant byte first, as MIPS routers have (it runs in qemu's emulation of a program).
 */
export const FOREIGN = {
  i386: `${root}.cache/engines/qjs-i386/qjs`,
  s390x: `${root}.cache/engines/qjs-s390x/qjs`,
};

/**
 * Unpacks Debian's `qjs` and the C library it was made for, and writes a script that starts it.
 * @param {string} script
 * @param {{ architecture?: string, emulator?: string, releases: string[] }} from `releases`: the C library is taken from the
 *   first of them that has it to be downloaded; an archive may lag behind with an architecture
 */
async function qjs(script, { architecture, emulator, releases }) {
  if (existsSync(script)) return undefined;
  const packages = ['quickjs', 'libc6'].map((name) => (architecture === undefined ? name : `${name}:${architecture}`));
  const { unpackRelease } = await import('./debian-release.mjs');
  const folder = dirname(script);
  let problem = '';
  for (const release of releases) {
    say(`unpacking ${packages.join(', ')} of Debian ${release} into .cache/engines: the program must run on QuickJS`);
    try {
      unpackRelease(release, packages, folder, architecture === undefined ? [] : [architecture]);
      const libraries = readdirSync(`${folder}/usr/lib`).find((name) => name.endsWith('-linux-gnu'));
      const loader = readdirSync(`${folder}/usr/lib/${libraries}`).find((name) => /^ld(64|-linux.*)\.so\.\d+$/.test(name));
      if (libraries === undefined || loader === undefined) return `There is no C library in what ${packages.join(', ')} brought.`;
      const at = `"$here"/usr/lib/${libraries}`;
      const start = `exec ${emulator === undefined ? '' : `${emulator} `}${at}/${loader} --library-path ${at} "$here"/usr/bin/qjs "$@"`;
      writeFileSync(script, `#!/bin/sh\nhere=\${0%/*}\n${start}\n`, { mode: 0o755 });
      return undefined;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  return problem;
}

async function engines() {
  if (process.platform !== 'linux') return `The engines are binaries for Linux; this is ${process.platform}.`;
  for (const [script, from] of /** @type {[string, Parameters<typeof qjs>[1]][]} */ ([
    [QJS, { releases: ['trixie'] }],
    [FOREIGN.i386, { architecture: 'i386', releases: ['trixie', 'forky', 'sid'] }],
    [FOREIGN.s390x, { architecture: 's390x', emulator: 'qemu-s390x', releases: ['trixie', 'forky', 'sid'] }],
  ])) {
    const problem = await qjs(script, from);
    if (problem !== undefined) return problem;
  }
  for (const { name, package: wanted } of wantedEngines().filter((each) => !existsSync(enginePath(each.name)))) {
    say(`npm install ${wanted} into .cache/engines: the program must run on it`);
    const folder = `${root}.cache/engines/${name}`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/package.json`, '{ "private": true }\n');
    const { error, status, stderr, stdout } = spawnSync(
      'npm',
      ['install', wanted, '--prefix', folder, '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'],
      { cwd: folder, encoding: 'utf8', timeout: 300_000 },
    );
    if (error !== undefined || status !== 0) return `'npm install ${wanted}' failed: ${last(error?.message ?? stderr + stdout)}`;
    if (!existsSync(enginePath(name))) return `'npm install ${wanted}' ended well but brought no ${name}.`;
  }
  return undefined;
}

let updated = false;

/** Asked by Debian's packages whether a service may be started (invoke-rc.d(8)); 101 forbids it. */
const POLICY = '/usr/sbin/policy-rc.d';
const NO_SERVICES = '#!/bin/sh\n# Of the tests of sipalg, while they install packages: a SIP server is not to be started by that. May be removed.\nexit 101\n';

/**
 * Installs without starting a service: kamailio's package would bring one that answers at port 5060.
 * @template T @param {() => T} work @returns {T}
 */
function withoutServices(work) {
  // What a killed run of ours has left is ours; a policy of the machine's own stays.
  if (existsSync(POLICY) && readFileSync(POLICY, 'utf8') !== NO_SERVICES) return work();
  writeFileSync(POLICY, NO_SERVICES, { mode: 0o755 });
  try {
    return work();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

/**
 * Installs Debian packages. The lists are fetched once per run.
 * @param {string[]} packages
 * @returns {string | undefined} a sentence when that failed
 */
export function install(packages) {
  const apt = which('apt-get');
  if (apt === undefined)
    return `${packages.join(', ')} is lacking and there is no apt-get to install it with; install it with this system's package manager.`;
  if (process.getuid?.() !== 0) return `${packages.join(', ')} is lacking; as root: apt-get install ${packages.join(' ')}.`;
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=2'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if (!updated) {
    const { status, stderr } = spawnSync(apt, [...options, 'update'], { env, encoding: 'utf8', timeout: 300_000 });
    if (status !== 0) return `'apt-get update' failed: ${last(stderr)} Are the Debian mirrors reachable?`;
    updated = true;
  }
  const { status, stderr } = withoutServices(() =>
    spawnSync(apt, [...options, 'install', '-y', '--no-install-recommends', ...packages], { env, encoding: 'utf8', timeout: 900_000 }),
  );
  return status === 0 ? undefined : `'apt-get install ${packages.join(' ')}' failed: ${last(stderr)}`;
}

/** @param {typeof DEBIAN[number]} row */
function installed({ command, proof }) {
  const path = which(command);
  return path !== undefined && (proof === undefined || proof(path));
}

/** @param {string[]} layers @returns {Map<string, string>} the layers whose packages cannot be had */
function debian(layers) {
  const wanted = DEBIAN.filter((row) => row.layers.some((layer) => layers.includes(layer)) && !installed(row));
  const reasons = new Map();
  if (wanted.length === 0) return reasons;
  const because = process.getuid?.() === 0 && which('apt-get') !== undefined ? 'installing' : 'lacking';
  for (const row of wanted) say(`${because} ${row.package}: ${row.why}`);
  const failed = install(wanted.map((row) => row.package));
  for (const row of wanted.filter((each) => !installed(each))) {
    for (const layer of row.layers) {
      reasons.set(layer, failed ?? `${row.package} was installed but there is still no '${row.command}' that will do.`);
    }
  }
  return reasons;
}

/** What no package gives. @param {string} layer @returns {string | undefined} why the layer cannot run */
function able(layer) {
  if (layer === 'engines') return engines();
  if (layer === 'namespaces') {
    if (process.platform !== 'linux') return `Network namespaces are Linux's; this is ${process.platform}.`;
    if (process.getuid?.() !== 0) return 'Network namespaces need root; run this as root.';
    const { status, stderr } = spawnSync('unshare', ['--net', 'true'], { encoding: 'utf8' });
    if (status !== 0)
      return `This machine does not let root make a network namespace: ${last(stderr ?? '')} In a container, give it the capability SYS_ADMIN.`;
  }
  if (layer === 'alg') return alg();
  return undefined;
}

/** The kernel's SIP ALG: built in, loaded, or loaded here (loading alone touches no traffic: nothing is assigned). */
function alg() {
  if (hasAlg()) return undefined;
  const modprobe = which('modprobe');
  if (modprobe !== undefined && process.getuid?.() === 0) {
    say('loading the kernel modules nf_conntrack_sip and nf_nat_sip: the SIP ALG itself');
    spawnSync(modprobe, ['nf_nat_sip']);
  }
  if (hasAlg()) return undefined;
  const release = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  return (
    `This kernel (${release}) has no SIP ALG: nf_conntrack_sip and nf_nat_sip are neither built in nor to be loaded. ` +
    "Debian's own kernels have both (in a container the machine's kernel counts)."
  );
}

// A built-in nf_nat_sip has no entry under /sys/module; a built-in nf_conntrack_sip has one, without a refcnt.
function hasAlg() {
  const loaded = readdirSync('/sys/module');
  return loaded.includes('nf_conntrack_sip') && (loaded.includes('nf_nat_sip') || !existsSync('/sys/module/nf_conntrack_sip/refcnt'));
}
