/**
 * Records routers with voice rules as folders of test/fixtures/routers: `sipalg apply` has run in the lab, and what a look asks
 * about the voice rules and the firewall is asked there. What it asks about the rest (release, kernel, modules) is another
 * recorded router's, which like.txt names. Times in the files of names are moved to the moment at which recorded routers are
 * looked at.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host, Outcome } from '../../../src/host/host.ts';
import { filterLines } from '../../../src/host/lines.ts';
import { decode, encode } from '../../../src/host/text.ts';
import { createSurveyor } from '../../../src/survey/survey.ts';
import { createVoice } from '../../../src/voice/voice.ts';
import { bundled } from '../../bundled.ts';
import type { Lab } from '../lab.ts';
import { ADDRESS } from '../network.ts';
import { commandFile, NOW, recordedRouter, ROUTERS } from '../../routers.ts';
import { openFw3 } from './fw3.ts';
import { configuration, openHouse, PROVIDER } from './router.ts';
import type { House } from './router.ts';

/** What is asked in the lab; all else is the other router's. */
const PATHS = new RegExp(
  [
    '^/etc/sipalg',
    '^/var/run/(sipalg|fw[34]\\.state$)',
    '^/etc/config/(sipalg|firewall|network|sqm|qosify)$',
    '^/etc/qosify',
    '^/etc/sysctl\\.d/99-sipalg\\.conf$',
    '^/proc/net/(ipv6_route|if_inet6|xt_recent|ipt_hashlimit|ip6t_hashlimit|ip_tables_matches|ip_tables_targets)',
    '^/proc/(timer_list|uptime)$',
    '^/sys/module/xt_recent/',
    '^/proc/sys/net/netfilter/nf_conntrack_udp_timeout',
  ].join('|'),
);
const COMMANDS = /^(nft|ipset|ip6?tables-(save|restore))$/;

interface Scene {
  like: string;
  /** What router it is, for its README.md. */
  about: string;
  /** Paths and commands that are not there, beside those of the other router. */
  absent?: readonly string[];
  /** Files of the other router whose lines about SIP are left out. */
  without?: readonly string[];
  /** Opens the lab, and does all that is to be seen afterwards. */
  make(): Promise<Lab>;
}

const bytes = (text: string): Buffer => Buffer.from(encode(text));

/** A host that asks the lab or the other router, and writes down what the lab answers. */
function recording(lab: Lab, like: Host, folder: string, lacking: readonly string[]): Host {
  const put = (path: string, text: string): void => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes(text));
  };
  const absent = new Set<string>();
  const gone = (what: string): void => {
    absent.add(what);
    put('absent.txt', `${[...absent].sort().join('\n')}\n`);
  };
  // No daemon of OpenWrt's runs in the lab.
  for (const what of ['ubus', ...lacking]) gone(what);
  const selected = (text: string, holding: readonly string[] | undefined): string => {
    if (holding === undefined) return text;
    const filter = filterLines(holding);
    filter.push(encode(text));
    return decode(filter.end());
  };
  /** The files of names, as if they had been written when recorded routers are looked at. */
  const moved = (path: string, text: string): string =>
    !path.endsWith('/sipalg.names')
      ? text
      : `${JSON.stringify(
          JSON.parse(text, (key, value: unknown) =>
            ['at', 'until'].includes(key) && typeof value === 'number' && value > 0 ? value - started + NOW : value,
          ),
        )}\n`;
  const started = Date.now();
  const host: Host = {
    ...like,
    async read(path, options = {}) {
      if (absent.has(path)) return { state: 'absent', source: path };
      if (!PATHS.test(path)) return like.read(path, options);
      const { status, stdout } = await lab.router.run(['cat', path]);
      if (status !== 0) {
        gone(path);
        return { state: 'absent', source: path };
      }
      const value = moved(path, selected(stdout, options.select?.holding));
      put(`root${path}`, value);
      return { state: 'present', value, source: path };
    },
    async kind(path) {
      if (absent.has(path)) return { state: 'absent', source: path };
      if (!PATHS.test(path)) return like.kind(path);
      const text = await host.read(path);
      return text.state === 'present' ? { ...text, value: 'file' } : text;
    },
    async list(path) {
      if (path !== '/etc' && !PATHS.test(path)) return like.list(path);
      const { status, stdout } = await lab.router.run(['ls', path]);
      const names = stdout.split('\n').filter((name) => name !== '');
      // What else is in /etc is the other router's.
      const mine = path === '/etc' ? names.filter((name) => name.startsWith('sipalg')) : names;
      if (status !== 0) {
        gone(path);
        return { state: 'absent', source: path };
      }
      for (const name of mine) await host.read(`${path}/${name}`);
      return { state: 'present', value: mine, source: path };
    },
    async run(argv, options = {}) {
      const command = argv.join(' ');
      if (absent.has(argv[0] as string)) return { state: 'absent', command };
      if (!COMMANDS.test(argv[0] as string)) return like.run(argv, options);
      const { status, stdout, stderr } = await lab.router.run(argv, options.input === undefined ? {} : { input: options.input });
      if (status === 127 || status === null) {
        gone(argv[0] as string);
        return { state: 'absent', command };
      }
      const name = commandFile(argv, options.input).replace(/\.txt$/, '');
      const outcome: Outcome = { state: 'exited', command, code: status, stdout: selected(stdout, options.select?.holding), stderr };
      put(`run/${name}.txt`, outcome.stdout);
      if (options.input !== undefined) put(`run/${name}.input.txt`, options.input);
      if (stderr !== '') put(`run/${name}.stderr.txt`, stderr);
      if (status !== 0) put(`run/${name}.exit.txt`, `${status}\n`);
      return outcome;
    },
    now: () => NOW,
  };
  return host;
}

