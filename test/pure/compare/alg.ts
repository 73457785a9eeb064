/**
 * An ALG of our own: each rewriting that routers have been seen to make, as what it does to a message and what has to be
 * found of it. It knows nothing of how the comparison works: it replaces text.
 */
import { PHONE, PROVIDER, WAN } from './captures.ts';
import { reply, request, session } from './dialogue.ts';
import type { About } from './dialogue.ts';

export interface Rewriting {
  readonly name: string;
  readonly message: (about: About) => string;
  readonly toProvider?: false;
  readonly rewrite: (text: string) => string;
  /** As `named` gives it, sorted or not. */
  readonly finds: readonly string[];
}

const ME = `${PHONE}:5060`;
const invite = (about: About): string => request('INVITE', { ...about, body: session() });
const register = (about: About): string => request('REGISTER', { ...about, more: ['Expires: 3600'] });
const bye = (about: About): string => request('BYE', { ...about, cseq: 2 });
const answer = (about: About): string => reply('200 OK', 'INVITE', { ...about, body: session(PROVIDER, 30_000) });

const line =
  (name: string, change: (line: string) => string) =>
  (text: string): string =>
    text
      .split('\r\n')
      .map((one) => (one.startsWith(`${name}`) ? change(one) : one))
      .join('\r\n');
const without =
  (name: string) =>
  (text: string): string =>
    text
      .split('\r\n')
      .filter((one) => !one.startsWith(name))
      .join('\r\n');
const all =
  (from: string, to: string) =>
  (text: string): string =>
    text.split(from).join(to);

/** The length that is right again. */
function measured(text: string): string {
  const at = text.indexOf('\r\n\r\n');
  return text.slice(0, at).replace(/^(Content-Length|l): *\d+/m, `$1: ${text.length - at - 4}`) + text.slice(at);
}

const bodyOnly =
  (change: (body: string) => string) =>
  (text: string): string => {
    const at = text.indexOf('\r\n\r\n') + 4;
    return text.slice(0, at) + change(text.slice(at));
  };

const HEADERS = ['Via 1 sent-by translated', 'From 1 URI host translated', 'Contact 1 URI host translated'];
const SDP = ['SDP o= 0 address translated', 'SDP c= 0 address translated'];
const ALL_SDP = [...SDP, 'SDP a=rtcp 1 address translated', 'SDP a=candidate 1 address translated'];
const LENGTH = 'Content-Length 1 length';

/** A list in which a name, an address of another port and the phone's own stand. */
const twoContacts = (about: About): string =>
  register(about).replace(
    /^Contact: .*$/m,
    `Contact: <sip:alice@${ME}>;q=0.8, "B, <x>" <sip:alice@${PHONE}:5070>\r\nContact: <sip:alice@phone.example.org>`,
  );
const digest = (about: About): string =>
  request('REGISTER', {
    ...about,
    more: ['Authorization: Digest username="alice", realm="voip", nonce="abc", uri="sip:voip.example.net", response="0123456789abcdef"'],
  });
const twoVias = (about: About): string =>
  invite(about).replace(
    '\r\nMax-Forwards',
    `\r\nVia: SIP/2.0/UDP 10.1.1.1:5060;branch=z9hG4bK-second, SIP/2.0/TCP ${PHONE};branch=z9hG4bK-third\r\nMax-Forwards`,
  );
const multipart = (about: About): string => {
  const body = `--x\r\nContent-Type: application/sdp\r\n\r\n${session()}\r\n--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n`;
  return measured(
    invite(about)
      .replace(/\r\n\r\n[\s\S]*$/, `\r\n\r\n${body}`)
      .replace('application/sdp\r\nContent-Length', 'multipart/mixed;boundary=x\r\nContent-Length'),
  );
};

