/**
 * The root file system of the lab's router: copies of the programs a router has, of their libraries, and an /etc of its
 * own. Nothing of it is a file of the machine, so whoever installs or removes packages beside a running lab touches
 * nothing the router looks at.
 *
 * It is made once and kept in .cache/lab-root, until one of the files it was copied from is another one. A router
 * mounts it read-only, with a file system in memory on top.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';

const CACHE = '.cache/lab-root';

/** What a router's programs, and the tests in it, call by name. OpenWrt has most of them in busybox. */
const COMMANDS = `
  sh dash grep sed awk find xargs tar gzip gunzip zcat ps kill pgrep pkill sysctl hostname
  cat chmod chown cp date dd df echo false ln ls mkdir mknod mktemp mv pwd readlink rm rmdir sleep stty sync touch true uname
  [ basename cmp comm cksum cut dirname du env expr fold head id join md5sum mkfifo nice nl nohup nproc od paste printenv printf
  realpath seq sha256sum sort split stat tac tail tee test timeout tr truncate tty uniq wc who whoami yes chroot
  dmesg findmnt flock getopt logger lsns mount mountpoint nsenter pivot_root prlimit setpriv setsid taskset umount unshare
  kmod insmod lsmod modprobe rmmod ip ss bridge tc nft conntrack ipset
  ${['', '-legacy', '-nft'].flatMap((flavour) => ['iptables', 'ip6tables'].map((family) => family + flavour)).join(' ')}
  ${['', '-legacy', '-nft'].flatMap((flavour) => ['iptables', 'ip6tables'].map((family) => `${family}${flavour}-save`)).join(' ')}
  ${['', '-legacy', '-nft'].flatMap((flavour) => ['iptables', 'ip6tables'].map((family) => `${family}${flavour}-restore`)).join(' ')}
`
  .trim()
  .split(/\s+/);

/** What single tests call in the router, brought along where it is installed: the setup asks for it with their layers. */
const EXTRA = ['busybox', 'dropbear', 'openssl', 'socat', 'tcpdump'];

const PATH = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Files and folders that programs read at a fixed place; those the machine lacks are left out. */
const DATA = ['/etc/protocols', '/etc/services', '/lib/terminfo/x'];

/** Folders of plugins, below each folder of libraries: what iptables loads for `-m NAME` and `-j NAME`. */
const PLUGINS = 'xtables';

/** What base-files makes on OpenWrt, and where this lab mounts. */
const FOLDERS = [
  'dev',
  'etc/config',
  'etc/hotplug.d/iface',
  'etc/init.d',
  'etc/rc.d',
  'etc/sysctl.d',
  'etc/uci-defaults',
  'lib/modules',
  'mnt',
  'proc',
  'root',
  'run',
  'srv',
  'sys',
  'tmp',
  'usr/lib',
  'usr/sbin',
  'var/lib',
];

const OWN: Readonly<Record<string, string>> = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:*:65534:65534:nobody:/var:/bin/false\n',
  '/etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  '/etc/hosts': '127.0.0.1 localhost\n::1 localhost ip6-localhost\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nprotocols: files\nservices: files\n',
};

/** The layout below, in case it changes. */
const FORMAT = 1;

type Index = {
  readonly wanted: string;
  /** The folder of CACHE that holds it. */
  readonly folder: string;
  /** Every file of the machine it was copied from: path to {@link identity}. */
  readonly from: Readonly<Record<string, string>>;
};

let made: string | undefined;

/**
 * The folder of the root file system, absolute; made now if there is none that is like the machine's programs.
 * @throws Error where a program that a router needs is not installed
 */
export function rootFolder(): string {
  return (made ??= known() ?? make());
}

const wanted = (): string =>
  createHash('sha256')
    .update(JSON.stringify([FORMAT, COMMANDS, extra(), DATA, FOLDERS, OWN, process.execPath]))
    .digest('hex');

/** What tells a file from the one that a package puts in its place. */
function identity(path: string): string {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}

function known(): string | undefined {
  try {
    const index = JSON.parse(fs.readFileSync(`${CACHE}/index.json`, 'utf8')) as Index;
    if (index.wanted !== wanted()) return undefined;
    for (const [path, was] of Object.entries(index.from)) if (identity(path) !== was) return undefined;
    const folder = join(process.cwd(), CACHE, index.folder);
    fs.utimesSync(folder, new Date(), new Date()); // it is in use: see `forget`
    return folder;
  } catch {
    return undefined; // none yet, or half of one
  }
}

