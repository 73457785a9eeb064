/** Messages that were seen on either side of a router, as frames for a Homer server. */
import { encodeHep } from '../languages/hep/frame.ts';
import type { HepMessage } from '../languages/hep/frame.ts';
import { Refused } from '../languages/refused.ts';
import { parseMessage } from '../languages/sip/message.ts';
import type { Message } from '../languages/sip/message.ts';
import { bytesOf } from '../languages/sip/text.ts';
import { createCorrelation } from './correlation.ts';
import type { Named } from './correlation.ts';
import { withoutAuthentication } from './private.ts';
import { createHepQueue } from './queue.ts';
import type { HepQueue } from './queue.ts';

/** A message, and where and when it was seen. */
export type Seen = Omit<HepMessage, 'agent' | 'key' | 'correlation' | 'payload'> & {
  /** Bytes as the text of the same code units (ISO 8859-1). */
  text: string;
};

const tagIn = (value: string): string =>
  /;[ \t]*tag[ \t]*=[ \t]*([^\s;,>]+)/i.exec(value.replace(/"(?:[^"\\]|\\.)*"|<[^>]*>/g, ''))?.[1] ?? '';

/** Who a message is about; null where it names no call. */
function namedIn({ fields }: Message): Named | null {
  const valueOf = (name: string): string => fields.find((field) => field.canonical === name)?.content ?? '';
  const callId = valueOf('call-id');
  return callId === '' ? null : { callId, fromTag: tagIn(valueOf('from')), toTag: tagIn(valueOf('to')) };
}

export interface HepExporter {
  /** false: it is no message of a call, or was not taken; what was not taken is counted in the queue. */
  take(seen: Seen): boolean;
  readonly queue: HepQueue;
}

/** @param agent number of this router, 32 bits @param key what the server asks for; '' for none */
export function createHepExporter({ agent, key }: Pick<HepMessage, 'agent' | 'key'>, queue = createHepQueue()): HepExporter {
  const correlation = createCorrelation();
  return {
    queue,
    take({ text, ...where }) {
      const message = parseMessage(text);
      const named = 'refused' in message ? null : namedIn(message);
      if ('refused' in message || named === null) return false;
      try {
        const payload = bytesOf(withoutAuthentication(text, message));
        return queue.push(encodeHep({ ...where, agent, key, correlation: correlation.of(named), payload }));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        queue.refuse();
        return false;
      }
    },
  };
}
