/**
 * An OpenWrt-like router in a virtual machine: fw4's rulesets, /etc/modules.d, a module loader that honours
 * /etc/modules.conf, phones and a provider as namespaces, and the program under test as /usr/sbin/sipalg.
 */
import { existsSync, readFileSync } from 'node:fs';
import { bundled } from '../../bundled.ts';
import type { Files } from '../../lab/files.ts';
import type { End, Ruleset } from '../../lab/lab.ts';
import { comparable } from '../../lab/listing.ts';
import type { Member } from '../../lab/member.ts';
import { ADDRESS } from '../../lab/network.ts';
import { furnish } from '../../lab/openwrt.ts';
import { invite } from '../../lab/sip.ts';
import { talkerIn, type Socket, type Talker } from '../../lab/talker.ts';
import { AUTOLOAD, layerOf, NODE, type Layer } from './image.ts';
import { kernelOf, type Line } from './kernels.ts';
import { openMachine, type Machine } from './machine.ts';
import { installed, type Manager, type Package } from './packages.ts';
import { program } from './program.ts';

export type RouterOptions = {
  readonly kernel: Line;
  /** One of test/fixtures/fw4: its configuration, and its include where it has one. */
  readonly ruleset?: Ruleset;
  /** More files of the router: path to text. */
  readonly files?: Readonly<Record<string, string>>;
  /** 24.10 if not given. The loader of 22.03 reads no /etc/modules.conf; 25.12 has apk. */
  readonly release?: Release;
  /** Whether the program under test is part of the image; it is if not said. */
  readonly sipalg?: boolean;
};

export type Release = '22.03' | '24.10' | '25.12';

/** A call that goes on: every INVITE of it leaves the same socket, so it is the same flow. */
export type Caller = {
  /** Sends an INVITE and takes what the provider gets; undefined when nothing came in a second. */
  invite(): Promise<{ readonly sent: string; readonly arrived: string | undefined }>;
  close(): Promise<void>;
};

export type Router = Machine & {
  /** A caller at a phone, from this source port. @param mediaPort of the SDP; one of its own if not given */
  caller(port: number, about?: { from?: 'phone' | 'phone2'; mediaPort?: number }): Promise<Caller>;
  /** One INVITE of a new flow; whether it arrived as it was sent. */
  treatment(): Promise<'untouched' | 'rewritten' | 'dropped'>;
  /** The SIP modules that are loaded, with their reference counts. */
  sipModules(): Promise<Record<string, number>>;
  /** Everything `sipalg enable` has to give back. */
  picture(): Promise<Picture>;
};

export type Picture = {
  readonly modules: Readonly<Record<string, number>>;
  /** Of nf_conntrack_sip, by name; empty where it is not loaded. */
  readonly parameters: string;
  /** nft's listing in JSON without handles and counts, an entry a line: what has no order in its table first, sorted. */
  readonly rules: readonly string[];
  /** Files of /etc by path; empty where there is none. */
  readonly files: Readonly<Record<string, string>>;
};

const KEPT = ['/etc/modules.conf', '/etc/config/firewall'];
const FIXTURES = 'test/fixtures/fw4';
const HELPERS_FILE = '/etc/modules.d/nf-nathelper-extra';
const LINKS = ['insmod', 'rmmod', 'lsmod', 'modinfo', 'modprobe'];

