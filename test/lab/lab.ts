/**
 * A router with the kernel's real SIP ALG between two phones and a provider, in namespaces of this machine.
 * Needs root. `openLab()`, use it, `close()`; README.md beside this file says how to use it by hand.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { bundled, type Engine } from '../bundled.ts';
import { startOf } from '../engines/start.ts';
import { filesOf, type Files } from './files.ts';
import { furnishFw3, type Fw3Ruleset } from './fw3/furnish.ts';
import { hold, type Member } from './member.ts';
import { hideModules } from './modules.ts';
import { ADDRESS, ADDRESS6, connect, type Members } from './network.ts';
import { furnish } from './openwrt.ts';
import { rootFolder } from './root.ts';
import * as sip from './sip.ts';
import { talkerIn, type Peer, type Talker } from './talker.ts';

export const RULESETS = [
  'stock-alg-on',
  'stock-alg-absent',
  'global-auto-helper-off',
  'lan-explicit-helpers',
  'set-helper-rule',
  'user-include',
  'port-forward-5060',
] as const;
export type Ruleset = (typeof RULESETS)[number];

export type LabOptions = {
  /** One of test/fixtures/fw4: its configuration is /etc/config/firewall, and its rules are loaded. */
  readonly ruleset?: Ruleset;
  /** One of test/fixtures/fw3: a router of OpenWrt 21.02, with fw3, iptables of the legacy flavour and no nft. */
  readonly fw3?: Fw3Ruleset;
  /** Whether /sys/module/nf_conntrack_sip is to be seen; 'absent' goes with the ruleset stock-alg-absent. */
  readonly modules?: { readonly sip: 'built-in' | 'absent' };
  /** The folder of the program that is to be `sipalg` on the router: dist/router as built last, if not given. */
  readonly product?: string;
  /** What runs it there; Node, if not given. */
  readonly engine?: Engine;
  /** More files of the router: path to text. */
  readonly files?: Readonly<Record<string, string>>;
};

export type End = 'phone' | 'phone2' | 'provider';

export type Sending = {
  readonly from: End;
  readonly to: End;
  readonly sourcePort?: number; // 5060
  readonly destinationPort?: number; // 5060
  readonly transport?: 'udp' | 'tcp';
  readonly family?: 4 | 6;
  readonly timeout?: number; // milliseconds to wait for the arrival, 1000
};

/** What a message says beyond where it goes. */
export type About = Pick<sip.Message, 'callId' | 'cseq' | 'branch' | 'mediaPort'>;

export type Delivery = {
  readonly sent: Buffer;
  readonly arrived: Buffer | undefined; // undefined: dropped
  readonly arrivedFrom: Peer | undefined; // as the receiver sees the sender
};

export type Lab = Members & {
  readonly files: Files; // the router's
  /** Sends bytes from one end to another and takes what arrives there. */
  send(bytes: Uint8Array, sending: Sending): Promise<Delivery>;
  /** Sends a SIP message that names the socket it is sent from. */
  sendSip(method: 'invite' | 'register' | 'options' | 'ack' | 'bye', sending: Sending & About): Promise<Delivery>;
  sendInvite(sending: Sending & About): Promise<Delivery>;
  /** Sockets in a phone or at the provider. */
  talker(end: End): Promise<Talker>;
  /** The router's rules as nft lists them in JSON. */
  ruleset(): Promise<unknown[]>;
  /** Takes everything away. May be called twice; also happens by itself when this process ends. */
  close(): Promise<void>;
};

const FIXTURES = 'test/fixtures/fw4';

/** Opens a lab. What it needs from the machine and does not find is an error that says so. */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const missing = whyNot();
  if (missing !== undefined) throw new Error(missing);
  const root = rootFolder();
  const names = ['phone', 'phone2', 'router', 'provider'] as const;
  const held = await Promise.allSettled(names.map((name) => (name === 'router' ? hold('OpenWrt', root) : hold(name))));
  const all = held.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  try {
    for (const one of held) if (one.status === 'rejected') throw one.reason;
    const [phone, phone2, router, provider] = all as [Member, Member, Member, Member];
    await connect({ phone, phone2, router, provider });
    return await furnished({ phone, phone2, router, provider }, options);
  } catch (error) {
    for (const member of all) member.end();
    throw error;
  }
}

/** Why there can be no lab on this machine, with what to do; undefined if there can. */
export function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'The lab makes network namespaces, which only root may: run it again with sudo.';
  }
  return undefined;
}

