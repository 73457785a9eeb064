/**
 * The voice rules as one nft table of our own, `inet sipalg` (nft(8)). Written for
 * nft 1.0.2 and later. The names of counters and of the sets of sources are an
 * interface: collectors export them.
 *
 * All hooks are at priority -140: after conntrack (-200), for a timeout that is
 * set earlier is silently ignored, and after mangle (-150), whose marks would win
 * otherwise. None is before destination NAT: every packet of the router pays for a hook (1 to 1.5 % of what it costs), so the
 * port that was dialled is asked of the flow.
 */
import { hash } from '../../../host/hash.ts';
import { REMEMBERED, TABLE, TEXT_CHAIN } from '../../own.ts';
import type { Voice } from '../../rules.ts';
import type { Prefixes } from '../../../languages/address/prefix-sets.ts';
import type { Marking } from '../../../wish/wish.ts';
import { limits } from './attempts.ts';
import { each, FAMILIES, portMatch, portTest, Writer } from './writer.ts';

/** Raised whenever an object of the same name is declared in another way: then the old table goes as a whole. */
export const FORMAT = 1;

const MOST_PHONES = 1024;

export interface NftText {
  /** A script that replaces the rules in one transaction, from whatever was there. */
  text: string;
  /** The chain whose name says which text is in force. */
  mark: string;
  /** What it declares, as `kind name`. */
  declared: Set<string>;
}

/** RTP and RTCP begin with version 2 (RFC 3550 §5.1); no SIP message, STUN or DTLS packet does. */
const RTP = '@th,64,2 2';

function devices(wan: readonly string[]): string {
  const quoted = wan.map((device) => JSON.stringify(device));
  return quoted.length === 1 ? (quoted[0] as string) : `{ ${quoted.join(', ')} }`;
}

/** RTP of a phone or a provider, in either direction, goes to `chain`. */
function media(chain: string): string[] {
  return [
    'udp sport < 1024 return',
    'udp dport < 1024 return',
    ...each(({ ip, number }) =>
      ['phones', 'media'].flatMap((set) => ['saddr', 'daddr'].map((side) => `${ip} ${side} @${set}${number} goto ${chain}`)),
    ),
  ];
}

/** The rules that mark, each in one family. What a phone has marked by itself is left alone, unless it is to be overwritten. */
function marks(marking: NonNullable<Marking>, what: 'media' | 'signalling', unmarked: Prefixes): string[] {
  const { name, value } = marking[what];
  if (value === 0 && !marking.overwrite) return [];
  return each(({ family, ip }) => {
    const networks = unmarked[family];
    const set = networks.length === 1 ? (networks[0] as string) : `{ ${networks.join(', ')} }`;
    const spared = networks.length === 0 ? '' : `${ip} saddr != ${set} ${ip} daddr != ${set} `;
    return `${marking.overwrite ? '' : `${ip} dscp cs0 `}${spared}${ip} dscp set ${name.toLowerCase()}`;
  });
}

/** A way a device may be known without knowing the internet's side: its address is private (RFC 1918, 6598, 4193). */
const PRIVATE = { ipv4: '{ 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 }', ipv6: 'fc00::/7' };

