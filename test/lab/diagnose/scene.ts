/** What the scenes of a diagnosis share: phones that register, calls with audio, and what `sipalg diagnose` says of them. */
import { bundled } from '../../bundled.ts';
import type { DiagnosisDocument } from '../../../src/diagnose/diagnose.ts';
import type { Lab } from '../lab.ts';
import type { Process } from '../member.ts';
import { ADDRESS } from '../network.ts';
import type { Socket } from '../talker.ts';

export type End = 'phone' | 'phone2' | 'provider';

/** A way in which calls are broken for real. */
export type Scene = {
  /** What it is, and the causes that are made: all of them have to be named, and nothing else. */
  readonly name: string;
  readonly made: readonly string[];
  /** Causes that no router can tell: they have to stand under "cannot be known". */
  readonly hidden?: readonly string[];
  /** Causes that could be taken for it, and have to be ruled out. */
  readonly not?: readonly string[];
  /** It waits for half a minute: it is played in a lab of its own, beside the others. */
  readonly waits?: true;
  /** What is asked; nothing if not given. */
  readonly ask?: string;
  make(stage: Stage): Promise<void>;
};

export type Stage = {
  readonly lab: Lab;
  /** Registers a phone: its message, and an answer where the provider gives one. */
  register(who: 'phone' | 'phone2', options?: { port?: number; answered?: boolean }): Promise<Socket>;
  /** Registers and says something more than two seconds later, so that the state is a stream's. */
  settle(who: 'phone' | 'phone2', port?: number): Promise<Socket>;
  /** Audio from a place; it runs until the scene ends. */
  rtp(
    who: End,
    wish: { address?: string; port: number; to?: { address: string; port: number }; echo?: true | number; size?: number; every?: number },
  ): Promise<Process>;
  /** Both sides of the audio of a call, running. `echo: false`: the far end sends by its own clock. */
  call(who: 'phone' | 'phone2', options?: { port?: number; echo?: boolean }): Promise<void>;
  /** Waits until the router has counted so many packets from a phone's port. */
  counted(who: 'phone' | 'phone2', port: number, packets: number): Promise<void>;
  provider(port: number): Promise<Socket>;
  nft(rules: string): Promise<void>;
  /** Something to be undone when the scene ends. */
  after(undo: () => Promise<unknown>): void;
  pause(milliseconds: number): Promise<void>;
};

export const FAR = 20000;
export const NEAR = 4000;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @param more bytes of the message, at least; or whom a REGISTER is for */
export function message(method: string, from: string, port: number, more: number | { registers: string } = 400): string {
  const { registers } = typeof more === 'number' ? { registers: undefined } : more;
  const via = `Via: SIP/2.0/UDP ${from}:${port};branch=z9hG4bK${port}`;
  const head = `${method} sip:${ADDRESS.provider} SIP/2.0\r\n${via}\r\nCSeq: 1 ${method}\r\n`;
  if (registers !== undefined) {
    const who = `<sip:${registers}@${ADDRESS.provider}>`;
    const dialog = `From: ${who};tag=${port}\r\nTo: ${who}\r\nCall-ID: ${port}\r\n`;
    return `${head}${dialog}Contact: <sip:${registers}@${from}:${port}>\r\nContent-Length: 0\r\n\r\n`;
  }
  return `${head}X-Filling: ${'x'.repeat(Math.max(0, (more as number) - head.length - 15))}\r\n\r\n`;
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 400; tries++, await pause(50)) if (await holds()) return;
  throw new Error(`It did not come about that ${what}`);
}

/** The kernel's log is the whole machine's: what other labs' ALGs have dropped is nothing of this one's. */
export async function withoutLog(lab: Lab): Promise<void> {
  const path = (await lab.router.must(['sh', '-c', 'command -v dmesg'])).trim();
  lab.files.write(path, '#!/bin/sh\nexit 0\n', 0o755);
}

