/**
 * What this router does to a call, by live packets: messages of a fake phone go in at the LAN as a phone's do, and are
 * recorded and dropped as they come out towards the internet; answers go back the same way. Nothing leaves the router, and
 * what was made is taken away.
 */
import type { Clock } from '../host/clock.ts';
import type { Host, Lock } from '../host/host.ts';
import { parseExpectations } from '../languages/kernel/expectations.ts';
import type { Facts } from '../observe/facts.ts';
import { orElse, understood } from '../observe/reading.ts';
import { groundOf, PROVIDER } from './ground.ts';
import type { Ground } from './ground.ts';
import { droppedReasons } from './log.ts';
import { lackingPackage } from './packages.ts';
import { frame, solicitation } from './packet.ts';
import { pairOf, plugIn } from './pair.ts';
import type { Pair } from './pair.ts';
import { clearLeft, sweep, unmake, writeMade } from './record/made.ts';
import type { Made } from './record/made.ts';
import type { Recorded } from './record/recorded.ts';
import { CannotRecord, startRecorder, tableOf } from './record/recorder.ts';
import type { Recorder } from './record/recorder.ts';
import { NARROW, recordable } from './record/taps.ts';
import type { Tap } from './record/taps.ts';
import { repliesTo } from './replies.ts';
import type { Arrived } from './replies.ts';
import { alterationsOf, resultOf, verdictOf, withGrowth } from './results.ts';
import type { Alteration, Known, ProbeVerdict, Result, Sent } from './results.ts';
import { vectorsOf } from './vectors.ts';
import { pingScript, pingSize, writingChains } from './write.ts';
import type { Writing } from './write.ts';

export interface ProbeReport {
  readonly verdict: ProbeVerdict;
  /** Why it is inconclusive, the end of a sentence; null where it is not. */
  readonly because: string | null;
  /** How it was done: by a phone of the LAN, or by one with an address that is not the LAN's, which proves less; null: not at all. */
  readonly way: 'phone' | 'address outside the LAN' | null;
  readonly lan: string | null;
  /** Devices towards the internet that were watched, and the one the messages left by. */
  readonly wans: readonly string[];
  readonly left: string | null;
  /** Whether the router translates addresses there; null where nothing came out. */
  readonly translated: boolean | null;
  readonly phones: readonly string[];
  readonly alterations: readonly Alteration[];
  readonly messages: readonly Result[];
  /** Holes that a helper held open for the fake phones: what says that the ALG follows a call, rewritten or not. */
  readonly expectations: readonly string[];
  /** What has to be known beside it: sentences. */
  readonly remarks: readonly string[];
  /** What could not be taken away: sentences. */
  readonly leftOver: readonly string[];
  /** Milliseconds it took. */
  readonly took: number;
}

export interface ProbeOptions {
  /** The LAN's device, where the owner named one. */
  readonly lan: string | null;
  /** Milliseconds to wait for another test that runs. */
  readonly patience: number;
  readonly goOn: () => boolean;
}

const LOCK = '/var/run/sipalg.probe.lock';
/** Milliseconds: until a ping has to have started, until what was sent has to have come out, and between two looks. */
const STARTING = 8000;
const PATIENCE = 1200;
const LOOK = 25;
const MACS = ['02:51:be:00:00:11', '02:51:be:00:00:12'] as const;
/** High, and nobody's factory setting: an ALG lets two calls have no RTP port in common. */
const MEDIA = 61_414;
/** Of an address for measurements (RFC 2544), should the LAN have no free one. */
const OUTSIDE = ['198.19.81.201', '198.19.81.202'] as const;
/** One hop: should all else fail, nothing gets further than the next router. */
const TTL = 2;
const FIRST_ID = 0x5160;
const FIRST_REPLY_ID = 0x51a0;

const nothing = (because: string, more: Partial<ProbeReport> = {}): ProbeReport => ({
  verdict: 'inconclusive',
  because,
  way: null,
  lan: null,
  wans: [],
  left: null,
  translated: null,
  phones: [],
  alterations: [],
  messages: [],
  expectations: [],
  remarks: [],
  leftOver: [],
  took: 0,
  ...more,
});