const applied = async (config: string, more: (house: House) => Promise<void> = async () => undefined): Promise<Lab> => {
  const house = await openHouse();
  await house.mustApply(config);
  await more(house);
  return house;
};

const nft = (house: Lab, ...argv: string[]): Promise<string> => house.router.must(['nft', ...argv]);

async function named(house: House): Promise<void> {
  house.files.write('/etc/resolv.conf', 'nameserver 127.0.0.1\n');
  const server = house.router.spawn([process.execPath, '-e', await bundled('test/lab/name-server.ts'), 'serve', '127.0.0.1', '53']);
  const line = (): Promise<void> =>
    new Promise((resolve) => {
      server.child.stdout.once('data', () => resolve());
    });
  await line();
  const said = line();
  server.child.stdin.write(`${JSON.stringify({ zone: { 'A sip.voip.example': { ttl: 60, data: [[ADDRESS.provider]] } }, delay: 0 })}\n`);
  await said;
  const config = configuration("config provider 'named'\n\tlist host 'sip.voip.example'\n\tlist host 'new.voip.example'\n");
  await house.mustApply(config);
  server.child.stdin.end();
  await server.ended;
  // As if the time of the answer had passed.
  const file = '/var/run/sipalg.names';
  house.files.write(file, house.files.read(file).replace(/"until":\d+/g, '"until":1'));
  await house.mustApply(config);
}

const FW3 = `config provider 'example'
	list signalling '203.0.113.10'
	list signalling '2001:db8:113::10'
	list media '198.51.100.0/24'
`;

async function fw3(): Promise<Lab> {
  const lab = await openFw3('legacy');
  const names = ['iptables', 'ip6tables'].flatMap((family) => ['', '-save', '-restore'].map((tool) => `${family}${tool}`));
  // As on a router with one flavour: its commands have the plain names alone, and there is no nft.
  await lab.router.must([
    'sh',
    '-ec',
    `cd /usr/sbin; rm -f nft ip*tables-legacy* ip*tables-nft*; for name in ${names.join(' ')}; do ln -sf xtables-legacy-multi $name; done`,
  ]);
  lab.files.write('/etc/config/sipalg', configuration(FW3));
  await lab.router.must(['sipalg', 'apply'], { timeout: 120_000 });
  return lab;
}

/** The other router without the SIP modules: what is not there, and what its files hold without them. */
const NO_SIP = ['nf_conntrack_sip', 'nf_nat_sip'].flatMap((name) => [`/sys/module/${name}`, `/lib/modules/5.4.238/${name}.ko`]);
const WITHOUT_SIP = ['/proc/modules', '/etc/modules.d/nf-nathelper-extra', '/proc/net/nf_conntrack', '/proc/net/nf_conntrack_expect'];