/** Runs one scene in a lab, asks, and leaves the lab as it was. */
export async function play(lab: Lab, scene: Scene): Promise<DiagnosisDocument> {
  await withoutLog(lab);
  // OpenWrt has it in busybox.
  lab.files.write('/usr/bin/ping', '#!/bin/sh\nexec busybox ping "$@"\n', 0o755);
  const undone: (() => Promise<unknown>)[] = [];
  const sockets = new Map<string, Socket>();
  const open = async (who: End, port: number): Promise<Socket> => {
    const key = `${who} ${port}`;
    const known = sockets.get(key);
    if (known !== undefined) return known;
    const socket = await (await lab.talker(who)).udp(ADDRESS[who], port);
    sockets.set(key, socket);
    undone.push(() => socket.close());
    return socket;
  };
  const stage: Stage = {
    lab,
    after: (undo) => void undone.push(undo),
    pause,
    provider: (port) => open('provider', port),
    async register(who, { port = 5060, answered = true } = {}) {
      const [phone, far] = await Promise.all([open(who, port), open('provider', 5060)]);
      await phone.send(Buffer.from(message('REGISTER', ADDRESS[who], port)), { address: ADDRESS.provider, port: 5060 });
      if (!answered) return phone;
      const came = await far.next(10_000);
      if (came === undefined) throw new Error(`The REGISTER of ${who} did not come to the provider`);
      await far.send(Buffer.from('SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n\r\n'), came.from);
      await phone.next(10_000);
      return phone;
    },
    async settle(who, port = 5060) {
      await stage.register(who, { port });
      await pause(2200);
      for (let times = 0; times < 6; times++) await stage.register(who, { port });
      return open(who, port);
    },
    async rtp(who, wish) {
      const started = lab[who].spawn([
        process.execPath,
        '-e',
        await bundled('test/lab/diagnose/rtp.ts'),
        JSON.stringify({ address: ADDRESS[who], ...wish }),
      ]);
      undone.push(async () => {
        if (started.child.exitCode === null) started.child.stdin.end();
        await started.ended;
      });
      await new Promise<void>((resolve, reject) => {
        started.child.stdout.once('data', () => resolve());
        started.ended.then(() => reject(new Error(`audio at ${who} ended`)), reject);
      });
      return started;
    },
    async call(who, { port = NEAR, echo = true } = {}) {
      await stage.rtp('provider', { port: FAR, ...(echo ? { echo } : { to: { address: ADDRESS.wan, port } }) });
      await stage.rtp(who, { port, to: { address: ADDRESS.provider, port: FAR } });
      await stage.counted(who, port, 60);
    },
    async counted(who, port, packets) {
      await until(async () => {
        const flows = await lab.router.must(['conntrack', '-L', '-p', 'udp', '--orig-src', ADDRESS[who], '--orig-port-src', String(port)]);
        return Number(/packets=(\d+)/.exec(flows)?.[1] ?? 0) >= packets;
      }, `${packets} packets of audio left ${who}`);
    },
    async nft(rules) {
      await lab.router.must(['nft', '-f', '-'], { input: rules });
    },
  };
  try {
    await scene.make(stage);
    const words = scene.ask === undefined ? [] : [scene.ask];
    const ran = await lab.router.run(['sipalg', 'diagnose', ...words, '--json'], { timeout: 60_000 });
    if (ran.status === 2 || ran.stdout === '') throw new Error(`${scene.name}: sipalg diagnose ended with ${ran.status}: ${ran.stderr}`);
    return (JSON.parse(ran.stdout) as { diagnosis: DiagnosisDocument }).diagnosis;
  } finally {
    const failed: string[] = [];
    for (const undo of undone.reverse()) await undo().catch((error: Error) => failed.push(error.message));
    await lab.router.run(['sh', '-c', 'nft delete table ip mine; conntrack -F'], { timeout: 20_000 });
    if (failed.length > 0) console.log(`${scene.name} was not undone: ${failed.join('; ')}`);
  }
}

/** Another configuration of the firewall while a scene runs. */
export async function configured({ lab, after }: Stage, sections: string): Promise<void> {
  const before = lab.files.read('/etc/config/firewall');
  lab.files.write('/etc/config/firewall', `${before}\n${sections}`);
  after(async () => {
    lab.files.write('/etc/config/firewall', before);
    await lab.router.must(['fw4', '-q', 'reload']);
  });
  await lab.router.must(['fw4', '-q', 'reload']);
}

/** Somebody else on the internet, beside the provider. */
export const STRANGER = '203.0.113.66';
export async function withStranger({ lab: { provider }, after }: Stage): Promise<void> {
  after(() => provider.must(['ip', 'addr', 'del', `${STRANGER}/24`, 'dev', 'eth0']));
  await provider.must(['ip', 'addr', 'add', `${STRANGER}/24`, 'dev', 'eth0']);
}

/** A rule of nftables in a chain of its own. */
export const chain = (hook: string, rules: string): string =>
  `table ip mine {\n  set blocked { type ipv4_addr; }\n  chain one {\n    type ${hook}; policy accept;\n    ${rules}\n  }\n}\n`;
