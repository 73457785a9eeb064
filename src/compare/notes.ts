/** What a message says of others than the ALG: what the phone itself, a server or the capture's beginning did. */
import { parseMessage } from '../languages/sip/message.ts';
import { fieldsNamed } from '../languages/sip/fields.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { sightingOf } from './entry.ts';
import type { Entry } from './entry.ts';
import type { AddressBook } from './sighting.ts';

/** Sentences; the same for each message of a call of which the same is to be said. */
export function callNotes(entry: Entry, book: AddressBook): Said[] {
  const { inner, outer, toProvider, fate } = entry;
  const notes: Said[] = [];
  const sighting = sightingOf(entry);
  const message = parseMessage(toProvider && inner !== null && !entry.equal ? inner.text : sighting.text);
  if ('refused' in message) return notes;
  const outside = outer === null ? '' : book.text(toProvider ? outer.source : outer.destination);
  const inside = inner === null ? '' : book.text(toProvider ? inner.source : inner.destination);
  const header = message.text.slice(message.start, message.body.start);
  const body = message.text.slice(message.body.start, message.end);
  if (toProvider && outside !== '' && outside !== inside && inner !== null) {
    const own = fieldsNamed(message.fields, 'contact').some(({ content }) => content.includes(outside));
    const via = fieldsNamed(message.fields, 'via')[0]?.content.includes(outside) ?? false;
    const session = body.includes(` ${outside}`);
    if (own || via || session) {
      const where = [...(via ? ['Via'] : []), ...(own ? ['Contact'] : []), ...(session ? ['SDP'] : [])].join(', ');
      notes.push(
        say(
          'note-own-address',
          'The phone itself wrote the public address {address} into {where}, as one with STUN or a fixed address does; '
            + "that is its own doing and no ALG's.",
          { address: outside, where },
        ),
      );
    }
  }
  if (!toProvider && fate !== 'changed' && message.startLine.kind === 'response') {
    const received = /;\s*received="?([0-9A-Fa-f.:[\]]+)/i.exec(header)?.[1];
    if (received !== undefined) {
      notes.push(
        say(
          'note-received',
          "The provider's server saw the requests come from {address} and says so (received, RFC 3261 §18.2.1{rport}): "
            + 'that is how it should be.',
          { address: received, rport: /;\s*rport=\d/i.test(header) ? '; rport, RFC 3581' : '' },
        ),
      );
    }
  }
  return notes;
}