const SCENES: Readonly<Record<string, Scene>> = {
  'voice-in-force': {
    like: 'stock-alg-absent',
    about: 'The voice rules are wished and in force, in nftables; a scanner was limited, and a phone has registered.',
    make: () =>
      applied(configuration(PROVIDER), async (house) => {
        await house.scan({ count: 30 });
        await house.sendSip('register', { from: 'phone', to: 'provider' });
      }),
  },
  'voice-changed': {
    like: 'stock-alg-absent',
    about: 'The voice rules were in force; then somebody flushed a chain of theirs, and the addresses of the provider.',
    make: () =>
      applied(configuration(PROVIDER), async (house) => {
        await nft(house, 'flush', 'chain', 'inet', 'sipalg', 'signalling');
        await nft(house, 'flush', 'set', 'inet', 'sipalg', 'signalling4');
      }),
  },
  'voice-networks-changed': {
    like: 'stock-alg-absent',
    about: 'The voice rules were in force; then somebody added a network to the provider, in the kernel alone.',
    make: () =>
      applied(configuration(PROVIDER), async (house) => {
        await nft(house, 'add', 'element', 'inet', 'sipalg', 'media4', '{ 198.51.100.0/24 }');
      }),
  },
  'voice-listing-lost': {
    like: 'stock-alg-absent',
    about:
      'The voice rules are in force, and the listing that was kept when they were loaded is gone: nobody knows whether they are whole.',
    make: () => applied(configuration(PROVIDER), async (house) => house.files.remove('/var/run/sipalg.policy')),
  },
  'voice-missing': {
    like: 'stock-alg-absent',
    about: 'The voice rules are wished, and `sipalg apply` has not run yet.',
    make: async () => {
      const house = await openHouse();
      house.files.write('/etc/config/sipalg', configuration(PROVIDER));
      return house;
    },
  },
  'voice-left': {
    like: 'stock-alg-absent',
    about: 'The voice rules were in force and are not wished any more; `sipalg apply` has not run since.',
    make: () => applied(configuration(PROVIDER), async (house) => house.files.write('/etc/config/sipalg', configuration(PROVIDER, 0))),
  },
  'voice-stale-names': {
    like: 'stock-alg-absent',
    about:
      'The voice rules are in force; of two names of the provider one was answered once and then no more (its time was set to be over), the other never.',
    make: async () => {
      const house = await openHouse();
      await named(house);
      return house;
    },
  },
  'voice-inbound': {
    like: 'stock-alg-absent',
    about: "The voice rules are in force, with calls let in to a PBX; somebody has emptied the firewall's set of the provider.",
    make: () =>
      applied(
        configuration(`${PROVIDER}\toption inbound '1'\n\tlist pbx '${ADDRESS.phone}'\n\toption media_ports '10000-10100'\n`),
        async (house) => {
          await nft(house, 'flush', 'set', 'inet', 'fw4', 'sipalg_lab_in4');
        },
      ),
  },
  'voice-shapers': {
    like: 'stock-alg-absent',
    about: 'The voice rules are in force, with SQM and qosify as their packages set them up, which treat voice like all else.',
    make: () =>
      applied(configuration(PROVIDER), async (house) => {
        house.files.write(
          '/etc/config/sqm',
          "config queue 'eth1'\n\toption enabled '1'\n\toption interface 'wan'\n\toption script 'piece_of_cake.qos'\n",
        );
        house.files.write('/etc/config/qosify', 'config interface wan\n\toption name wan\n\toption disabled 0\n');
        house.files.write('/etc/qosify/00-defaults.conf', '# DNS\ntcp:53 voice\nudp:53 voice\n');
      }),
  },
  'voice-offload': {
    like: 'stock-alg-absent',
    about:
      'The voice rules were in force; then flow offload was switched on in /etc/config/firewall, and `sipalg apply` has not run since. '
      + 'This kernel has no flow tables, so the firewall is loaded without.',
    make: () =>
      applied(configuration(PROVIDER), async (house) => {
        const path = '/etc/config/firewall';
        house.files.write(path, house.files.read(path).replace('config defaults\n', "config defaults\n\toption flow_offloading '1'\n"));
      }),
  },
  'voice-fw3': {
    like: 'fw3-21.02',
    about: 'The voice rules are wished and in force, in iptables (legacy 1.8.9) with ipset, beside the rules of fw3.',
    absent: NO_SIP,
    without: WITHOUT_SIP,
    make: fw3,
  },
  'voice-fw3-changed': {
    like: 'fw3-21.02',
    about: 'The voice rules were in force in iptables; then somebody deleted a rule of a chain of theirs, in IPv4 alone.',
    absent: NO_SIP,
    without: WITHOUT_SIP,
    make: async () => {
      const lab = await fw3();
      await lab.router.must(['iptables', '-t', 'mangle', '-D', 'sipalg_unknown', '1']);
      return lab;
    },
  },
};

async function main(wanted: readonly string[]): Promise<void> {
  const unknown = wanted.find((name) => SCENES[name] === undefined);
  if (unknown !== undefined) throw new Error(`There is no router '${unknown}' to record; there are ${Object.keys(SCENES).join(', ')}.`);
  for (const name of wanted.length > 0 ? wanted : Object.keys(SCENES)) {
    const scene = SCENES[name] as Scene;
    const folder = join(ROUTERS, name);
    for (const part of ['root', 'run', 'absent.txt']) rmSync(join(folder, part), { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'like.txt'), `${scene.like}\n`);
    writeFileSync(join(folder, 'README.md'), `${scene.about}\n\nRecorded in the lab by \`node test/record.mjs ${name}\`.\n`);
    const lab = await scene.make();
    try {
      const like = recordedRouter(scene.like);
      for (const path of scene.without ?? []) {
        const text = await like.read(path);
        if (text.state !== 'present') throw new Error(`${scene.like} has no ${path}`);
        const kept = text.value.split('\n').filter((line) => !/sip|port=5060/.test(line));
        mkdirSync(dirname(join(folder, `root${path}`)), { recursive: true });
        writeFileSync(join(folder, `root${path}`), bytes(kept.join('\n')));
      }
      await createSurveyor('0.0.0', async () => createVoice(null)).look(recording(lab, recordedRouter(name), folder, scene.absent ?? []));
    } finally {
      await lab.close();
    }
    console.log(`recorded ${folder}`);
  }
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
