/** One test, from the phone that is plugged in to all that was made being taken away. */
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import { parseExpectations } from '../languages/kernel/expectations.ts';
import type { Facts } from '../observe/facts.ts';
import { orElse, understood } from '../observe/reading.ts';
import { guardsOf, tapsOf, wanAt } from './chains.ts';
import type { Scope } from './chains.ts';
import { tcpUncovered } from './covers.ts';
import { PROVIDER } from './ground.ts';
import type { Ground } from './ground.ts';
import { PROVIDER6, isSame } from './ground6.ts';
import { droppedReasons, uptime } from './log.ts';
import { TARGET_MAC, setOn, turning } from './macvlan.ts';
import { lackingPackage } from './packages.ts';
import { frame, solicitation } from './packet.ts';
import type { Packet } from './packet.ts';
import { pairOf, plugIn } from './pair.ts';
import type { Pair } from './pair.ts';
import { unmake, writeMade } from './record/made.ts';
import type { Made } from './record/made.ts';
import type { Recorded } from './record/recorded.ts';
import { CannotRecord } from './record/recorder.ts';
import { repliesTo, repliesTo6, replyOver } from './replies.ts';
import type { Arrived } from './replies.ts';
import { nothing } from './report.ts';
import type { ProbeReport } from './report.ts';
import { alterationsOf, astray, resultOf, standsOrNot, verdictOf, withGrowth } from './results.ts';
import type { Known, Part, Result, Sent } from './results.ts';
import { outgoing, sentBack } from './scene.ts';
import { steeringOf, TOS } from './steer.ts';
import { answerId, answering, ending, gapOf, heard, lastId, opening, streamsOf, talk } from './stream.ts';
import type { Stream } from './stream.ts';
import { notTold, wanOf } from './wans.ts';
import { Wire } from './wire.ts';
import type { Writing } from './write.ts';
import { ANSWERS_BRIDGED, ANSWERS_UNTESTED, answersRefused, endOf, lansUntested, leftBySeveral, partUntested } from './said.ts';
import { phoneOutside, refusedParts, TCP_BRIDGED, ways6Untested, waysUntested } from './said.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';

const MACS = ['02:51:be:00:00:11', '02:51:be:00:00:12'] as const;
/** High, and nobody's factory setting: an ALG lets two calls have no RTP port in common. */
const MEDIA = 61_414;
/** Of an address for measurements (RFC 2544), should the LAN have no free one. */
const OUTSIDE = ['198.19.81.201', '198.19.81.202'] as const;
/** One hop: should all else fail, nothing gets further than the next router. */
const TTL = 2;
const FIRST_REPLY_ID = 0x51a0;

export class Run {
  private readonly host: Host;
  private readonly clock: Clock;
  private readonly facts: Facts;
  private readonly ground: Ground;
  private readonly goOn: () => boolean;
  private readonly remarks: Line[];
  private readonly untested: Line[] = [];
  private readonly pair: Pair;
  private readonly phones: readonly string[];
  private readonly isOutside: boolean;
  private readonly scope: Scope;
  private readonly made: Made;
  private readonly wire: Wire;
  private readonly streams: readonly Stream[];
  /** Of the kernel's log. */
  private since: number | null = null;

  /** What was recorded or written beside the main part, where this nft or kernel may have refused that. */
  refused: readonly string[] = [];

