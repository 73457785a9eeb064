/**
 * What the virtual machine boots from: a read-only root with this machine's programs and a kernel's modules, made
 * once and kept; and an initramfs with the small and changing things (the project's files), made for each machine.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { alone } from './alone.ts';
import { must } from './debian.ts';
import { CACHE, LOCK, withDependencies, type Kernel, type Line } from './kernels.ts';
import { librariesOf, place, placeFolder, programPath } from './programs.ts';

/** Files of the router by path: text or bytes, programs among them (mode 755), or a link. */
export type Layer = ReadonlyMap<string, { readonly bytes: string | Uint8Array; readonly mode: number } | { readonly link: string }>;

// Debian's names; where the router has a program is where Debian has it.
const PROGRAMS = [
  ['nft', 'nftables'],
  ['conntrack', 'conntrack'],
  ['ip', 'iproute2'],
  ['tc', 'iproute2'],
  ['pppd', 'ppp'],
  ['flock', 'util-linux'],
] as const;
// busybox's own shell, which OpenWrt has, is not used: Debian's looks among its applets before it looks in PATH, so
// /sbin/rmmod would be passed by. Bash under the name sh takes all that ash takes (`local`, `1000>&-`); dash starts faster.
const SHELLS = [
  ['bash', '/bin/sh'],
  ['dash', '/bin/dash'],
] as const;
/** What pppd speaks PPPoE by (2.4.9 and 2.5), loaded by its name. */
const PPPOE = 'pppoe.so';
const PPPOE_FOLDERS = ['/usr/lib/pppd', '/usr/lib/x86_64-linux-gnu/pppd'];
const XTABLES = ['xtables-legacy-multi', 'xtables-nft-multi'] as const;
const XTABLES_NAMES = ['iptables', 'iptables-save', 'iptables-restore', 'ip6tables', 'ip6tables-save', 'ip6tables-restore'];
/** Outside of PATH: a router with fw4 has no iptables. */
export const IPTABLES = '/usr/lib/lab/iptables';
/** The lab's own Node: a router's may go, and the agent and the stand-ins go on. */
export const NODE = '/usr/lib/lab/node';
const PLUGINS = '/usr/lib/x86_64-linux-gnu/xtables';

/** The kernel whose routers have QuickJS besides Node, as OpenWrt has it from 25.12 on: there the program runs on it. */
const WITH_QJS: Line = '6.12';
/** Debian 13's, with its own C library (test/setup.mjs has unpacked it), and where it is in the root. */
const QJS_FROM = '.cache/engines/qjs/usr';
const QJS = '/usr/lib/lab/qjs';
const QJS_FILES: readonly string[] = [
  'bin/qjs',
  ...['ld-linux-x86-64.so.2', 'libc.so.6', 'libm.so.6'].map((name) => `lib/x86_64-linux-gnu/${name}`),
];
/** What a router's package of an engine brings into PATH. */
export const ENGINES = ['/usr/bin/node', '/usr/bin/qjs'] as const;

// What has to be there before the root is: nothing of it is in /etc/modules.d.
// ext4 asks for crc32c by the name of an algorithm, which no dependency tells.
const FIRST = ['crc32c_generic?', 'virtio_blk', 'virtio_pci', 'virtio_console', 'virtio_rng', 'ext4', 'overlay'];

/** OpenWrt's autoload files for what a router's firewall and network use, and the modules they name. */
export const AUTOLOAD: Readonly<Record<string, readonly string[]>> = {
  '01-bridge': ['bridge', 'veth'],
  'nf-conntrack': ['nf_conntrack'],
  'nf-conntrack-netlink': ['nf_conntrack_netlink'],
  'nf-nat': ['nf_nat'],
  'nft-core': ['nf_tables', 'nft_ct', 'nft_limit', 'nft_log', 'nft_reject', 'nft_reject_inet', 'nft_hash', 'nft_numgen', 'nft_quota'],
  'nft-nat': ['nft_chain_nat', 'nft_nat', 'nft_masq', 'nft_redir', 'nft_fib_inet'],
  'nft-netdev': ['nf_dup_netdev', 'nft_dup_netdev', 'nft_fwd_netdev'],
  'nft-offload': ['nf_flow_table', 'nf_flow_table_inet', 'nft_flow_offload'],
};
const HELPERS = ['amanda', 'ftp', 'h323', 'irc', 'pptp', 'sip', 'tftp'].flatMap((name) => [`nf_conntrack_${name}`, `nf_nat_${name}`]);
const MORE = [
  'nf_conntrack_broadcast',
  'nf_conntrack_netbios_ns',
  'nf_conntrack_snmp',
  'nf_nat_snmp_basic',
  'nf_conntrack_sane',
  'ts_kmp',
  'nf_log_syslog',
  'nft_compat',
  'nft_objref?',
  'nft_flow_offload',
  'ip_tables',
  'ip6_tables',
  'iptable_raw',
  'ip6table_raw',
  'xt_CT',
  'xt_tcpudp',
  'x_tables',
  'ip_vs_pe_sip',
  'sch_netem',
  '8021q',
  'macvlan',
  'ip6_tunnel',
  'pppoe?',
];