export const REWRITINGS: readonly Rewriting[] = [
  {
    name: 'replaces every private address',
    message: invite,
    rewrite: (text) => measured(all(PHONE, WAN)(text)),
    finds: [...HEADERS, ...ALL_SDP, LENGTH],
  },
  { name: 'replaces every private address in a registration', message: register, rewrite: all(PHONE, WAN), finds: HEADERS },
  {
    name: 'puts private addresses back in an answer',
    message: (about) => all(ME, `${WAN}:5060`)(answer(about)),
    toProvider: false,
    rewrite: all(WAN, PHONE),
    finds: ['Via 1 sent-by translated', 'Via 1 ;received translated', 'From 1 URI host translated'],
  },
  {
    name: 'rewrites as Linux does',
    message: invite,
    finds: [...HEADERS, ...SDP, LENGTH],
    rewrite: (text) =>
      measured(
        line(
          'c=',
          all(PHONE, WAN),
        )(line('o=', all(PHONE, WAN))(line('Via', all(PHONE, WAN))(line('From', all(PHONE, WAN))(line('Contact', all(PHONE, WAN))(text))))),
      ),
  },
  { name: 'rewrites the top Via alone', message: bye, rewrite: line('Via', all(PHONE, WAN)), finds: ['Via 1 sent-by translated'] },
  {
    name: 'rewrites the Contact alone',
    message: register,
    rewrite: line('Contact', all(PHONE, WAN)),
    finds: ['Contact 1 URI host translated'],
  },
  {
    name: "rewrites the Contact's port",
    message: register,
    rewrite: line('Contact', all(':5060', ':1024')),
    finds: ['Contact 1 URI host port'],
  },
  {
    name: 'rewrites address and port of the Contact',
    message: register,
    rewrite: line('Contact', all(ME, `${WAN}:1024`)),
    finds: ['Contact 1 URI host translated'],
  },
  {
    name: 'rewrites one Contact of three',
    message: twoContacts,
    rewrite: all(`${PHONE}:5070`, `${WAN}:5070`),
    finds: ['Contact 2 URI host translated'],
  },
  { name: 'rewrites the third Via', message: twoVias, rewrite: all(`TCP ${PHONE}`, `TCP ${WAN}`), finds: ['Via 3 sent-by translated'] },
  {
    name: 'adds the port to From',
    message: (about) => register(about).replace(`alice@${ME}>;tag`, `alice@${PHONE}>;tag`),
    rewrite: line('From', all(PHONE, `${WAN}:5060`)),
    finds: ['From 1 URI host translated'],
  },
  {
    name: 'rewrites the Request-URI',
    message: (about) => invite(about).replace('@voip.example.net', `@${WAN}:5060`),
    toProvider: false,
    rewrite: line('INVITE', all(WAN, PHONE)),
    finds: ['Request-URI 1 host translated'],
  },
  {
    name: 'edits the Call-ID',
    message: (about) => register({ ...about, callId: `${about.callId}@${PHONE}` }),
    rewrite: line('Call-ID', all(PHONE, WAN)),
    finds: ['Call-ID 1 translated'],
  },
  {
    name: 'moves the media port',
    message: invite,
    rewrite: (text) => line('m=', all('16384', '40000'))(text),
    finds: ['SDP m= 1 port port'],
  },
  {
    name: 'moves the port of a=rtcp and of a candidate',
    message: invite,
    rewrite: (text) => line('a=candidate', all(' 16384 ', ' 40000 '))(line('a=rtcp:', all('16385', '40001'))(text)),
    finds: ['SDP a=rtcp 1 port port', 'SDP a=candidate 1 port port'],
  },
  {
    name: 'rewrites o= to an address of neither side',
    message: invite,
    rewrite: (text) => measured(line('o=', all(PHONE, '10.9.8.7'))(text)),
    finds: ['SDP o= 0 address value', LENGTH],
  },
  {
    name: 'undoes a hold',
    message: (about) => measured(line('c=', all(PHONE, '0.0.0.0'))(invite(about))),
    rewrite: (text) => measured(line('c=', all('0.0.0.0', WAN))(text)),
    finds: ['SDP c= 0 address translated', LENGTH],
  },
  {
    name: 'changes sendrecv',
    message: invite,
    rewrite: (text) => all('a=sendrecv', 'a=sendonly')(text),
    finds: ['SDP a=direction 1 value'],
  },
  {
    name: 'leaves out a codec',
    message: invite,
    finds: ['SDP a=rtpmap 1 removed', 'SDP m= 1 more removed', LENGTH],
    rewrite: (text) => measured(without('a=rtpmap:101')(line('m=', all(' 8 0 101', ' 8 0'))(text))),
  },
  {
    name: 'puts codecs in another order',
    message: invite,
    finds: ['SDP a=rtpmap 1 reordered'],
    rewrite: (text) => text.replace(/(a=rtpmap:8.*\r\n)(a=rtpmap:0.*\r\n)/, '$2$1'),
  },
  {
    name: 'puts c= before s=',
    message: invite,
    rewrite: (text) => text.replace(/(s=.*\r\n)(c=.*\r\n)/, '$2$1'),
    finds: ['SDP s= 0 place reordered'],
  },
  {
    name: 'leaves out candidates',
    message: invite,
    rewrite: (text) => measured(without('a=candidate')(text)),
    finds: ['SDP a=candidate 1 removed', LENGTH],
  },
  {
    name: 'forgets the Content-Length',
    message: invite,
    rewrite: line('o=', all(PHONE, WAN)),
    finds: ['SDP o= 0 address translated', 'Content-Length 1 length-wrong'],
  },
  {
    name: 'makes the Content-Length wrong',
    message: invite,
    rewrite: line('Content-Length', () => 'Content-Length: 99'),
    finds: ['Content-Length 1 length-wrong'],
  },
  {
    name: 'corrects a Content-Length',
    message: (about) => line('Content-Length', () => 'Content-Length: 20')(invite(about)),
    rewrite: measured,
    finds: ['Content-Length 1 length-corrected'],
  },
  {
    name: 'shortens the length of a multipart body',
    message: multipart,
    finds: ['SDP o= 0 address translated', 'Content-Length 1 length-wrong'],
    rewrite: (text) => line('Content-Length', () => 'Content-Length: 159')(line('o=', all(PHONE, WAN))(text)),
  },
  { name: 'cuts the body', message: invite, rewrite: (text) => text.slice(0, -40), finds: ['Body 1 cut'] },
  { name: 'cuts the body and says so', message: invite, rewrite: (text) => measured(text.slice(0, -40)), finds: ['Body 1 cut', LENGTH] },
  { name: 'drops a header field', message: invite, rewrite: without('Allow'), finds: ['Allow 1 removed'] },
  {
    name: 'drops what it does not know',
    message: (about) => register({ ...about }).replace('Expires', 'X-Phone: 192.168.1.7:5060\r\nExpires'),
    rewrite: without('X-Phone'),
    finds: ['X-Phone 1 removed'],
  },
  {
    name: 'adds a header field',
    message: invite,
    rewrite: (text) => text.replace('User-Agent', 'X-ALG: yes\r\nUser-Agent'),
    finds: ['X-Alg 1 added'],
  },
  { name: 'drops ;rport', message: register, rewrite: line('Via', all(';rport', '')), finds: ['Via 1 ;rport removed'] },
  { name: 'changes the branch', message: register, rewrite: line('Via', all('z9hG4bK-', 'z9hG4bKx')), finds: ['Via 1 ;branch value'] },
  { name: 'adds ;maddr', message: register, rewrite: line('Via', (via) => `${via};maddr=${WAN}`), finds: ['Via 1 ;maddr added'] },
  {
    name: 'moves a header field',
    message: invite,
    finds: ['Call-ID 1 place reordered'],
    rewrite: (text) => text.replace(/(Call-ID.*\r\n)/, '').replace(/(Content-Type)/, `Call-ID: ${/Call-ID: (.*)\r/.exec(text)![1]}\r\n$1`),
  },
  {
    name: 'writes compact names',
    message: register,
    finds: ['Via 1 name respelled', 'From 1 name respelled', 'Call-ID 1 name respelled'],
    rewrite: (text) => all('\r\nVia:', '\r\nv:')(all('\r\nFrom:', '\r\nf:')(all('\r\nCall-ID:', '\r\ni:')(text))),
  },
  {
    name: 'writes names in small letters',
    message: register,
    rewrite: all('\r\nContact:', '\r\ncontact:'),
    finds: ['Contact 1 name respelled'],
  },
  {
    name: 'writes a compact name and another address',
    message: register,
    finds: ['Contact 1 name respelled', 'Contact 1 URI host translated'],
    rewrite: line('Contact', (contact) => contact.replace('Contact', 'm').replace(PHONE, WAN)),
  },
  { name: 'folds a field', message: register, rewrite: all(';rport', '\r\n ;rport'), finds: ['Via 1 layout'] },
  {
    name: 'joins two fields',
    message: twoContacts,
    rewrite: (text) => text.replace('\r\nContact: <sip:alice@phone', ', <sip:alice@phone'),
    finds: ['Contact 1 layout'],
  },
  { name: 'ends lines of the header in LF', message: register, rewrite: all('\r\n', '\n'), finds: ['Line ends 1 layout'] },
  { name: 'takes quotes off', message: register, rewrite: all('"Alice"', 'Alice'), finds: ['From 1 display name layout'] },
  {
    name: 'writes escapes out',
    message: (about) => all('sip:alice@', 'sip:%61lice@')(register(about)),
    rewrite: line('Contact', all('%61', 'a')),
    finds: ['Contact 1 URI user layout'],
  },
  { name: 'adds blanks', message: register, rewrite: all('User-Agent: ', 'User-Agent:   '), finds: ['User-Agent 1 layout'] },
  { name: 'puts line ends before the message', message: register, rewrite: (text) => `\r\n${text}`, finds: ['Message 1 lead layout'] },
  {
    name: 'changes the user',
    message: register,
    rewrite: line('Contact', all('sip:alice', 'sip:alice2')),
    finds: ['Contact 1 URI user value'],
  },
  { name: 'changes the scheme', message: register, rewrite: line('Contact', all('sip:', 'sips:')), finds: ['Contact 1 URI scheme value'] },
  { name: 'changes Expires', message: register, rewrite: all('Expires: 3600', 'Expires: 60'), finds: ['Expires 1 value'] },
  {
    name: 'changes a digest',
    message: digest,
    rewrite: all('0123456789abcdef', '0123456789abcdee'),
    finds: ['Authorization 1 ;response value'],
  },
  {
    name: 'changes the reason phrase',
    message: answer,
    toProvider: false,
    rewrite: all('200 OK', '200 Ok'),
    finds: ['Status line 1 reason value'],
  },
  {
    name: 'changes a body that is no description',
    message: (about) => measured(request('MESSAGE', { ...about, body: `call ${PHONE}` }).replace('application/sdp', 'text/plain')),
    rewrite: (text) => measured(bodyOnly(all(PHONE, WAN))(text)),
    finds: ['Body 1 translated', LENGTH],
  },
  // What a SIP server does is no ALG's.
  {
    name: 'is a server that adds received and fills rport in',
    message: register,
    finds: ['Via 1 ;rport value server', 'Via 1 ;received added server'],
    rewrite: line('Via', (via) => `${via}=5060;received=${WAN}`),
  },
  {
    name: 'is a proxy that adds Via and Record-Route',
    message: invite,
    finds: ['Via 1 added server', 'Record-Route 1 added server', 'Max-Forwards 1 value server'],
    rewrite: (text) =>
      all(
        'Max-Forwards: 70',
        'Max-Forwards: 69',
      )(text).replace('Via:', `Via: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKproxy\r\nRecord-Route: <sip:198.51.100.1;lr>\r\nVia:`),
  },
];