  /** @param alone the main part alone, for what is beside it was refused */
  constructor(
    host: Host,
    clock: Clock,
    facts: Facts,
    ground: Ground,
    goOn: () => boolean,
    remarks: Line[],
    alone: readonly string[] | null = null,
  ) {
    this.host = host;
    this.clock = clock;
    this.facts = facts;
    this.ground = ground;
    this.goOn = goOn;
    this.remarks = remarks;
    this.pair = pairOf(host);
    this.isOutside = ground.phones.length === 0;
    this.phones = this.isOutside ? OUTSIDE : ground.phones;
    this.wire = new Wire(host, clock, goOn, ground.kernel, { device: this.pair.phone, trigger: ground.trigger.peer });
    const { device, isBridge } = ground.lan;
    const { phone, port } = this.pair;
    const uncovered = tcpUncovered(facts);
    if (uncovered !== null) this.untested.push(uncovered);
    if ('because' in ground.six)
      this.untested.push(say('ipv6-untested', 'IPv6 was not tested: {because}.', { because: ground.six.because }));
    if (alone !== null) this.untested.push(refusedParts(alone));
    if (ground.lans.length > 0) this.untested.push(lansUntested(ground.lans));
    const isTcp = uncovered === null && alone === null;
    const phone6 = 'because' in ground.six || alone !== null ? null : ground.six.phone;
    this.scope = {
      ground,
      phones: this.phones,
      phone6,
      isTcp,
      silent: isBridge ? [phone] : [phone, port],
      macs: isBridge ? [] : MACS,
    };
    this.streams = isTcp ? streamsOf({ phone: this.phones[0]!, provider: PROVIDER, media: MEDIA }) : [];
    const steering = steeringOf(ground, this.phones);
    const addresses = [...this.phones, ...(phone6 === null ? [] : [phone6])];
    this.made = {
      tables: [],
      devices: isBridge ? [phone] : [phone, port],
      rules: steering.rules,
      routes: [
        ...(this.isOutside ? this.phones.map((address) => [`${address}/32`, 'dev', device]) : []),
        ...ground.others.tried.map(({ route }) => route),
        ...steering.routes,
      ],
      neighbours: addresses.map((address) => ({ address, device })),
      hosts: [...addresses, ground.trigger.own],
    };
  }

  async report(): Promise<ProbeReport> {
    const { host, ground, made } = this;
    const about = {
      lan: ground.lan.device,
      wans: ground.wans,
      phones: this.phones,
      untested: this.untested,
      remarks: this.remarks,
      way: this.isOutside ? ('address outside the LAN' as const) : ('phone' as const),
    };
    if (this.isOutside) this.remarks.push(phoneOutside(ground.lan.address, ground.lan.prefix));
    this.since = await uptime(host);
    await writeMade(host, { ...made, tables: [this.wire.table] });
    try {
      const wrong = await this.plugIn();
      if (wrong !== null) return await this.away(nothing(wrong, about));
      for (const route of made.routes) await host.run(['ip', 'route', 'add', ...route]);
      for (const rule of made.rules) await host.run(['ip', 'rule', 'add', ...rule]);
      const { main, beside } = outgoing(this.scope, MEDIA);
      const last = main.at(-1)!;
      const first = this.wire.writing('out', [
        ...this.solicitations(),
        ...[...main.slice(0, -1), ...beside].map((one) => this.frameOf(one)),
        ...this.streams.map((stream) => this.framed(opening(stream, TTL + 1), MACS[0])),
        // All that is to come has come with it.
        this.frameOf(last),
      ]);
      await this.wire.start(first, tapsOf(this.scope), made, [
        ...guardsOf(this.scope),
        ...(ground.lan.isBridge ? [] : turning(ground.lan.device, MACS, ground.lan.mac)),
      ]);
      return await this.away(await this.measure(main, beside, first, about));
    } catch (error) {
      if (error instanceof CannotRecord && error.lacks !== 'nft')
        this.refused = [...(this.scope.isTcp ? ['TCP'] : []), ...(this.scope.phone6 === null ? [] : ['IPv6'])];
      if (error instanceof CannotRecord)
        return await this.away(
          nothing(error.lacks === 'netdev' ? lackingPackage(this.facts.system, 'kmod-nft-netdev') : error.message, about),
        );
      return await this.away(nothing(endOf(error as Error), about));
    }
  }

