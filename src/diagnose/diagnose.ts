/** From what was seen to causes: found, ruled out, and what cannot be known from here. Pure. */
import type { AlgState } from '../judge/verdict.ts';
import type { Published } from '../words/published.ts';
import { say, textOf, Trouble } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import type { RouterFacts } from '../survey/survey.ts';
import { advise } from './advisories.ts';
import type { Advisory } from './advisories.ts';
import type { Fix } from './cause.ts';
import { dueSaid, intervalsOf } from './intervals.ts';
import { audioOf, fromPhones, shown, valueOf } from './look.ts';
import type { CallFlow } from '../observe/calls/facts.ts';
import type { Look } from './look.ts';
import { usual } from './symptoms.ts';
import type { Asked, Symptom } from './symptoms.ts';
import { CAUSES } from './table.ts';

export interface Found {
  code: string;
  what: Said;
  evidence: Line[];
  fix: Fix;
  source: string;
  /** Causes that were found too and cannot be told from this one here, and the one observation that would. */
  alike: { codes: string[]; tell: Said } | null;
}

export interface Diagnosis {
  asked: { text: string; symptoms: Symptom[]; seconds: number | null };
  /** What the number that was given usually means; null where none was, or it means nothing by itself. */
  number: Said | null;
  found: Found[];
  ruledOut: { code: string; what: Said; because: Said }[];
  unknown: { code: string; what: Said; because: Said; tell: Line }[];
  /** Phones that signal now: a line for each flow, with what is known of its registration. */
  phones: Said[];
  advisories: Advisory[];
}

/** A diagnosis as programs read it. */
export type DiagnosisDocument = Published<Diagnosis>;

/** When a registration ends, as the helper's hole for it says (nf_conntrack_sip.c, process_register_response); else nothing shows it. */
function intervals({ facts }: Look): (flow: CallFlow) => Said | '' {
  const holes = (valueOf(facts.expectations) ?? []).filter(({ class: kind, permanent }) => kind === 'signalling' && permanent);
  return ({ protocol, source: phone, sourcePort, destination, replyDestination, replyPort }) => {
    // The hole leads to where the phone says it is, before or after translation.
    const hole = holes.find(
      (one) =>
        one.source === destination &&
        one.protocol === (protocol === 'udp' ? 17 : 6) &&
        [phone, replyDestination].includes(one.destination) &&
        (one.destinationPort === sourcePort || one.destinationPort === replyPort),
    );
    return hole?.timeout == null
      ? ''
      : say('phone-registration', '; a registration there ends in {seconds} s, if it is not renewed', { seconds: hole.timeout });
  };
}

/** Packets of G.711 and G.722 of 10, 20 and 30 ms with headers of RTP, UDP and IP (RFC 3551), by the length of the latter. */
const PLAIN = { ipv4: [120, 200, 280], ipv6: [140, 220, 300] };
/** What SRTP adds to each: tags of 32 and 80 bits (RFC 3711 §4.2), and that of AES-GCM (RFC 7714 §13). */
const TAGS = [4, 10, 16];

/** Whether audio is encrypted, as far as the size of its packets tells: of other codecs it does not. */
function secrecyOf({ source, out: sent }: CallFlow): Said {
  const size = sent === null || sent.packets < 20 ? NaN : Math.round(sent.bytes / sent.packets);
  const plain = PLAIN[source.includes(':') ? 'ipv6' : 'ipv4'];
  if (plain.includes(size)) return say('audio-plain', 'not encrypted, by the size of its packets (RTP)');
  if (plain.some((one) => TAGS.includes(size - one))) return say('audio-srtp', 'encrypted, by the size of its packets (SRTP)');
  return say('audio-unsized', 'encrypted or not: the size of its packets does not tell');
}

