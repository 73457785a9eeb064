/**
 * Which fields of a SIP message are not what was sent. Lines are compared in order; what is not a known field is
 * still reported, by its name, so that nothing that changed is left out.
 */
export type Alteration = {
  readonly field: string; // "Via", "Contact", "SDP c=", "start line", "length of the message", ...
  readonly sent: string; // the whole line; '' if it was not there
  readonly arrived: string;
};

const LONG: Readonly<Record<string, string>> = {
  v: 'Via',
  m: 'Contact',
  f: 'From',
  t: 'To',
  i: 'Call-ID',
  l: 'Content-Length',
  c: 'Content-Type',
};

type Line = { readonly field: string; readonly text: string };

function linesOf(message: string): Line[] {
  const end = message.indexOf('\r\n\r\n');
  const head = end < 0 ? message : message.slice(0, end);
  const body = end < 0 ? '' : message.slice(end + 4);
  const lines = head.split('\r\n').map((text, index): Line => {
    const name = /^([^:\s]+)\s*:/.exec(text)?.[1] ?? text;
    return { field: index === 0 ? 'start line' : (LONG[name.toLowerCase()] ?? name), text };
  });
  for (const text of body === '' ? [] : body.split('\r\n')) {
    lines.push({ field: /^[a-z]=/.test(text) ? `SDP ${text.slice(0, 2)}` : 'body', text });
  }
  return lines;
}

/** The fields that differ, in the order of the message; empty exactly when the bytes are equal. */
export function compareMessages(sent: Uint8Array, arrived: Uint8Array): Alteration[] {
  const before = Buffer.from(sent).toString('latin1');
  const after = Buffer.from(arrived).toString('latin1');
  if (before === after) return [];
  const was = linesOf(before);
  const is = linesOf(after);
  const found: Alteration[] = [];
  for (let index = 0; index < Math.max(was.length, is.length); index++) {
    const [one, other] = [was[index], is[index]];
    if (one?.text === other?.text) continue;
    found.push({ field: (one ?? other)!.field, sent: one?.text ?? '', arrived: other?.text ?? '' });
  }
  // Only line ends or the empty line between head and body differ.
  if (found.length === 0) found.push({ field: 'line ends', sent: JSON.stringify(before), arrived: JSON.stringify(after) });
  return found;
}
