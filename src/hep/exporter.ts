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

const valueIn = ({ fields }: Message, name: string): string => fields.find((field) => field.canonical === name)?.content ?? '';

/** What is no part of a call: registrations, questions, and subscriptions with what they bring. */
const BESIDE = /^\d+[ \t]+(REGISTER|OPTIONS|SUBSCRIBE|NOTIFY|PUBLISH)\b/;

/** Who a message is about; null where it names no call. */
function namedIn(message: Message): Named | null {
  const valueOf = (name: string): string => valueIn(message, name);
  const callId = valueOf('call-id');
  return callId === '' ? null : { callId, fromTag: tagIn(valueOf('from')), toTag: tagIn(valueOf('to')) };
}

export interface HepExporter {
  /**
   * unread: it is no message of SIP, or has no Call-ID as far as it was seen. passed: it is none of those that are wanted.
   * refused: it was not taken, which the queue counts.
   */
  take(seen: Seen): 'taken' | 'unread' | 'passed' | 'refused';
  readonly queue: HepQueue;
}

/** @param agent number of this router, 32 bits @param key what the server asks for; '' for none @param calls alone are wanted */
export function createHepExporter(
  { agent, key }: Pick<HepMessage, 'agent' | 'key'>,
  calls = false,
  queue = createHepQueue(),
): HepExporter {
  const correlation = createCorrelation();
  return {
    queue,
    take({ text, ...where }) {
      const message = parseMessage(text);
      const named = 'refused' in message ? null : namedIn(message);
      if ('refused' in message || named === null) return 'unread';
      if (calls && BESIDE.test(valueIn(message, 'cseq'))) return 'passed';
      try {
        const payload = bytesOf(withoutAuthentication(text, message));
        return queue.push(encodeHep({ ...where, agent, key, correlation: correlation.of(named), payload })) ? 'taken' : 'refused';
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        queue.refuse();
        return 'refused';
      }
    },
  };
}
