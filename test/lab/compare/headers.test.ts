/** What the kernel's ALG does to the forms of a header that phones and providers write, and to what is hardly a message. */
import { suite } from 'uvu';
import { ADDRESS } from '../network.ts';
import { caught, inLab, pause, waysOf } from './captures.ts';
import { CONTACT, FROM, HEADERS, OWN, SDP, VIA, bytes, check, lines, reply, request, session } from './odd.ts';
import type { Odd, Parts } from './odd.ts';

const LAN = `${OWN}:5060`;
const WAN = `${ADDRESS.wan}:5060`;

const options = (callId: string, becomes: Odd['becomes'], parts: Partial<Parts> = {}): Odd => ({
  callId,
  text: request({ callId, ...parts }),
  becomes,
});
/** One text of an ordinary request replaced. */
const altered = (callId: string, becomes: Odd['becomes'], was: string | RegExp, is: string, parts: Partial<Parts> = {}): Odd => ({
  callId,
  text: request({ callId, ...parts }).replace(was, is),
  becomes,
});
/** Compact forms, RFC 3261 §7.3.3. */
const COMPACT: Readonly<Record<string, string>> = {
  Via: 'v',
  From: 'f',
  To: 't',
  'Call-ID': 'i',
  Contact: 'm',
  'Content-Type': 'c',
  'Content-Length': 'l',
};
const withSdp = { method: 'INVITE', body: session(OWN) };
const renamed = (callId: string, rename: (name: string) => string): Odd => ({
  callId,
  text: request({ callId, ...withSdp }).replace(/^([A-Z][A-Za-z-]+)(?=:)/gm, rename),
  becomes: [...HEADERS, ...SDP],
});
const NOT_CONTACT = [FROM, VIA];
const NOT_VIA = [FROM, CONTACT];
const SECOND = 'Contact 2 URI host translated';
const FRAGMENT = lines('SIP/2.0 200 OK', `Contact: <sip:b@${LAN}>`);
const URI = 'Request-URI 1 host translated';

const OUT: readonly Odd[] = [
  options('plain', HEADERS),
  // Request-URI.
  options('uri-sip', [...HEADERS, URI], { uri: `sip:x@${LAN}` }),
  options('uri-sips', HEADERS, { uri: `sips:x@${LAN}` }),
  options('uri-tel', HEADERS, { uri: 'tel:+4930123456' }),
  // Parameters of the top Via.
  options('via-received', HEADERS, { via: `SIP/2.0/UDP ${LAN};received=${OWN}` }),
  options('via-maddr', [...HEADERS, 'Via 1 ;maddr translated'], { via: `SIP/2.0/UDP ${LAN};maddr=${OWN}` }),
  options('via-rport', HEADERS, { via: `SIP/2.0/UDP ${LAN};rport` }),
  options('via-other-host', NOT_VIA, { via: 'SIP/2.0/UDP 192.168.1.99:5060' }),
  options('via-blanks', NOT_VIA, { via: `SIP/2.0/UDP  ${LAN}` }),
  options('via-fold-before', NOT_VIA, { via: `SIP/2.0/UDP\r\n ${LAN}` }),
  options('via-fold-first', HEADERS, { via: `\r\n SIP/2.0/UDP ${LAN}` }),
  options('via-fold-behind', HEADERS, { via: `SIP/2.0/UDP ${LAN}\r\n ;rport` }),
  options('via-colon', [FROM, CONTACT, `Via 1 sent-by value ${WAN}`, 'Via 1 ;branch removed'], { via: `SIP/2.0/UDP ${OWN} : 5060` }),
  options('via-slashes', HEADERS, { via: `SIP / 2.0 / UDP ${LAN}` }),
  options('via-tcp', NOT_VIA, { via: `SIP/2.0/TCP ${LAN}` }),
  // From.
  options('from-no-port', HEADERS, { from: `<sip:a@${OWN}>` }),
  options('from-user', HEADERS, { from: `<sip:${OWN}@${LAN}>` }),
  options('from-fold', HEADERS, { from: `\r\n <sip:a@${LAN}>` }),
  options('from-fold-behind', HEADERS, { from: `<sip:a@${LAN}>\r\n ;x=1` }),
  options('from-sips', [CONTACT, VIA], { from: `<sips:a@${LAN}>` }),
  // Contact.
  options('contact-none', NOT_CONTACT, { contact: '*' }),
  options('contact-bare', HEADERS, { contact: `sip:a@${LAN}` }),
  options('contact-upper', HEADERS, { contact: `<SIP:a@${LAN}>` }),
  options('contact-port', NOT_CONTACT, { contact: `<sip:a@${OWN}:5070>` }),
  options('contact-name', NOT_CONTACT, { contact: '<sip:a@phone.example.org>' }),
  options('contact-sips', NOT_CONTACT, { contact: `<sips:a@${LAN}>` }),
  options('contact-tel', NOT_CONTACT, { contact: '<tel:+4930123456>' }),
  options('contact-ip6', NOT_CONTACT, { contact: '<sip:a@[2001:db8::1]:5060>' }),
  options('contact-two', [...HEADERS, SECOND], { contact: `<sip:a@${LAN}>, <sip:b@${LAN}>` }),
  options('contact-two-fields', [...HEADERS, SECOND], { more: [`Contact: <sip:b@${LAN}>`] }),
  options('contact-parameters', HEADERS, { contact: `<sip:a@${LAN};maddr=${OWN};epid=${OWN}?Route=%3csip:${OWN}%3e>` }),
  options('contact-fold', HEADERS, { contact: `\r\n <sip:a@${LAN}>` }),
  options('contact-quoted', [FROM, VIA, 'Contact 1 display name translated'], { contact: `"A, <sip:x@${LAN}>" <sip:a@${LAN}>` }),
  options('contact-expires', HEADERS, { method: 'REGISTER', contact: `<sip:a@${LAN}>;expires=60` }),
  options(
    'contact-body',
    [...HEADERS, 'Body 1 translated', `Content-Length 1 length-wrong ${FRAGMENT.length}`],
    { method: 'NOTIFY', type: 'message/sipfrag', body: FRAGMENT },
  ),
  // What carries an address and is never touched.
  options('untouched', HEADERS, {
    more: [
      `Replaces: 1@${OWN};to-tag=1;from-tag=2`,
      `Proxy-Authorization: Digest username="a", realm="${OWN}", uri="sip:${LAN}", nonce="n", response="r"`,
      `WWW-Authenticate: Digest realm="${OWN}", nonce="n"`,
    ],
  }),
  // Names of fields.
  renamed('compact', (name) => COMPACT[name] ?? name),
  renamed('upper-names', (name) => name.toUpperCase()),
  altered('lower-scheme', HEADERS, 'SIP/2.0/UDP', 'sip/2.0/udp'),
  altered('line-feeds', HEADERS, /\r\n/g, '\n', withSdp),
  // Methods that only look like INVITE.
  options('invite', [...HEADERS, ...SDP], { ...withSdp, method: 'invite' }),
  // Start lines and CSeq.
  altered('version-3', HEADERS, /SIP\/2.0\r\n/, 'SIP/3.0\r\n'),
  altered('no-version', HEADERS, / SIP\/2.0\r\n/, '\r\n'),
  altered('leading-blank', HEADERS, /^/, ' '),
  altered('leading-line-end', HEADERS, /^/, '\r\n', withSdp),
  altered('two-blanks', HEADERS, 'INVITE ', 'INVITE  ', withSdp),
  altered('cseq-missing', HEADERS, /CSeq.*\r\n/, ''),
  altered('cseq-word', 'dropped', 'CSeq: 1', 'CSeq: x', withSdp),
];