/** @param perFlow whether kernel and nft can give a flow timeouts of its own */
export function renderNft(voice: Voice, perFlow: boolean): NftText {
  const { wan, marking, timeouts } = voice;
  const limit = wan.length > 0 ? voice.limit : null;
  const ports = portMatch([...voice.ports, ...voice.tlsPorts]);
  const writer = new Writer();

  for (const { family, number, type } of FAMILIES) {
    writer.dynamic(`phones${number}`, type, REMEMBERED, MOST_PHONES);
    writer.networks(`media${number}`, type, voice.media[family]);
    writer.networks(`signalling${number}`, type, voice.signalling[family]);
    writer.networks(`sites${number}`, type, voice.sites[family]);
  }

  if (perFlow) {
    const { signallingUnreplied: unreplied, signallingReplied: replied } = timeouts;
    // An exchange that ends within two seconds leaves a flow at its first value (nf_conntrack_proto_udp.c), as REGISTER and its
    // answer do: so a flow that does not come from the internet is given the second one from the start.
    const chainOf = (name: string, object: string, first: number, second: number, before: readonly string[] = []): void => {
      for (const { number, ip } of FAMILIES) writer.timeout(`${object.replace('#', `${number}`)}`, ip, first, second);
      writer.chain(name, [
        ...before,
        ...each(({ number, family }) => `meta nfproto ${family} ct timeout set "${object.replace('#', `${number}`)}"`),
      ]);
    };
    const shorter = wan.length > 0 && unreplied < replied;
    if (shorter) chainOf('timeout_unanswered', `signalling#_${unreplied}_${replied}`, unreplied, replied);
    chainOf(
      'timeout_signalling',
      `signalling#_${replied}`,
      replied,
      replied,
      shorter ? [`iifname ${devices(wan)} goto timeout_unanswered`] : [],
    );
    chainOf('timeout_media', `media#_${timeouts.media}`, timeouts.media, timeouts.media);
    writer.chain('media_flows', media('timeout_media'));
    writer.chain('flows', [
      `meta l4proto udp ct original proto-dst ${ports} goto timeout_signalling`,
      `udp sport ${ports} goto timeout_signalling`,
      `${RTP} goto media_flows`,
    ]);
  }

  if (limit !== null) limits(writer, limit, voice);

  // Who speaks SIP to the internet is a phone. Never learnt from what arrives: from flows of its own, and from answers to a provider.
  const learn = each(({ ip, family, number }) => [
    `ct direction original ${wan.length > 0 ? '' : `${ip} saddr ${PRIVATE[family]} `}update @phones${number} { ${ip} saddr }`,
    `ct direction reply ${ip} daddr @signalling${number} update @phones${number} { ${ip} saddr }`,
  ]);
  const plain = `th dport ${portMatch(voice.ports)} ct direction original ${writer.counter('plain_signalling')}`;
  writer.chain('leaving', [plain, ...learn, ...(limit === null ? [] : ['ct direction reply meta l4proto udp goto answers'])]);
  const mark = (what: 'media' | 'signalling'): string[] =>
    marking === null ? [] : [writer.counter(`voice_${what}`), ...marks(marking, what, voice.unmarked)];
  const begun = (chain: string): string[] => (perFlow ? [`ct state new meta l4proto udp jump ${chain}`] : []);
  const outside = limit === null ? [] : [`iifname ${devices(wan)} jump outside`];
  writer.chain('signalling', [
    ...outside,
    ...begun('timeout_signalling'),
    ...mark('signalling'),
    wan.length > 0 ? `oifname ${devices(wan)} goto leaving` : 'goto leaving',
  ]);
  // What every packet is put to is as little as can be: each word of these rules costs them all. Whether a flow is new is
  // asked of voice alone; an answer to what was begun here, the most of what arrives, is let go by at once.
  const all = [...voice.ports, ...voice.tlsPorts];
  const passing = (['dport', 'sport'] as const).map((side) => `${portTest(side, all)} meta l4proto { tcp, udp } goto signalling`);
  if (marking !== null) {
    writer.chain('mark_media', mark('media'));
    writer.chain('media_marks', [...begun('media_flows'), ...media('mark_media')]);
  }
  if (marking !== null || perFlow) passing.push(`${RTP} meta l4proto udp goto ${marking === null ? 'media_flows' : 'media_marks'}`);
  // To a port that was translated on the way, or is none of SIP's.
  const dialled = [...begun('flows'), ...(limit === null ? [] : ['goto elsewhere'])];
  const arriving = wan.length > 0 && dialled.length > 0 ? [`ct direction original iifname ${devices(wan)} goto dialled`] : [];
  if (arriving.length > 0) writer.chain('dialled', dialled);
  if (perFlow || limit !== null) writer.chain('incoming', [...begun('flows'), ...outside], 'input');
  writer.chain('forwarded', [...passing, ...arriving], 'forward');
  writer.chain('outgoing', passing, 'output');

  const body = writer.text();
  const name = `${TEXT_CHAIN}${FORMAT}_${hash(body)}`;
  writer.chain(name, []);
  return {
    text: `table ${TABLE} {\n}\nflush table ${TABLE}\ntable ${TABLE} {\n${writer.text()}\n}\n`,
    mark: name,
    declared: writer.declared,
  };
}