/** Boots a router. Close it. */
export async function openRouter(options: RouterOptions): Promise<Router> {
  const machine = await openMachine(options.kernel, await imageOf(options));
  const talkers = new Map<End, Promise<Talker>>();
  let nextPort = 20_000;

  // An endpoint lives in a namespace of the machine; to a talker that is a member as any other. A boot ends it.
  const talker = (end: End): Promise<Talker> => {
    const member = {
      name: end,
      spawn: (argv: readonly string[]) =>
        machine.spawn(['ip', 'netns', 'exec', end, ...argv.map((word) => (word === process.execPath ? NODE : word))]),
    };
    const known = talkers.get(end) ?? talkerIn(member as unknown as Member);
    talkers.set(end, known);
    return known;
  };
  let provider: Promise<Socket> | undefined;
  const forget = (): void => {
    talkers.clear();
    provider = undefined;
  };

  const router: Router = {
    ...machine,
    reboot() {
      forget();
      return machine.reboot();
    },
    powerCut() {
      forget();
      return machine.powerCut();
    },
    bootAt(disk, flush) {
      forget();
      return machine.bootAt(disk, flush);
    },
    flash(image, kept) {
      forget();
      return machine.flash(image, kept);
    },
    async caller(port, { from: end = 'phone', mediaPort = 30_000 + (port % 10_000) * 2 } = {}) {
      const from = { address: ADDRESS[end], port, user: end };
      const to = { address: ADDRESS.provider, port: 5060 };
      provider ??= talker('provider').then((there) => there.udp(to.address, to.port));
      const [there, here] = await Promise.all([provider, talker(end).then((phone) => phone.udp(from.address, port))]);
      let count = 0;
      return {
        async invite() {
          const sent = invite({
            from,
            to: { ...to, user: 'provider' },
            callId: `call-${port}-${++count}@${from.address}`,
            branch: `z9hG4bK-${port}-${count}`,
            cseq: count,
            mediaPort,
          });
          await here.send(Buffer.from(sent, 'latin1'), to);
          const found = await there.next(1000);
          return { sent, arrived: found?.bytes.toString('latin1') };
        },
        close: () => here.close(),
      };
    },
    async treatment() {
      const caller = await router.caller(nextPort++);
      try {
        const { sent, arrived } = await caller.invite();
        return arrived === undefined ? 'dropped' : arrived === sent ? 'untouched' : 'rewritten';
      } finally {
        await caller.close();
      }
    },
    async sipModules() {
      const lines = (await machine.read('/proc/modules')).split('\n').filter((line) => /^nf_(conntrack|nat)_sip /.test(line));
      return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name, , count]) => [name, Number(count)]));
    },
    async picture() {
      const [modules, parameters, rules, ...texts] = await Promise.all([
        router.sipModules(),
        machine.run(['sh', '-c', 'cd /sys/module/nf_conntrack_sip/parameters && grep . *']).then(({ stdout }) => stdout),
        machine.must(['nft', '-j', 'list', 'ruleset']).then(ordered),
        ...KEPT.map((path) => machine.run(['cat', path]).then(({ stdout }) => stdout)),
      ]);
      return { modules, parameters, rules, files: Object.fromEntries(KEPT.map((path, index) => [path, texts[index]!])) };
    },
  };
  return router;
}

/** The image of a router: all its files but this machine's programs and the kernel's modules. */
export async function imageOf({
  kernel,
  ruleset = 'stock-alg-on',
  files = {},
  release = '24.10',
  sipalg = true,
}: RouterOptions): Promise<Map<string, Content>> {
  const all = new Map<string, Content>([
    ...(sipalg ? [...layerOf('files'), ...layerOf('package/sipalg-daemon/root')] : []),
    ...layerOf('test/machine/qemu/root'),
  ]);
  const put = (path: string, bytes: string | Uint8Array, mode = 0o644): void => {
    all.set(path, { bytes, mode });
  };
  const plain = {
    write: put,
    remove: (path: string) => {
      for (const each of all.keys()) if (each === path || each.startsWith(path + '/')) all.delete(each);
    },
  };
  furnish(plain as unknown as Files, readFileSync(`${FIXTURES}/${ruleset}.config`, 'utf8'));
  for (const [name, modules] of Object.entries(AUTOLOAD)) put(`/etc/modules.d/${name}`, modules.map((each) => each + '\n').join(''));
  const include = `${FIXTURES}/${ruleset}.nftables.d-20-user.nft`;
  if (existsSync(include)) put('/etc/nftables.d/20-user.nft', readFileSync(include, 'utf8'));
  for (const link of LINKS) all.set(`/sbin/${link}`, { link: 'kmodloader' });
  put('/usr/lib/lab/agent.js', await bundled('test/machine/qemu/agent.ts'));
  put('/sbin/fw4', `#!${NODE}\n${await bundled('test/lab/fw4.ts')}`, 0o755);
  put('/usr/bin/jsonfilter', `#!${NODE}\n${await bundled('test/machine/qemu/jsonfilter.ts')}`, 0o755);
  if (sipalg) for (const [name, bytes] of Object.entries(program())) put(`/usr/lib/sipalg/${name}`, bytes);
  makeRelease(release, all);
  const manager: Manager = release === '25.12' ? 'apk' : 'opkg';
  put(manager === 'apk' ? '/usr/bin/apk' : '/bin/opkg', readFileSync(`test/machine/qemu/managers/${manager}`), 0o755);
  for (const [path, text] of Object.entries(installed(manager, packagesOf(kernel, all)))) put(path, text);
  for (const [path, text] of Object.entries(files)) put(path, text);
  for (const [path, content] of [...all]) {
    const start = path.startsWith('/etc/init.d/') && 'bytes' in content ? /^START=(\d+)$/m.exec(content.bytes.toString())?.[1] : undefined;
    if (start !== undefined) all.set(`/etc/rc.d/S${start}${path.slice('/etc/init.d/'.length)}`, { link: `..${path.slice('/etc'.length)}` });
  }
  return all;
}