/** Via and From are looked for once in a datagram, Contacts all through it. */
const TWO: readonly Odd[] = [options('first', HEADERS), options('second', [CONTACT])];

const back = (callId: string, becomes: Odd['becomes'], parameters: string, status = '200 OK'): Odd => ({
  callId: `back-${callId}`,
  text: reply(`back-${callId}`, status, 'OPTIONS', parameters, ''),
  becomes,
});

const OTHER_PORT = ['Request-URI 1 host port', 'To 1 URI host port'];
/** On a flow of its own: the kernel takes the port in the Via for that of everything that follows. */
const APART: readonly Odd[] = [
  options('via-other-port', [FROM, CONTACT, ...OTHER_PORT], { own: `${OWN}:5062`, via: `SIP/2.0/UDP ${OWN}:5070` }),
  options('via-same-port', [...HEADERS, ...OTHER_PORT], { own: `${OWN}:5062` }),
];

const BACK: readonly Odd[] = [
  back('received', [FROM, VIA, 'Via 1 ;received translated'], `;received=${ADDRESS.wan};rport=5060`),
  back('received-quoted', NOT_CONTACT, `;received="${ADDRESS.wan}"`),
  back('rport-other', NOT_CONTACT, ';rport=4711'),
  back('maddr', NOT_CONTACT, `;maddr=${ADDRESS.wan}`),
  back('trying', NOT_CONTACT, '', '100 Trying'),
  back('moved', NOT_CONTACT, '', '302 Moved Temporarily'),
  back('denied', NOT_CONTACT, '', '401 Unauthorized'),
  back('gone', NOT_CONTACT, '', '603 Decline'),
  back('status-word', 'dropped', '', 'abc OK'),
];

const headers = suite("captures of the kernel's own ALG, of headers");

headers('are read as what the ALG does to each form of them, both ways', () =>
  inLab(async (lab) => {
    await lab.phone.must(['ip', 'addr', 'add', `${OWN}/24`, 'dev', 'eth0']);
    const [phone, provider] = await Promise.all([lab.talker('phone'), lab.talker('provider')]);
    const [near, far] = await Promise.all([phone.udp(OWN, 5060), provider.udp(ADDRESS.provider, 5060)]);
    const toProvider = { address: ADDRESS.provider, port: 5060 };
    const apart = await phone.udp(OWN, 5062);
    const files = await caught(lab, async () => {
      for (const { text } of OUT) await near.send(bytes(text), toProvider);
      for (const { text } of APART) await apart.send(bytes(text), toProvider);
      // Two in one datagram.
      await near.send(bytes(TWO.map(({ text }) => text).join('')), toProvider);
      await near.send(bytes('\r\n\r\n'), toProvider);
      await pause(50);
      for (const { text } of BACK) await far.send(bytes(text), { address: ADDRESS.wan, port: 5060 });
    });
    for (const [where, result] of waysOf(files)) check(where, result, [...OUT, ...APART, ...TWO, ...BACK]);
  }),
);

headers.run();