/** Never rejects for what is about the router: that is a report, too. @throws Error in a sentence where a file of ours cannot be written */
export async function probe(host: Host, clock: Clock, facts: Facts, options: ProbeOptions): Promise<ProbeReport> {
  const began = clock.now();
  if (host.process().uid !== 0) return nothing('a test makes rules and a device, which only root may: run it as root');
  const remarks: string[] = await clearLeft(host);
  const got = await host.lock(LOCK, options.patience, `process ${host.process().pid} tests what this router does to a call`);
  if ('busy' in got) return nothing(`another test goes on (${got.busy}); try again when it has ended`);
  const lock: Lock = got.lock;
  try {
    await sweep(host);
    const ground = await groundOf(host, facts, options.lan);
    if ('because' in ground) return nothing(ground.because, { remarks, took: clock.now() - began });
    const report = await new Run(host, clock, facts, ground, options.goOn, remarks).report();
    return { ...report, took: Math.round(clock.now() - began) };
  } finally {
    await lock.release();
  }
}

class Run {
  private readonly host: Host;
  private readonly clock: Clock;
  private readonly facts: Facts;
  private readonly ground: Ground;
  private readonly goOn: () => boolean;
  private readonly remarks: string[];
  private readonly pair: Pair;
  private readonly phones: readonly string[];
  private readonly isOutside: boolean;
  private readonly made: Made;
  private readonly isWide: boolean;
  private readonly pings: string[] = [];
  private recorder: Recorder | null = null;

  constructor(host: Host, clock: Clock, facts: Facts, ground: Ground, goOn: () => boolean, remarks: string[]) {
    this.host = host;
    this.clock = clock;
    this.facts = facts;
    this.ground = ground;
    this.goOn = goOn;
    this.remarks = remarks;
    this.pair = pairOf(host);
    this.isOutside = ground.phones.length === 0;
    this.phones = this.isOutside ? OUTSIDE : ground.phones;
    this.isWide = recordable(ground.kernel) > NARROW;
    const { device } = ground.lan;
    this.made = {
      tables: [],
      devices: [this.pair.phone],
      routes: this.isOutside ? this.phones.map((address) => [`${address}/32`, 'dev', device]) : [],
      neighbours: this.phones.map((address) => ({ address, device })),
      hosts: [...this.phones, ground.trigger.own],
    };
  }

  async report(): Promise<ProbeReport> {
    const { host, ground, pair, made } = this;
    const about = {
      lan: ground.lan.device,
      wans: ground.wans,
      phones: this.phones,
      remarks: this.remarks,
      way: this.isOutside ? ('address outside the LAN' as const) : ('phone' as const),
    };
    if (this.isOutside)
      this.remarks.push(
        `No address of ${ground.lan.address}/${ground.lan.prefix} is free, so the phone has one that is not the LAN's: ` +
          'rules that go by addresses of the LAN are not tested.',
      );
    await writeMade(host, { ...made, tables: [tableOf(host, 'probe')] });
    try {
      const wrong = await plugIn(host, this.clock, pair, ground.lan.device, ground.lan.mtu, ground.trigger.own);
      if (wrong === 'veth') return await this.away(nothing(lackingPackage(this.facts.system, 'kmod-veth'), about));
      if (wrong !== null) return await this.away(nothing(`the test phone could not be plugged in: ${wrong}`, about));
      for (const route of made.routes) await host.run(['ip', 'route', 'add', ...route]);
      const sent = this.outgoing();
      const first = this.writing('out', [...this.solicitations(), ...sent.map(({ sent: one, mac }) => this.frameOf(one, mac))]);
      this.recorder = await startRecorder(host, 'probe', this.taps(), {
        messages: 64,
        seconds: 60,
        kernel: ground.kernel,
        made,
        more: [...writingChains(first, this.isWide), ...this.guards()],
      });
      return await this.away(await this.measure(sent, first, about));
    } catch (error) {
      if (error instanceof CannotRecord)
        return await this.away(
          nothing(error.lacks === 'netdev' ? lackingPackage(this.facts.system, 'kmod-nft-netdev') : error.message, about),
        );
      return await this.away(nothing((error as Error).message.replace(/\.$/, ''), about));
    }
  }