  /** @returns why it could not be, the end of a sentence; null where it is */
  private async plugIn(): Promise<Said | null> {
    const { host, pair, ground } = this;
    const { lan, trigger } = ground;
    const wrong = lan.isBridge
      ? await plugIn(host, this.clock, pair, lan.device, lan.mtu, trigger.own)
      : await setOn(host, pair, lan.device, lan.mtu, trigger.own);
    const lacking = { veth: 'kmod-veth', macvlan: 'kmod-macvlan', ip: 'ip-full' } as const;
    if (wrong === 'veth' || wrong === 'macvlan' || wrong === 'ip') return lackingPackage(this.facts.system, lacking[wrong]);
    return wrong === null ? null : say('phone-unplugged', 'the test phone could not be plugged in: {because}', { because: wrong });
  }

  /** Takes everything away, whatever came of it. */
  private async away(report: ProbeReport): Promise<ProbeReport> {
    await this.wire.stop();
    const leftOver = await unmake(this.host, { ...this.made, tables: [this.wire.table] });
    return { ...report, leftOver };
  }

  private framed(packet: Packet, from: string): number[] {
    const { lan, strict } = this.ground;
    const isBack = packet.from.address === PROVIDER;
    return frame(strict && isBack ? { ...packet, tos: TOS } : packet, { from, to: lan.isBridge ? lan.mac : TARGET_MAC });
  }

  private frameOf({ ends, text, id }: Sent): number[] {
    return this.framed({ ...ends, payload: text, id, ttl: TTL + 1 }, MACS[this.phones.indexOf(ends.from.address)] ?? MACS[0]);
  }

  private solicitations(): number[][] {
    const { lan, six } = this.ground;
    const to = lan.isBridge ? lan.mac : TARGET_MAC;
    return [
      ...this.phones.map((phone, index) => solicitation({ from: MACS[index] ?? MACS[0], to }, phone, lan.address)),
      ...('because' in six || this.scope.phone6 === null ? [] : [solicitation({ from: MACS[0], to }, six.phone, six.router)]),
    ];
  }

  private async measure(main: Sent[], beside: Sent[], first: Writing, about: Partial<ProbeReport>): Promise<ProbeReport> {
    const lastOnes = beside.filter(({ control }) => control).map(({ id }) => id);
    const seen = await this.wire.send(first, [main.at(-1)!.id], [...lastOnes, ...this.streams.map(({ firstId }) => firstId)]);
    const of = (id: number): Recorded | null => seen.find((one) => one.id === id) ?? null;
    const all = [...main, ...beside];
    const known: Known = {
      inside: [...this.phones, ...(this.scope.phone6 === null ? [] : [this.scope.phone6])],
      mtu: this.ground.mtu,
      reasons: all.every(({ id }) => of(id) !== null) ? new Map() : await droppedReasons(this.host, all, this.since),
    };
    const results = all.map((sent) => {
      const found = of(sent.id);
      return resultOf(sent, found, found === null ? null : wanAt(this.ground, found.tap), known);
    });
    const arrived = all.flatMap((sent): Arrived[] => {
      const found = of(sent.id);
      return found === null ? [] : [{ vector: sent, from: found.from, text: String.fromCharCode(...found.bytes) }];
    });
    const holes = await this.expectations();
    const back = await this.comeBack(arrived, seen, known, first);
    for (const one of await this.expectations()) if (!holes.some(({ text }) => text === one.text)) holes.push(one);
    const left = [...new Set(results.flatMap(({ part, device }) => (part === 'main' && device !== null ? [device] : [])))];
    const wan = left[0] === undefined ? null : await wanOf(this.host, left[0]);
    const stood = this.stand([...withGrowth(results, wan?.mtu || this.ground.mtu), ...back], left);
    const told = this.ways(stood, left) ? stood : astray(stood);
    const { verdict, because } = this.goOn()
      ? verdictOf(told)
      : { verdict: 'inconclusive' as const, because: say('probe-interrupted', 'it was interrupted') };
    const sources = seen.filter(({ id }) => main.some((one) => one.id === id)).map(({ from }) => from.address);
    const translated = sources.length === 0 ? null : sources.some((one) => !this.phones.includes(one));
    if (wan !== null) this.remarks.push(...notTold(wan, translated));
    return {
      ...nothing(''),
      ...about,
      verdict,
      because,
      left: left[0] ?? null,
      wan,
      translated,
      parts: [...new Set(told.filter(({ fate }) => fate !== 'not tried').map(({ part }) => part))],
      alterations: alterationsOf(told),
      messages: told,
      expectations: holes,
      remarks: this.remarks,
    };
  }