/** The read-only root for a kernel; made where it is not kept yet. */
export function rootImage(kernel: Kernel): string {
  const programs = [
    process.execPath,
    ...PROGRAMS.map(([name, of]) => programPath(name, of)),
    ...XTABLES.map((name) => programPath(name, 'iptables')),
    ...SHELLS.map(([name]) => programPath(name, name)),
    programPath('busybox', 'busybox-static'),
    ...(kernel.line === WITH_QJS ? QJS_FILES.map((name) => `${QJS_FROM}/${name}`) : []),
  ];
  const key = createHash('sha256')
    .update(
      JSON.stringify([
        kernel.package,
        programs.map((path) => [path, statSync(path).size, statSync(path).mtimeMs]),
        ['image', 'kernels', 'programs'].map((name) => readFileSync(`test/machine/qemu/${name}.ts`, 'utf8')),
      ]),
    )
    .digest('hex')
    .slice(0, 12);
  const path = `${CACHE}/root-${kernel.line}-${key}.img`;
  if (!existsSync(path))
    alone(LOCK, () => {
      if (!existsSync(path)) makeRoot(kernel, path);
    });
  return path;
}

function makeRoot(kernel: Kernel, path: string): void {
  for (const name of readdirSync(CACHE)) {
    if (name.startsWith(`root-${kernel.line}-`)) rmSync(`${CACHE}/${name}`);
  }
  const tree = mkdtempSync(`${CACHE}/tree-`);
  try {
    fillRoot(tree, kernel);
    const kibibytes = Number(must('du', ['-sk', tree]).split('\t')[0]);
    const made = `${path}.new`;
    rmSync(made, { force: true });
    must('mke2fs', ['-q', '-F', '-t', 'ext4', '-O', '^has_journal', '-m', '0', '-d', tree, made, `${Math.ceil(kibibytes * 1.1) + 8192}k`]);
    renameSync(made, path);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function fillRoot(tree: string, kernel: Kernel): void {
  for (const folder of [
    'bin',
    'sbin',
    'usr/bin',
    'usr/sbin',
    'usr/lib/lab',
    'lib',
    'etc',
    'proc',
    'sys',
    'dev',
    'tmp',
    'root',
    'rom',
    'overlay',
    'mnt',
    'lib/modules',
  ]) {
    mkdirSync(`${tree}/${folder}`, { recursive: true });
  }
  symlinkSync('/tmp', `${tree}/var`);
  symlinkSync('/tmp/run', `${tree}/run`);
  for (const [name, of] of PROGRAMS) place(tree, programPath(name, of), `/usr/sbin/${name}`);
  place(tree, process.execPath, NODE);
  // Code that is compiled at run time has to be translated once more by the emulator: without, Node's work takes a fifth less.
  writeFileSync(`${tree}/usr/bin/node`, `#!/bin/dash\nexec ${NODE} --jitless --no-expose-wasm "$@"\n`, { mode: 0o755 });
  if (kernel.line === WITH_QJS) placeQjs(tree);
  for (const multi of XTABLES) {
    place(tree, programPath(multi, 'iptables'), `${IPTABLES}/${multi}`);
    const flavour = multi.includes('legacy') ? 'legacy' : 'nft';
    for (const name of XTABLES_NAMES) symlinkSync(multi, `${tree}${IPTABLES}/${name.replace('tables', `tables-${flavour}`)}`);
  }
  placeFolder(tree, PLUGINS);
  for (const folder of PPPOE_FOLDERS.filter((each) => existsSync(each)))
    for (const version of readdirSync(folder)) place(tree, `${folder}/${version}/${PPPOE}`);
  fillBusybox(tree);
  fillModules(tree, kernel);
}

function placeQjs(tree: string): void {
  mkdirSync(tree + QJS);
  const files = QJS_FILES.map((name) => {
    const file = name.slice(name.lastIndexOf('/') + 1);
    copyFileSync(`${QJS_FROM}/${name}`, `${tree}${QJS}/${file}`);
    return `${QJS}/${file}`;
  });
  const [program, loader] = files;
  writeFileSync(`${tree}/usr/bin/qjs`, `#!/bin/dash\nexec ${loader} --library-path ${QJS} ${program} "$@"\n`, { mode: 0o755 });
}

function fillBusybox(tree: string): void {
  const path = programPath('busybox', 'busybox-static');
  if (librariesOf(path).length > 0) throw new Error(`${path} is not the static one; install busybox-static (Debian).`);
  place(tree, path, '/bin/busybox');
  for (const [name, at] of SHELLS) place(tree, programPath(name, name), at);
  // Those that OpenWrt has as something else, or that would stand beside a real one.
  const others = new Set([
    'busybox',
    'insmod',
    'rmmod',
    'lsmod',
    'modprobe',
    'modinfo',
    'depmod',
    'ip',
    'dpkg',
    'dpkg-deb',
    'rpm',
    'ar',
    'init',
    'sh',
    'ash',
  ]);
  for (const applet of must(path, ['--list']).trim().split('\n')) {
    if (!others.has(applet)) symlinkSync('busybox', `${tree}/bin/${applet}`);
  }
  symlinkSync('/bin/busybox', `${tree}/sbin/init`);
}

// OpenWrt keeps its modules in one flat folder, as plain .ko.
function fillModules(tree: string, kernel: Kernel): void {
  const modules = withDependencies(kernel, [...Object.values(AUTOLOAD).flat(), ...HELPERS, ...MORE]);
  const store = `${tree}/lib/modules/${kernel.version}`;
  mkdirSync(store, { recursive: true });
  for (const { name, bytes } of modules) writeFileSync(`${store}/${name}.ko`, bytes);
  const lines = (of: readonly string[]): string => of.map((line) => line + '\n').join('');
  writeFileSync(`${tree}/usr/lib/lab/modules`, lines(modules.map(({ name, depends }) => [name, ...depends].join(' '))));
  writeFileSync(
    `${tree}/usr/lib/lab/aliases`,
    lines(modules.flatMap(({ name, aliases }) => aliases.map((alias) => `${alias.replaceAll('-', '_')} ${name}`))),
  );
  writeFileSync(`${tree}/usr/lib/lab/builtin`, lines(kernel.builtIn));
}

/**
 * The initramfs: what puts the root together, and the router's files.
 * @param kept what a sysupgrade has kept (tar, gzip): put over a disk that is new
 */
export function initramfs(kernel: Kernel, layer: Layer, path: string, kept?: Uint8Array): void {
  const tree = `${path}.tree`;
  for (const folder of ['bin', 'modules', 'router']) mkdirSync(`${tree}/${folder}`, { recursive: true });
  cpSync('test/machine/qemu/preinit', `${tree}/init`);
  chmodSync(`${tree}/init`, 0o755);
  place(tree, programPath('busybox', 'busybox-static'), '/bin/busybox');
  for (const [index, { name, bytes }] of withDependencies(kernel, FIRST).entries()) {
    writeFileSync(`${tree}/modules/${String(index).padStart(2, '0')}-${name}.ko`, bytes);
  }
  if (kept) writeFileSync(`${tree}/sysupgrade.tgz`, kept);
  for (const [file, content] of layer) {
    const to = `${tree}/router${file}`;
    mkdirSync(dirname(to), { recursive: true });
    if ('link' in content) symlinkSync(content.link, to);
    else writeFileSync(to, content.bytes, { mode: content.mode });
  }
  must('sh', ['-c', 'cd "$1" && find . | cpio -o -H newc -R 0:0 --quiet > "$2"', 'sh', tree, path]);
  rmSync(tree, { recursive: true });
}

/** The files below a folder as a layer; the path in the folder is the path on the router. */
export function layerOf(folder: string): Map<string, { bytes: Uint8Array; mode: number }> {
  const layer = new Map<string, { bytes: Uint8Array; mode: number }>();
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const path = `${folder}/${name}`;
    const about = lstatSync(path);
    if (about.isFile()) layer.set(`/${name}`, { bytes: readFileSync(path), mode: about.mode & 0o111 ? 0o755 : 0o644 });
  }
  return layer;
}
