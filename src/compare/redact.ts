/**
 * A comparison that can be shown to strangers: who was called, by whom, and which public addresses took part becomes
 * `user-1`, `address-1`, the same each time. Private addresses stay, for they are those of thousands; so do ports, and
 * which field was changed in which way.
 */
import { canonical, grammarOf } from '../languages/sip/names.ts';
import type { Piece } from '../languages/sip/text.ts';
import type { Call, Comparison, Row, Seen, Tally } from './comparison.ts';
import type { Difference } from './difference.ts';
import { REDACTED } from './secrets.ts';
import type { Said, Value } from '../words/say.ts';

/** Behind an escaped character, too: `%40198.51.100.7` in the Replaces of a Refer-To. */
const IPV4 = /(?:(?<![\w.])|(?<=%[0-9A-Fa-f]{2}))\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/g;
const IPV6 = /(?<![\w:.])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?=[0-9A-Fa-f:]*::)[0-9A-Fa-f:]{3,39})(?![\w:])/g;
/** RFC 1918, 6598, 3927, 1122; 0.0.0.0 is a hold. */
const PRIVATE4 = /^(?:0|10|127)\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^169\.254\./;
const PRIVATE6 = /^(?:f[cd]|fe[89ab]|::1?$)/i;
/** Scheme, user, host, port and parameters, header fields. */
const URI = /\b(sips?|tel|im|pres|mailto):([^\s@;<>"?]+)(@?)([^\s;<>"?,:]*)([^\s<>"?,]*)(\?[^\s<>"]*)?/gi;
/** Without a scheme, `alice@example.org`; looked for from the beginning of a word alone, so that a long one costs no more. */
const BARE = /(?<![^\s<>"@:;,=?])([^\s<>"@:;,=?]+)@([^\s<>"@;,?]+)/g;
const NAMED = /^(?:user|host|address|call)-\d+$/;
const DIGITS = /\+?\d[\d().-]{4,}\d/g;
/** Fields of text that say nothing of anybody. */
const PLAIN = new Set([
  'max-forwards',
  'content-length',
  'content-type',
  'content-encoding',
  'cseq',
  'expires',
  'min-expires',
  'allow',
  'supported',
  'require',
  'proxy-require',
  'unsupported',
  'user-agent',
  'server',
  'session-expires',
  'min-se',
  'event',
  'accept',
  'rseq',
  'rack',
  'timestamp',
  'date',
]);

export class Redactor {
  readonly #known = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  #name(kind: string, what: string): string {
    const key = `${kind} ${what.toLowerCase()}`;
    let name = this.#known.get(key);
    if (name === undefined) {
      const count = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, count);
      this.#known.set(key, (name = `${kind}-${count}`));
    }
    return name;
  }

  address(text: string): string {
    return PRIVATE4.test(text) || PRIVATE6.test(text) ? text : this.#name('address', text);
  }

  callId(text: string): string {
    return this.#name('call', text);
  }

  /** Users, hosts and addresses in a text, whatever else it is. */
  text(text: string): string {
    return text
      .replace(URI, (_, scheme: string, user: string, at: string, host: string, more: string, fields: string | undefined) => {
        const who =
          at === '' && scheme.toLowerCase() !== 'tel'
            ? `${scheme}:${this.host(user)}`
            : `${scheme}:${this.user(user)}${at}${this.host(host)}`;
        // Its fields are of anybody's making: another call's Call-ID, a subject.
        const places = more.replace(/;(maddr|received)=([^;]+)/gi, (_, name: string, place: string) => `;${name}=${this.host(place)}`);
        return `${who}${places}${fields === undefined ? '' : `?${REDACTED}`}`;
      })
      .replace(IPV4, (address) => this.address(address))
      .replace(IPV6, (address) => this.address(address));
  }

  user(text: string): string {
    return this.#name('user', text.replace(/^"|"$/g, ''));
  }

  /** `voip.example.net:5060`; addresses are left to `text`. */
  host(text: string): string {
    return text.replace(/^[^[\]:]+/, (name) => (/^[\d.]*$/.test(name) || NAMED.test(name) ? name : this.#name('host', name)));
  }

  /** A value of which it is known what it is. */
  value({ field, part }: Pick<Difference, 'field' | 'part'>, text: string): string {
    if (part === 'name' || part === 'place' || text === REDACTED) return text;
    const name = canonical(field);
    if (/(?:^|URI )(?:user|number)$|^display name$/.test(part)) return this.user(text);
    if (field === 'Call-ID') return this.callId(text);
    if (part.startsWith('URI ?')) return REDACTED;
    if (/(?:^|URI )host$|^sent-by$|;(?:maddr|received)$/.test(part)) return this.text(this.host(text));
    if (part === ';tag' || part === ';branch') return text;
    if (field === 'Body' || (field === 'Request-URI' && part === 'text')) return /^\d+ bytes/.test(text) ? text : REDACTED;
    if (
      field === 'Message'
      || field === 'Line ends'
      || field === 'Status line'
      || /^SDP [mtv]=|^SDP a=(?:rtpmap|direction|candidate|rtcp)/.test(field)
    ) {
      return this.text(text);
    }
    if (/^SDP [sieup]=/.test(field) || (field === 'SDP o=' && part === 'user')) return REDACTED;
    if (grammarOf(name) !== 'text' || field.startsWith('SDP') || PLAIN.has(name)) {
      return this.text(text)
        .replace(/"[^"]*"(?=\s*<)/g, (quoted) => `"${this.user(quoted)}"`)
        .replace(BARE, (all, user: string, host: string) => (NAMED.test(user) ? all : `${this.user(user)}@${this.host(host)}`));
    }
    return REDACTED;
  }
}

/** A sentence, and the values it is filled with. */
function redactedSaid({ code, parameters, text }: Said, redactor: Redactor): Said {
  const value = (one: Value): Value =>
    typeof one === 'string'
      ? redactor.text(one)
      : typeof one === 'number'
        ? one
        : 'code' in one
          ? redactedSaid(one, redactor)
          : one.map((each) => (typeof each === 'string' ? redactor.text(each) : redactedSaid(each, redactor)));
  const said = { code, text: redactor.text(text) };
  return parameters === undefined
    ? said
    : { ...said, parameters: Object.fromEntries(Object.entries(parameters).map(([name, one]) => [name, value(one)])) };
}

/** The same comparison without what tells of people. @param redactor one that has names for some of them already */
export function redacted(comparison: Comparison, redactor = new Redactor()): Comparison {
  const text = (words: string): string =>
    redactor
      .text(words)
      .replace(DIGITS, (number) =>
        /^\d{1,3}(\.\d{1,3}){3}$/.test(number) || /^\d{4}-\d\d-\d\d/.test(number) ? number : redactor.user(number),
      );
  const value = (about: Pick<Difference, 'field' | 'part'>, words: string | null): string | null =>
    words === null ? null : redactor.value(about, words);
  const piece = (about: Difference, one: Piece | null): Piece | null =>
    one === null ? null : { ...one, text: redactor.value(about, one.text) };
  const seen = (one: Seen | null): Seen | null =>
    one === null ? null : { ...one, source: text(one.source), destination: text(one.destination) };
  const row = (one: Row): Row => ({
    ...one,
    lan: seen(one.lan),
    wan: seen(one.wan),
    differences: one.differences.map((each) => ({ ...each, before: piece(each, each.before), after: piece(each, each.after) })),
  });
  const end = (one: string | null): string | null => (one === null ? null : text(one));
  const call = (one: Call): Call => ({
    ...one,
    callId: redactor.callId(one.callId),
    inside: end(one.inside),
    outside: end(one.outside),
    far: end(one.far),
    rows: one.rows.map(row),
    notes: one.notes.map((note) => redactedSaid(note, redactor)),
  });
  const tally = (one: Tally): Tally => ({ ...one, before: value(one, one.before), after: value(one, one.after) });
  return {
    ...comparison,
    paragraph: comparison.paragraph === '' ? '' : redactedSaid(comparison.paragraph, redactor),
    calls: comparison.calls.map(call),
    tallies: comparison.tallies.map(tally),
  };
}