  /** Says what of the ways to the internet was not tested. @returns whether something is known of each that a message may have taken */
  private ways(told: readonly Result[], left: readonly string[]): boolean {
    const { way, others, six, steered } = this.ground;
    const seenBy = told.flatMap(({ part, seen, device }) => (part.startsWith('by ') && seen !== null ? [device] : []));
    const known = new Set([...left, ...seenBy]);
    const unknown = [...new Set([way, ...others.more])].filter((one) => !known.has(one));
    if (left.length > 0 && unknown.length > 0) this.untested.push(waysUntested(unknown));
    if (left.length > 1) this.remarks.push(leftBySeveral(left));
    if (!('because' in six) && six.more.length > 0 && this.scope.phone6 !== null) this.untested.push(ways6Untested(six.more, six.way));
    if (!steered && !others.isSpread) return true;
    return [way, ...others.tried.map(({ device }) => device), ...others.more].every((one) => known.has(one));
  }

  /** Takes what was tested beside the main part for as much as it proves, and says where that is nothing. @param left by the main part */
  private stand(all: readonly Result[], left: readonly string[]): Result[] {
    const parts = [...new Set(all.map(({ part }) => part))].filter((part) => part !== 'main');
    const whole = new Map<Part, Result[]>();
    for (const part of parts) {
      const own = all.filter((one) => one.part === part);
      const out = standsOrNot(
        own.filter(({ toProvider }) => toProvider),
        part.startsWith('by ') ? part.slice('by '.length) : null,
      );
      if (!out.stands && !left.some((device) => part === `by ${device}`)) {
        const name = part.startsWith('by ') ? say('part-by', 'What goes by {device}', { device: part.slice('by '.length) }) : part;
        this.untested.push(partUntested(name));
      }
      const back = out.stands ? own.filter(({ toProvider }) => !toProvider) : [];
      whole.set(part, [...out.results, ...standsOrNot(back).results]);
    }
    return [...all.filter(({ part }) => part === 'main'), ...parts.flatMap((part) => whole.get(part)!)];
  }

  /** Holes for the fake phones. */
  private async expectations(): Promise<Said[]> {
    const holes = orElse(understood(await this.host.read('/proc/net/nf_conntrack_expect'), parseExpectations), []);
    const providers = [PROVIDER, ...this.ground.others.tried.map(({ provider }) => provider)];
    return holes
      .filter(({ helper }) => helper === null || helper.startsWith('sip'))
      .filter(({ src }) => (src.includes(':') ? isSame(src, PROVIDER6) : providers.includes(src)))
      .map(({ klass, src, dst, dport }) =>
        say('probe-hole', '{class}: {source} may reach {target}', { class: klass ?? 'sip', source: src, target: `${dst}:${dport ?? '*'}` }),
      );
  }