function make(): string {
  const programs = [...COMMANDS.map((name) => found(name)), ...extra(), process.execPath];
  const plugins = libraryFolders().flatMap((folder) => below(`${folder}/${PLUGINS}`));
  const data = DATA.flatMap((path) => (fs.existsSync(path) ? below(path) : []));
  fs.mkdirSync(CACHE, { recursive: true });
  const folder = fs.mkdtempSync(join(process.cwd(), CACHE, 'root-'));
  fs.chmodSync(folder, 0o755);
  const from = new Map<string, string>();
  for (const path of [...programs, ...plugins, ...libraries([...programs, ...plugins]), ...data]) bring(path, folder, from);
  for (const path of FOLDERS) fs.mkdirSync(`${folder}/${path}`, { recursive: true });
  for (const [path, text] of Object.entries(OWN)) fs.writeFileSync(folder + path, text);
  fs.symlinkSync('../run', `${folder}/var/run`);
  fs.symlinkSync('../tmp', `${folder}/var/tmp`);
  if (!PATH.includes(dirname(process.execPath))) fs.symlinkSync(process.execPath, `${folder}/usr/bin/node`);
  const index: Index = { wanted: wanted(), folder: folder.slice(folder.lastIndexOf('/') + 1), from: Object.fromEntries(from) };
  fs.writeFileSync(`${folder}.json`, JSON.stringify(index));
  fs.renameSync(`${folder}.json`, `${CACHE}/index.json`); // at once: who reads beside sees the old one or the new one
  forget(index.folder);
  return folder;
}

const where = (command: string): string | undefined =>
  PATH.map((folder) => `${folder}/${command}`).find((each) => fs.existsSync(each));

const extra = (): string[] => EXTRA.map(where).filter((path) => path !== undefined);

function found(command: string): string {
  const path = where(command);
  if (path === undefined) throw new Error(`The lab's router needs ${command}, which is not installed in ${PATH.join(', ')}.`);
  return path;
}

const libraryFolders = (): string[] => [
  '/usr/lib',
  ...fs
    .readdirSync('/usr/lib')
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => `/usr/lib/${name}`),
];

/** The path itself, or every file below it. */
function below(path: string): string[] {
  if (!fs.existsSync(path)) return [];
  if (!fs.statSync(path).isDirectory()) return [path];
  return fs.readdirSync(path).flatMap((name) => below(`${path}/${name}`));
}

/** The shared libraries of programs, the loader among them. */
function libraries(paths: readonly string[]): string[] {
  const files = [...new Set(paths.map((path) => fs.realpathSync(path)))].filter(isElf);
  const { stdout, error } = spawnSync('ldd', files, { encoding: 'utf8', env: { PATH: PATH.join(':'), LC_ALL: 'C' } });
  if (error !== undefined) throw new Error(`The lab cannot tell which libraries the router's programs need: ${error.message}`);
  const missing = /^\s*(\S+) => not found$/m.exec(stdout)?.[1];
  if (missing !== undefined) throw new Error(`The library ${missing}, which a program of the lab's router needs, is not on this machine.`);
  return [...new Set([...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path]) => path as string))];
}

function isElf(path: string): boolean {
  const head = Buffer.alloc(4);
  const file = fs.openSync(path, 'r');
  try {
    fs.readSync(file, head, 0, 4, 0);
  } finally {
    fs.closeSync(file);
  }
  return head.toString('latin1') === '\x7fELF';
}

/** Copies a file to the same path below `folder`; links on the way, and the last one, become the same links there. */
function bring(path: string, folder: string, from: Map<string, string>): void {
  let at = '';
  for (const [index, part] of path.split('/').slice(1).entries()) {
    const here = `${at}/${part}`;
    if (fs.lstatSync(here).isSymbolicLink()) {
      const target = fs.readlinkSync(here);
      if (fs.lstatSync(folder + here, { throwIfNoEntry: false }) === undefined) fs.symlinkSync(target, folder + here);
      const rest = path.split('/').slice(index + 2);
      bring(join(target.startsWith('/') ? target : join(at === '' ? '/' : at, target), ...rest), folder, from);
      return;
    }
    if (fs.statSync(here).isDirectory()) fs.mkdirSync(folder + here, { recursive: true });
    at = here;
  }
  if (from.has(at) || fs.statSync(at).isDirectory()) return;
  // The identity first: if the file is replaced meanwhile, the next lab sees that it is another one.
  from.set(at, identity(at));
  fs.copyFileSync(at, folder + at, fs.constants.COPYFILE_FICLONE);
}

/** Removes what other roots are there and were not used for a day: no lab lives that long. */
function forget(current: string): void {
  for (const name of fs.readdirSync(CACHE)) {
    const path = `${CACHE}/${name}`;
    const age = Date.now() - (fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (name.startsWith('root-') && name !== current && age > 86_400_000) fs.rmSync(path, { recursive: true, force: true });
  }
}
