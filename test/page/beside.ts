/** What the object answers besides the report, as a page may get it: of a router whose ALG is on, after one call. */
import type { CallsReply, HistoryReply } from '../../src/object/object.ts';
import { NOW } from '../routers.ts';

const MINUTE = 60_000;
const NONE = { register: 0, invite: 0, options: 0, other: 0, tcp: 0, media: 0, signalling: 0 };

export const PROBED = {
  version: '1',
  verdict: 'rewritten here',
  because: null,
  messages: [
    { name: 'control before', fate: 'unchanged', reason: null },
    { name: 'REGISTER', fate: 'rewritten', reason: null },
    { name: 'INVITE with a name in o=', fate: 'dropped', reason: 'cannot parse SDP message' },
  ],
  alterations: [
    { field: 'Via', part: 'sent-by', before: '192.168.1.250', after: '203.0.113.7', toProvider: true, messages: ['REGISTER'] },
    { field: 'Contact', part: 'URI host', before: '192.168.1.250', after: null, toProvider: true, messages: ['a', 'b', 'c', 'd'] },
  ],
  remarks: ['One way was not tried.'],
  leftOver: [],
};

export const DIAGNOSED = {
  version: '1',
  diagnosis: {
    number: '32 s is 64 x T1',
    coded: { number: { code: 'number-means' } },
    found: [
      {
        code: 'alg-rewrites',
        what: 'A SIP ALG on this router rewrites calls.',
        evidence: ['nf_nat_sip is loaded'],
        fix: { command: 'sipalg disable' },
        alike: { codes: ['private-sdp'], tell: 'a capture' },
        coded: { what: { code: 'cause-alg-rewrites' } },
      },
    ],
    ruledOut: [{ code: 'sip-open', what: 'Everybody may reach SIP.', because: 'nobody may' }],
    unknown: [{ code: 'lost-beyond', what: 'It is lost beyond.', because: 'nothing shows it', tell: 'ask the provider' }],
    advisories: [{ id: 'alg-on', text: 'The SIP ALG is on.', fix: 'sipalg disable' }],
  },
};

export const HISTORY: HistoryReply = {
  at: NOW,
  spans: [
    { ...NONE, from: NOW - 60 * MINUTE, to: NOW - 45 * MINUTE, register: 12, media: 500 },
    { ...NONE, from: NOW - 45 * MINUTE, to: NOW - 30 * MINUTE, options: 3, media: 900 },
  ],
  phones: [{ phone: '192.168.1.20:5060', far: '203.0.113.10:5060', protocol: 'udp', left: 45, life: 180, every: 300 }],
  unread: null,
};

/** @param live the watch goes on */
export const calls = (live: boolean): CallsReply => ({
  watched: {
    began: NOW,
    until: NOW + 10 * MINUTE,
    at: NOW + MINUTE,
    live,
    trouble: null,
    told: [
      { at: NOW, cause: null, phone: '192.168.1.20', call: 1, text: 'calls' },
      {
        at: NOW + 1000,
        cause: 'alg-rewrites',
        phone: '192.168.1.20',
        call: null,
        text: 'messages are changed',
        coded: { text: { code: 'told-changed' } },
      },
    ],
    omitted: 0,
    remarks: [{ text: 'Packets are not counted here.' }],
    summary: {
      phones: 1,
      calls: 1,
      answered: 1,
      failed: 0,
      causes: [{ code: 'alg-rewrites', times: 2, text: 'Something in this router writes into the messages.', fixes: [{ text: 'Fix: `sipalg disable`' }] }],
      registrations: [],
      ladders: [
        {
          call: 1,
          phone: '192.168.1.20:5060',
          far: '203.0.113.10:5060',
          rungs: [
            { at: NOW, what: 'INVITE', fromPhone: true, sdp: true, again: 0, fate: 'changed' },
            { at: NOW + 200, what: '200 OK', fromPhone: false, sdp: true, again: 1, fate: 'passed' },
          ],
          omitted: 0,
        },
      ],
    },
  },
});