  /** The way back; and over TCP both ways, whose connection needs the way back before anything is said. */
  private async comeBack(arrived: readonly Arrived[], seen: readonly Recorded[], known: Known, first: Writing): Promise<Result[]> {
    if (this.ground.isBridgeFiltered && this.ground.lan.isBridge) {
      this.remarks.push(ANSWERS_BRIDGED);
      if (this.streams.length > 0) this.untested.push(TCP_BRIDGED);
      return [];
    }
    const own = (part: Part): Arrived[] => arrived.filter(({ vector }) => (vector as Sent).part === part);
    const main = repliesTo(own('main')).map((one, index) => sentBack('main', one, FIRST_REPLY_ID + index));
    const six = repliesTo6(own('IPv6')).map((one, index) => sentBack('IPv6', one, FIRST_REPLY_ID + main.length + index));
    const talks = this.streams.flatMap((stream) => {
      const syn = seen.find(({ id }) => id === stream.firstId);
      return syn === undefined ? [] : [{ stream, packets: talk(stream, syn, TTL + 1) }];
    });
    const sent = [...main, ...six];
    if (sent.length + talks.length === 0 || !this.goOn()) return [];
    const written = this.wire.writing('back', [
      ...six.map((one) => this.frameOf(one)),
      ...talks.flatMap(({ packets }) => packets.map((one) => this.framed(one, MACS[0]))),
      ...main.map((one) => this.frameOf(one)),
    ]);
    if (!(await this.wire.replace(first, written))) {
      this.remarks.push(say('answers-untaken', 'Answers were not tested: nft did not take them.'));
      return [];
    }
    const ends = [...six.map(({ id }) => id), ...talks.map(({ stream }) => lastId(stream))];
    const came = await this.wire.send(written, main.length === 0 ? [] : [main.at(-1)!.id], ends);
    const of = (id: number): Recorded | null => came.find((one) => one.id === id) ?? null;
    const device = this.ground.lan.device;
    const results = sent.map((one) => resultOf(one, of(one.id), device, known));
    const tcp =
      talks.length === 0
        ? []
        : await this.overTcp(
            talks.map(({ stream }) => stream),
            came,
            known,
            written,
          );
    const mine = results.filter(({ part }) => part === 'main');
    const rest = [...results.filter(({ part }) => part !== 'main'), ...tcp];
    if (mine.length === 0 || mine.some(({ control, seen: there }) => control && there !== null)) return [...mine, ...rest];
    this.remarks.push(this.ground.strict ? answersRefused(device) : ANSWERS_UNTESTED);
    return [...mine.map((one) => ({ ...one, fate: 'not tried' as const, seen: null, differences: [], deliveredTo: null })), ...rest];
  }

  /** What came out over TCP, what is answered to it, and the end of the connections. */
  private async overTcp(streams: readonly Stream[], came: readonly Recorded[], known: Known, before: Writing): Promise<Result[]> {
    const all = streams.map((stream) => ({ stream, messages: heard(stream, came) }));
    const lost = all.flatMap(({ messages }) => messages.filter(({ seen }) => seen === null).map(({ sent }) => sent));
    const reasons = lost.length === 0 ? known.reasons : await droppedReasons(this.host, lost, this.since);
    const out = all.flatMap(({ messages }) =>
      messages.map(({ sent, seen, gap }) =>
        resultOf(sent, seen, seen === null ? null : wanAt(this.ground, seen.tap), { ...known, reasons }, gap),
      ),
    );
    const answers = all.flatMap(({ stream, messages: [one] }) => {
      if (one === undefined || one.seen === null) return [];
      const said = replyOver({ vector: one.sent, from: one.seen.from, text: String.fromCharCode(...one.seen.bytes) });
      const packet = answering(stream, came, said.ends, said.text, TTL + 1);
      const sent = sentBack('TCP', said, answerId(stream));
      return packet === null ? [] : [{ stream, packet, sent }];
    });
    const written = this.wire.writing('end', [
      ...answers.map(({ packet }) => this.framed(packet, MACS[0])),
      ...streams.map((stream) => this.framed(ending(stream, TTL + 1), MACS[0])),
    ]);
    if (!(await this.wire.replace(before, written))) return out;
    // A reset shows at the device as any segment does.
    const last = streams.map(({ firstId }) => firstId + 0x1f);
    const back = await this.wire.send(written, answers.length === 0 ? last : answers.map(({ sent }) => sent.id), last);
    return [
      ...out,
      ...answers.map(({ stream, sent }) => {
        const seen = back.find((one) => one.id === sent.id) ?? null;
        return resultOf(sent, seen, this.ground.lan.device, known, seen === null ? null : gapOf(stream, seen));
      }),
    ];
  }
}