type Content = Layer extends ReadonlyMap<string, infer Each> ? Each : never;

function makeRelease(release: Release, all: Map<string, Content>): void {
  const change = (path: string, edit: (text: string) => string): void => {
    const content = all.get(path);
    if (!content || !('bytes' in content)) throw new Error(`The image has no file ${path}.`);
    all.set(path, { ...content, bytes: edit(content.bytes.toString()) });
  };
  change('/etc/openwrt_release', (text) => text.replaceAll('24.10', release));
  if (release === '22.03') {
    // What reads the file has its name in it, and this one has not.
    change('/sbin/kmodloader', (text) => text.replaceAll('/etc/modules.conf', '/dev/null'));
    all.delete('/etc/modules.conf');
  }
}

/** The packages of an image that matter here: whose configuration files and modules these are. */
function packagesOf(line: Line, all: ReadonlyMap<string, Content>): Package[] {
  const owned = (name: string, version: string, paths: readonly string[], conffiles: readonly string[] = []): Package => {
    const files = Object.fromEntries(
      paths.flatMap((path) => {
        const content = all.get(path);
        return content && 'bytes' in content ? [[path, content.bytes] as const] : [];
      }),
    );
    return { name, version, files, conffiles: conffiles.filter((path) => path in files) };
  };
  return [
    owned('node', '20.20.2-r1', []),
    owned('ubox', '2024.04.26-r1', ['/sbin/kmodloader', '/etc/modules.conf'], ['/etc/modules.conf']),
    owned('firewall4', '2024.12.18-r1', ['/sbin/fw4', '/usr/share/firewall4/helpers', '/etc/config/firewall'], ['/etc/config/firewall']),
    modulePackage(line, '6.12.1-r1', all.get(HELPERS_FILE)),
  ];
}

/** The package of the helpers' modules as an image carries it. */
function modulePackage(line: Line, version: string, autoload: Content | undefined): Package {
  const kernel = kernelOf(line);
  const store = ['nf_conntrack_sip', 'nf_nat_sip'].map(
    (name) => [`/lib/modules/${kernel.version}/${name}.ko`, kernel.module(name)!.bytes] as const,
  );
  const list = autoload && 'bytes' in autoload ? { [HELPERS_FILE]: autoload.bytes } : {};
  return { name: 'kmod-nf-nathelper-extra', version, files: { ...Object.fromEntries(store), ...list } };
}

function ordered(listing: string): string[] {
  const lines = comparable((JSON.parse(listing) as { nftables: unknown[] }).nftables).map((entry) => JSON.stringify(entry));
  const isRule = (line: string): boolean => line.startsWith('{"rule"');
  return [...lines.filter((line) => !isRule(line)).sort(), ...lines.filter(isRule)];
}