  /** Takes everything away, whatever came of it. */
  private async away(report: ProbeReport): Promise<ProbeReport> {
    if (this.pings.length > 0) await this.host.run(['sh', '-c', `kill ${this.pings.join(' ')} 2>/dev/null; :`]);
    const leftOver = await unmake(this.host, { ...this.made, tables: [tableOf(this.host, 'probe')] });
    return { ...report, leftOver };
  }

  private macOf(phone: string): string {
    return MACS[this.phones.indexOf(phone)] ?? MACS[0];
  }

  private outgoing(): { sent: Sent; mac: string }[] {
    const [phone, second = null] = this.phones as [string, string?];
    const scene = { phone, second, provider: PROVIDER, mtu: this.ground.mtu, media: MEDIA };
    return vectorsOf(scene).map(({ name, tests, control = false, ends, text }, index) => ({
      sent: { name, tests, control, toProvider: true, ends, expected: ends, text, id: FIRST_ID + index },
      mac: this.macOf(ends.from.address),
    }));
  }

  private frameOf({ ends, text, id }: Sent, mac: string): number[] {
    return frame({ ...ends, payload: text, id, ttl: TTL + 1 }, { from: mac, to: this.ground.lan.mac });
  }

  private solicitations(): number[][] {
    const { lan } = this.ground;
    return this.phones.map((phone) => solicitation({ from: this.macOf(phone), to: lan.mac }, phone, lan.address));
  }

  private writing(name: string, frames: number[][]): Writing {
    return { name, device: this.pair.phone, trigger: this.ground.trigger.peer, frames };
  }

  private taps(): Tap[] {
    const tap = { family: 'ip', transport: 'udp', hook: 'egress', drop: true } as const;
    return [
      ...this.ground.wans.map((device, index) => ({ ...tap, name: `wan${index}`, device, matches: [`ip daddr ${PROVIDER}`] })),
      { ...tap, name: 'lan', device: this.ground.lan.device, matches: [`ip saddr ${PROVIDER}`] },
    ];
  }

  /** What else has to do with the fake phones goes nowhere: errors of ICMP, fragments, frames of the LAN to the phone's end. */
  private guards(): string[] {
    const { wans, lan } = this.ground;
    const guard = (name: string, hook: string, device: string, rules: string[]): string[] => [
      `  chain ${name} { type filter hook ${hook} device "${device}" priority -340; policy accept;`,
      ...rules.map((rule) => `    ${rule} counter drop`.trimStart()),
      '  }',
    ];
    return [
      ...wans.flatMap((device, index) => guard(`guard${index}`, 'egress', device, [`ip daddr ${PROVIDER}`])),
      ...guard('guardlan', 'egress', lan.device, [`ip saddr ${PROVIDER}`, `ip daddr { ${this.phones.join(', ')} }`]),
      ...guard('guardphone', 'ingress', this.pair.phone, ['']),
    ];
  }

  private async ping(frames: readonly (readonly number[])[]): Promise<void> {
    const { own: _, peer } = this.ground.trigger;
    const outcome = await this.host.run(['sh', '-c', pingScript(peer, pingSize(frames))]);
    if (outcome.state === 'exited' && /^\d+$/.test(outcome.stdout.trim())) this.pings.push(outcome.stdout.trim());
  }

  /**
   * Sends, and looks until that has come which is to come last, or for as long as it may take once it was sent.
   * @throws Error with the end of a sentence where it was not sent
   */
  private async send({ name, frames }: Writing, tap: RegExp, last: number): Promise<Recorded[]> {
    const asked = this.clock.now();
    await this.ping(frames);
    let since: number | null = null;
    for (;;) {
      const { messages, counted } = await this.recorder!.read();
      const mine = messages.filter((one) => tap.test(one.tap));
      if (mine.some(({ id }) => id === last) || !this.goOn()) return mine;
      const now = this.clock.now();
      if (since === null && (counted.get(`${name}_all`) ?? 0) > 0) since = now;
      if (since !== null && now > since + PATIENCE) return mine;
      if (since === null && now > asked + STARTING)
        throw new Error(
          'the test messages could not be sent: `ping` is not installed, or rules of the firewall keep this router from sending anything',
        );
      await new Promise<void>((resolve) => {
        this.clock.after(LOOK, resolve);
      });
    }
  }