async function furnishFw4(files: Files, ruleset: Ruleset): Promise<void> {
  const include = `${FIXTURES}/${ruleset}.nftables.d-20-user.nft`;
  if (existsSync(include)) files.write('/etc/nftables.d/20-user.nft', readFileSync(include, 'utf8'));
  files.write('/sbin/fw4', `#!${process.execPath}\n${await bundled('test/lab/fw4.ts')}`, 0o755);
}

async function furnished(members: Members, options: LabOptions): Promise<Lab> {
  const { router } = members;
  const ruleset = options.ruleset ?? 'stock-alg-on';
  const files = filesOf(router.pid);
  furnish(files, readFileSync(`${FIXTURES}/${ruleset}.config`, 'utf8'));
  if (options.fw3 !== undefined) await furnishFw3(router, files, options.fw3);
  else await furnishFw4(files, ruleset);
  // As on a router: the program with its chunks beside it, below no package.json.
  const product = options.product ?? 'dist/router';
  for (const name of readdirSync(product)) files.write(`/usr/lib/sipalg/${name}`, readFileSync(`${product}/${name}`));
  const engine = options.engine ?? 'node';
  const start = (await startOf(engine)).map((word) => `'${word}'`).join(' ');
  const program = engine === 'node' ? 'sipalg.mjs' : 'sipalg.qjs.mjs';
  files.write('/usr/sbin/sipalg', `#!/bin/sh\nexec ${start} /usr/lib/sipalg/${program} "$@"\n`, 0o755);
  for (const [path, text] of Object.entries(options.files ?? {})) files.write(path, text);
  const sipModule = options.modules?.sip ?? (ruleset === 'stock-alg-absent' ? 'absent' : 'built-in');
  if (sipModule === 'absent') await hideModules(router, (name) => name === 'nf_conntrack_sip' || name === 'nf_nat_sip');
  if (options.fw3 !== undefined) await router.must(['fw3', 'start']);
  else {
    await router.must(['nft', '-f', '-'], { input: readFileSync(`${FIXTURES}/${ruleset}.print.nft`, 'utf8') });
    files.write('/var/run/fw4.state', '{}\n');
  }

  const talkers = new Map<End, Promise<Talker>>();
  const talker = (end: End): Promise<Talker> => {
    const known = talkers.get(end) ?? talkerIn(members[end]);
    talkers.set(end, known);
    return known;
  };

  async function send(bytes: Uint8Array, sending: Sending): Promise<Delivery> {
    const addresses = sending.family === 6 ? ADDRESS6 : ADDRESS;
    const to = { address: addresses[sending.to], port: sending.destinationPort ?? 5060 };
    const [sender, receiver] = await Promise.all([talker(sending.from), talker(sending.to)]);
    const tcp = sending.transport === 'tcp';
    const there = await (tcp ? receiver.listen(to.address, to.port) : receiver.udp(to.address, to.port));
    try {
      const from = addresses[sending.from];
      const here = await (tcp ? sender.tcp(from, sending.sourcePort ?? 5060, to) : sender.udp(from, sending.sourcePort ?? 5060));
      try {
        await here.send(bytes, to);
        const received = await there.next(sending.timeout);
        return { sent: Buffer.from(bytes), arrived: received?.bytes, arrivedFrom: received?.from };
      } finally {
        await here.close();
      }
    } finally {
      await there.close();
    }
  }

  const lab: Lab = {
    ...members,
    files,
    send,
    talker,
    sendSip(method, sending) {
      const addresses = sending.family === 6 ? ADDRESS6 : ADDRESS;
      const text = sip[method]({
        ...sending,
        from: { address: addresses[sending.from], port: sending.sourcePort ?? 5060, user: sending.from },
        to: { address: addresses[sending.to], port: sending.destinationPort ?? 5060, user: sending.to },
        transport: sending.transport === 'tcp' ? 'TCP' : 'UDP',
      });
      return send(Buffer.from(text, 'latin1'), sending);
    },
    sendInvite: (sending) => lab.sendSip('invite', sending),
    async ruleset() {
      return (JSON.parse(await router.must(['nft', '-j', 'list', 'ruleset'])) as { nftables: unknown[] }).nftables;
    },
    async close() {
      for (const member of [members.phone, members.phone2, members.router, members.provider]) member.end();
      await Promise.all([members.phone, members.phone2, members.router, members.provider].map((one) => one.gone));
    },
  };
  return lab;
}