function phonesOf(look: Look): Said[] {
  const until = intervals(look);
  const talking = audioOf(look)
    .slice(0, 6)
    .map((flow) => say('phone-audio', '{flow}: audio, {secrecy}', { flow: shown(flow), secrecy: secrecyOf(flow) }));
  const signalling = fromPhones(look)
    .slice(0, 12)
    .map((flow) => {
      const { destinationPort, destination, replyPort, sourcePort } = flow;
      const plain = destinationPort === 5061 ? say('phone-tls', ' (TLS: no ALG can read it)') : '';
      const family = destination.includes(':') ? say('phone-ipv6', ' (IPv6, not translated)') : '';
      return say('phone', '{flow}{port}{plain}{family}{until}{due}', {
        flow: shown(flow),
        port: replyPort === sourcePort ? '' : say('phone-port', ', outside from port {port}', { port: replyPort }),
        plain,
        family,
        until: until(flow),
        due: dueSaid(look, flow),
      });
    });
  const unseen = fromPhones(look).slice(0, 12).filter((flow) => intervalsOf(look, flow).length === 0);
  const read = look.calls.intervals !== undefined && look.calls.intervals.state !== 'failed';
  // Said once, for it is the same of each.
  const hint =
    !read || unseen.length === 0
      ? []
      : [
          unseen.length === signalling.length
            ? say('intervals-unseen', 'How often {count:it registers|they register} was not seen: `sipalg watch` tells.', {
                count: unseen.length,
              })
            : say('intervals-some-unseen', 'How often {count} of them {count:registers|register} was not seen: `sipalg watch` tells.', {
                count: unseen.length,
              }),
        ];
  return [...signalling, ...talking, ...hint];
}

/** What was seen several times alike is one piece of evidence. */
const unique = (lines: readonly Line[]): Line[] =>
  lines.filter((line, at) => lines.findIndex((one) => textOf(one) === textOf(line)) === at);

/** @throws Error where the facts were not saved for a diagnosis */
export function diagnose(facts: RouterFacts, alg: AlgState, asked: Asked): Diagnosis {
  if (facts.calls === undefined) throw new Trouble(say('facts-without-calls', 'these facts hold nothing of calls.'));
  const look: Look = { facts, calls: facts.calls, alg, asked };
  const meaning = asked.seconds === null ? null : usual(asked.seconds);
  const points = meaning?.points ?? [];
  const wanted = CAUSES.filter(
    ({ symptoms, code }) => asked.symptoms.length === 0 || points.includes(code) || asked.symptoms.some((one) => symptoms.includes(one)),
  );
  const all = wanted.map((cause) => ({ cause, outcome: cause.sees(look) }));
  const codes = new Set(all.flatMap(({ cause, outcome }) => (outcome.is === 'found' ? [cause.code] : [])));
  const first = (code: string): number => (points.includes(code) ? 0 : 1);
  const found = all.flatMap(({ cause, outcome }): Found[] => {
    if (outcome.is !== 'found') return [];
    const alike = (cause.alike?.codes ?? []).filter((code) => codes.has(code));
    return [
      {
        code: cause.code,
        what: cause.what,
        evidence: unique(outcome.evidence),
        fix: outcome.fix ?? cause.fix,
        source: cause.source,
        alike: cause.alike !== undefined && alike.length > 0 ? { codes: alike, tell: cause.alike.tell } : null,
      },
    ];
  });
  return {
    asked: { text: asked.text, symptoms: asked.symptoms, seconds: asked.seconds },
    number:
      asked.seconds === null
        ? null
        : meaning === null
          ? say(
              'number-unknown',
              '{seconds} s is no time that a timer of SIP or of this router is known by; if it varies, look at the line',
              {
                seconds: asked.seconds,
              },
            )
          : say('number-means', '{seconds} s {meaning}', { seconds: asked.seconds, meaning: meaning.says }),
    found: found.sort((one, other) => first(one.code) - first(other.code)),
    ruledOut: all.flatMap(({ cause: { code, what }, outcome }) => (outcome.is === 'out' ? [{ code, what, because: outcome.because }] : [])),
    unknown: all
      .flatMap(({ cause: { code, what }, outcome }) =>
        outcome.is === 'unknown' ? [{ code, what, because: outcome.because, tell: outcome.tell }] : [],
      )
      .sort((one, other) => first(one.code) - first(other.code)),
    phones: phonesOf(look),
    advisories: advise(facts, alg),
  };
}

/** 0: no cause was found. 1: one was. 2: none was, and something that it takes to tell could not be read. */
export const diagnosisCode = ({ found }: { found: readonly unknown[] }, facts: RouterFacts): 0 | 1 | 2 =>
  found.length > 0 ? 1 : facts.calls?.flows.state !== 'present' || facts.nft.state === 'failed' ? 2 : 0;