  private async measure(out: { sent: Sent; mac: string }[], first: Writing, about: Partial<ProbeReport>): Promise<ProbeReport> {
    const seen = await this.send(first, /^wan/, out.at(-1)!.sent.id);
    const of = (id: number): Recorded | null => seen.find((one) => one.id === id) ?? null;
    const deviceOf = ({ tap }: Recorded): string => this.ground.wans[Number(tap.slice('wan'.length))] ?? tap;
    const known: Known = {
      inside: this.phones,
      mtu: this.ground.mtu,
      reasons: out.every(({ sent }) => of(sent.id) !== null)
        ? new Map()
        : await droppedReasons(
            this.host,
            out.map(({ sent }) => sent),
          ),
    };
    const results = out.map(({ sent }) => {
      const found = of(sent.id);
      return resultOf(sent, found, found === null ? null : deviceOf(found), known);
    });
    const arrived = out.flatMap(({ sent }): Arrived[] => {
      const found = of(sent.id);
      return found === null ? [] : [{ vector: sent, from: found.from, text: String.fromCharCode(...found.bytes) }];
    });
    const expectations = await this.expectations();
    const answers = await this.answers(arrived, known);
    const all = [...withGrowth(results, this.ground.mtu), ...answers];
    const left = seen.map(deviceOf);
    const { verdict, because } = this.goOn() ? verdictOf(all) : { verdict: 'inconclusive' as const, because: 'it was interrupted' };
    return {
      ...nothing(''),
      ...about,
      verdict,
      because,
      left: left[0] ?? null,
      translated: seen.length === 0 ? null : seen.some(({ from }) => !this.phones.includes(from.address)),
      alterations: alterationsOf(all),
      messages: all,
      expectations,
      remarks: this.remarks,
    };
  }

  /** Holes for the fake phones. */
  private async expectations(): Promise<string[]> {
    const holes = orElse(understood(await this.host.read('/proc/net/nf_conntrack_expect'), parseExpectations), []);
    return holes
      .filter(({ src, helper }) => src === PROVIDER && (helper === null || helper.startsWith('sip')))
      .map(({ klass, src, dst, dport }) => `${klass ?? 'sip'}: ${src} may reach ${dst}:${dport ?? 'any'}`);
  }

  /** The way back. */
  private async answers(arrived: readonly Arrived[], known: Known): Promise<Result[]> {
    if (this.ground.isBridgeFiltered) {
      this.remarks.push('Answers were not tested: bridge-nf-call-iptables is 1, so those of a test are bridged past the ALG.');
      return [];
    }
    const replies = repliesTo(arrived);
    if (replies.length === 0 || !this.goOn()) return [];
    const sent = replies.map(({ name, tests, control = false, ends, phone, text }, index): Sent => ({
      name,
      tests,
      control,
      toProvider: false,
      ends,
      expected: { from: ends.from, to: phone },
      text,
      id: FIRST_REPLY_ID + index,
    }));
    const written = this.writing(
      'back',
      sent.map((one) => this.frameOf(one, MACS[0])),
    );
    const script = [`table ${tableOf(this.host, 'probe')} {`, ...writingChains(written, this.isWide), '}', ''].join('\n');
    // The ping of before is not to be sent again.
    const [family, table] = tableOf(this.host, 'probe').split(' ');
    const outcome = await this.host.run(['nft', '-f', '-'], { input: `flush chain ${family} ${table} out\n${script}` });
    if (outcome.state !== 'exited' || outcome.code !== 0) {
      this.remarks.push('Answers were not tested: nft did not take them.');
      return [];
    }
    const seen = await this.send(written, /^lan$/, sent.at(-1)!.id);
    const results = sent.map((one) => resultOf(one, seen.find(({ id }) => id === one.id) ?? null, this.ground.lan.device, known));
    if (results.some(({ control, seen: there }) => control && there !== null)) return results;
    this.remarks.push('Answers could not be tested: one that no ALG has business with did not come back either.');
    return results.map((one) => ({ ...one, fate: 'not tried' as const, seen: null, differences: [], deliveredTo: null }));
  }
}
