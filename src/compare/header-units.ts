/** The values of header fields as named parts, each with its place. */
import { parseAddress, parseAddresses } from '../languages/sip/address.ts';
import type { Address } from '../languages/sip/address.ts';
import { parseCredentials } from '../languages/sip/credentials.ts';
import { parseCSeq } from '../languages/sip/cseq.ts';
import type { Field } from '../languages/sip/fields.ts';
import { grammarOf, titleOf } from '../languages/sip/names.ts';
import { TOKEN } from '../languages/sip/start-line.ts';
import type { StartLine } from '../languages/sip/start-line.ts';
import { piece } from '../languages/sip/text.ts';
import type { Piece } from '../languages/sip/text.ts';
import { parseUri } from '../languages/sip/uri.ts';
import type { Parameter } from '../languages/sip/value.ts';
import { parseVia } from '../languages/sip/via.ts';
import { NO_FIELD } from './difference.ts';
import type { Slot, Unit } from './difference.ts';

const slot = (part: string, { text, start, end }: Piece): Slot => ({ part, text, start, end });

/** `;received`: its value, or the name where it has none. */
function parameterSlots(text: string, parameters: readonly Parameter[], before: string): Slot[] {
  return parameters.map(({ name, value, start, end }) =>
    slot(`${before};${name.text.toLowerCase()}`, value ?? piece(text, value === null ? start : name.start, end)),
  );
}

/** @param before `URI ` within a field; '' for the Request-URI */
export function uriSlots(text: string, { start, end }: Piece, before: string): Slot[] {
  const uri = parseUri(text, start, end);
  if ('refused' in uri) return [slot(`${before}text`, piece(text, start, end))];
  if (uri.kind === 'other') return [slot(`${before}scheme`, uri.scheme), slot(`${before}text`, uri.opaque)];
  const scheme = slot(`${before}scheme`, uri.scheme);
  if (uri.kind === 'tel') return [scheme, slot(`${before}number`, uri.number), ...parameterSlots(text, uri.parameters, before)];
  return [
    scheme,
    ...(uri.user === null ? [] : [slot(`${before}user`, uri.user)]),
    ...(uri.password === null ? [] : [slot(`${before}password`, uri.password)]),
    slot(`${before}host`, piece(text, uri.hostPort.start, uri.hostPort.end)),
    ...parameterSlots(text, uri.parameters, before),
    ...uri.headers.map(({ name, value, start: from, end: to }) =>
      slot(`${before}?${name.text.toLowerCase()}`, value ?? piece(text, from, to)),
    ),
  ];
}

/** What stands where a name belongs may be anything, credentials too: only a token is a name (RFC 3261 §25.1). */
export function fieldTitle(name: string): string {
  return name.length <= 64 && TOKEN.test(name) ? titleOf(name) : NO_FIELD;
}

/** `scheme` has no place of its own in people's words: it is left out where the rest says more. */
function addressSlots(text: string, address: Address): Slot[] {
  return [
    ...(address.displayName === null ? [] : [slot('display name', address.displayName)]),
    ...uriSlots(text, address.uri, 'URI '),
    ...parameterSlots(text, address.parameters, ''),
  ];
}

export function startLineUnit(text: string, line: StartLine): Unit {
  const whole = piece(text, line.start, line.end);
  if (line.kind === 'response') {
    return {
      field: 'Status line',
      at: 1,
      whole,
      slots: [slot('version', line.version), slot('code', line.code), slot('reason', line.reason)],
    };
  }
  return {
    field: 'Request-URI',
    at: 1,
    whole,
    slots: [
      slot('method', line.method),
      ...uriSlots(text, line.uri, ''),
      ...(line.version === null ? [] : [slot('version', line.version)]),
    ],
  };
}

/**
 * The values of all fields of one name, in order: members of lists one by one, wherever the fields are split.
 * @param name canonical, as `via`
 */
export function fieldUnits(text: string, name: string, fields: readonly Field[]): Unit[] {
  const grammar = grammarOf(name);
  const field = fieldTitle(name);
  const units: Unit[] = [];
  const put = (whole: Piece, slots: readonly Slot[]): void => {
    units.push({ field, at: units.length + 1, whole, slots });
  };
  for (const {
    value: { start, end },
  } of fields) {
    const whole = piece(text, start, end);
    if (grammar === 'via') {
      const { members } = parseVia(text, start, end);
      for (const via of members) {
        put(piece(text, via.start, via.end), [
          slot('protocol', via.protocol),
          slot('sent-by', piece(text, via.sentBy.start, via.sentBy.end)),
          ...parameterSlots(text, via.parameters, ''),
        ]);
      }
      if (members.length === 0) put(whole, [slot('text', whole)]);
    } else if (grammar === 'address' || grammar === 'addresses') {
      const { members } = grammar === 'address' ? parseAddress(text, start, end) : parseAddresses(text, start, end);
      for (const address of members) put(piece(text, address.start, address.end), addressSlots(text, address));
      if (members.length === 0) put(whole, [slot('text', whole)]);
    } else if (grammar === 'cseq') {
      const cseq = parseCSeq(text, start, end);
      put(whole, 'refused' in cseq ? [slot('text', whole)] : [slot('number', cseq.digits), slot('method', cseq.method)]);
    } else if (grammar === 'credentials') {
      const { scheme, parameters, opaque } = parseCredentials(text, start, end);
      put(
        whole,
        parameters.length === 0
          ? [slot('scheme', scheme), slot('text', opaque)]
          : [slot('scheme', scheme), ...parameterSlots(text, parameters, '')],
      );
    } else {
      put(whole, [slot('', whole)]);
    }
  }
  return units;
}
