import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress, parseAddresses } from '../../../../src/languages/sip/address.ts';
import type { Address } from '../../../../src/languages/sip/address.ts';
import { parseCredentials } from '../../../../src/languages/sip/credentials.ts';
import { parseCSeq } from '../../../../src/languages/sip/cseq.ts';
import { parseUri } from '../../../../src/languages/sip/uri.ts';
import { MOST_MEMBERS, meaningOf, parameterNamed } from '../../../../src/languages/sip/value.ts';
import type { List, Parameter } from '../../../../src/languages/sip/value.ts';
import { parseVia } from '../../../../src/languages/sip/via.ts';
import type { Via } from '../../../../src/languages/sip/via.ts';

/** Values are read where they stand: something is before each and behind it, and may not be seen. */
const at = <T>(value: string, read: (text: string, start: number, end: number) => T): T =>
  read(`<"${value}\r\nX: >",]`, 2, 2 + value.length);

const written = (parameters: readonly Parameter[]): string =>
  parameters.map(({ name, value }) => value === null ? name.text : `${name.text}=${value.text}`).join(';');
const odd = ({ problems }: { problems: readonly { code: string }[] }): string => problems.map(({ code }) => code).join(' ');

/** Every piece of a value stands where it says it does. */
function places(value: unknown, text: string): void {
  if (typeof value !== 'object' || value === null) return;
  const { text: own, start, end } = value as { text?: unknown; start?: unknown; end?: unknown };
  if (typeof own === 'string' && typeof start === 'number' && typeof end === 'number') assert.is(text.slice(start, end), own);
  for (const each of Object.values(value)) places(each, text);
}

const shown = ({ members }: List<Via>): string => members.map(({ protocol, transport, sentBy, parameters }) => [
  protocol.text.replace(/[ \t\r\n]+/g, '_'), transport.text, sentBy.address, sentBy.number,
  ...parameters.length > 0 ? [written(parameters)] : [],
].map(String).join(' ')).join(' | ');

const VIAS: readonly [value: string, read: string, odd?: string][] = [
  ['SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK1', 'SIP/2.0/UDP UDP 192.168.1.10 5060 branch=z9hG4bK1'],
  ['SIP/2.0/UDP pc33.example.com;branch=1', 'SIP/2.0/UDP UDP pc33.example.com null branch=1'],
  ['sip/2.0/udp 192.168.1.10', 'sip/2.0/udp udp 192.168.1.10 null'],
  ['SIP / 2.0 / UDP  192.168.1.10 : 5060 ; rport ; branch = a', 'SIP_/_2.0_/_UDP UDP 192.168.1.10 5060 rport;branch=a'],
  ['SIP/2.0/UDP\r\n 192.168.1.10:5060\r\n ;branch=a', 'SIP/2.0/UDP UDP 192.168.1.10 5060 branch=a'],
  ['SIP\r\n /2.0/\r\n\tTCP\r\n  h', 'SIP_/2.0/_TCP TCP h null'],
  ['SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b:5061;branch=2 ,\r\n SIP/2.0/TLS c',
    'SIP/2.0/UDP UDP a null branch=1 | SIP/2.0/TCP TCP b 5061 branch=2 | SIP/2.0/TLS TLS c null'],
  ['SIP/2.0/UDP [2001:db8::9:1]:5060;received=[2001:db8::1];branch=x',
    'SIP/2.0/UDP UDP 2001:db8::9:1 5060 received=[2001:db8::1];branch=x'],
  ['SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::1', 'SIP/2.0/UDP UDP 2001:db8::9:1 null received=2001:db8::1'],
  ['SIP/2.0/UDP 2001:db8::9:1;branch=x', 'SIP/2.0/UDP UDP 2001:db8::9:1 null branch=x', 'bad-host'],
  ['SIP/2.0/UDP [2001:db8::1;branch=x', 'SIP/2.0/UDP UDP [2001:db8::1 null branch=x', 'bracket-open'],
  ['SIP/2.0/UDP h;maddr=239.1.1.1;ttl=1;received="192.0.2.1";rport=5062',
    'SIP/2.0/UDP UDP h null maddr=239.1.1.1;ttl=1;received="192.0.2.1";rport=5062'],
  ['SIP/2.0/UDP h;x="a;b,c\\"d";branch=1', 'SIP/2.0/UDP UDP h null x="a;b,c\\"d";branch=1'],
  ['SIP/2.0/UDP h:70000', 'SIP/2.0/UDP UDP h null', 'bad-port'],
  ['SIP/2.0/UDP h:;branch=1', 'SIP/2.0/UDP UDP h null branch=1', 'bad-port'],
  ['SIP/2.0/UDP h;;branch=1;', 'SIP/2.0/UDP UDP h null branch=1', 'bad-parameter bad-parameter'],
  ['SIP/2.0/UDP h (a comment), SIP/2.0/UDP i', 'SIP/2.0/UDP UDP h null | SIP/2.0/UDP UDP i null', 'unread'],
  [', SIP/2.0/UDP h,,', 'SIP/2.0/UDP UDP h null', 'empty-member empty-member'],
  ['SIP/2.0 h;branch=1, SIP/2.0/UDP i', 'SIP/2.0/UDP UDP i null', 'unread'],
  ['SIP/2.0/UDP h;x="open, SIP/2.0/UDP i', 'SIP/2.0/UDP UDP h null x="open, SIP/2.0/UDP i', 'quote-open'],
  ['', ''],
];

const vias = suite('Via');

for (const [value, expected, problems] of VIAS) {
  vias(`is read: ${JSON.stringify(value)}`, () => {
    const list = at(value, parseVia);
    assert.is(shown(list), expected);
    assert.is(odd(list), problems ?? '');
    at(value, (text) => places(list, text));
  });
}

vias('gives its parameters by name, in any case', () => {
  const [via] = at('SIP/2.0/UDP h;Branch=z9;RPORT;received="1.2.3.4"', parseVia).members;
  assert.ok(via);
  assert.is(parameterNamed(via.parameters, 'branch')?.value?.text, 'z9');
  assert.is(parameterNamed(via.parameters, 'rport')?.value, null);
  const received = parameterNamed(via.parameters, 'received')?.value;
  assert.ok(received);
  assert.is(meaningOf(received), '1.2.3.4');
});

const seen = ({ members }: List<Address>): string => members.map(({ displayName, uri, bracketed, parameters }) =>
  (displayName === null ? '' : `${displayName.text} `) + (bracketed ? `<${uri.text}>` : uri.text)
  + (parameters.length > 0 ? `;${written(parameters)}` : '')).join(' | ');

const ADDRESSES: readonly [value: string, read: string, odd?: string][] = [
  ['<sip:a@b>', '<sip:a@b>'],
  ['sip:a@b', 'sip:a@b'],
  ['sip:a@b;tag=1', 'sip:a@b;tag=1'],
  ['Alice <sip:a@b;lr>;tag=1', 'Alice <sip:a@b;lr>;tag=1'],
  ['Alice<sip:a@b>', 'Alice <sip:a@b>'],
  ['Alice  B. Cooper <sip:a@b>', 'Alice  B. Cooper <sip:a@b>'],
  ['"A, <sip:x@192.168.1.10:5060>" <sip:alice@192.168.1.10:5060>;q=0.5',
    '"A, <sip:x@192.168.1.10:5060>" <sip:alice@192.168.1.10:5060>;q=0.5'],
  ['"a\\"b\\\\" <sip:a@b>, <sip:c@d>', '"a\\"b\\\\" <sip:a@b> | <sip:c@d>'],
  ['<sip:a@b>, sip:c@d;q=1, "E" <sip:e@f>;expires=5', '<sip:a@b> | sip:c@d;q=1 | "E" <sip:e@f>;expires=5'],
  ['<sip:a@b,c;x?y=z>', '<sip:a@b,c;x?y=z>'],
  ['\r\n <sip:a@b>\r\n ; tag\r\n = 1', '<sip:a@b>;tag=1'],
  ['*', '*'],
  ['<tel:+1-201-555-0123;phone-context=x>', '<tel:+1-201-555-0123;phone-context=x>'],
  ['<sip:[2001:db8::1]:5060>;+sip.instance="<urn:uuid:1>"', '<sip:[2001:db8::1]:5060>;+sip.instance="<urn:uuid:1>"'],
  ['"" <sip:a@b>', '"" <sip:a@b>'],
  ['\xc3\xa9t\xc3\xa9 <sip:a@b>', '\xc3\xa9t\xc3\xa9 <sip:a@b>'],
  ['< sip:a@b >', '<sip:a@b>', 'uri'],
  ['sip:a@b?x=y', 'sip:a@b?x=y', 'uri'],
  ['<sip:a@b', '<sip:a@b>', 'bracket-open'],
  ['"open <sip:a@b>', '"open <sip:a@b>', 'display-name'],
  ['nothing here', '', 'unread'],
  ['<sip:a@b> behind, <sip:c@d>', '<sip:a@b> | <sip:c@d>', 'unread'],
  ['"quoted" alone, <sip:c@d>', '<sip:c@d>', 'unread'],
];

const addresses = suite('addresses');

for (const [value, expected, problems] of ADDRESSES) {
  addresses(`are read: ${JSON.stringify(value)}`, () => {
    const list = at(value, parseAddresses);
    assert.is(seen(list), expected);
    assert.is(odd(list), problems ?? '');
    at(value, (text) => places(list, text));
  });
}

addresses('have a comma in the name where there can be one alone', () => {
  const list = at('Bell, Alexander <sip:a.g.bell@example.com>;tag=43', parseAddress);
  assert.is(seen(list), 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43');
  assert.is(odd(list), 'display-name');
  assert.is(odd(at('<sip:a@b>, <sip:c@d>', parseAddress)), 'unread');
});

addresses('of a list are read up to a number of them', () => {
  const list = at('<sip:a@b>,'.repeat(MOST_MEMBERS + 1), parseAddresses);
  assert.is(list.members.length, MOST_MEMBERS);
  assert.match(list.problems[0]?.sentence ?? '', /the rest is not read/);
});

/** kind, user, password, host, port, parameters, headers, problems */
const URIS: readonly [uri: string, ...read: (string | number | null)[]][] = [
  ['sip:alice@192.168.1.10:5060', 'sip', 'alice', null, '192.168.1.10', 5060, '', ''],
  ['sips:alice@example.com', 'sips', 'alice', null, 'example.com', null, '', ''],
  ['SIP:alice@example.com', 'sip', 'alice', null, 'example.com', null, '', ''],
  ['sip:example.com', 'sip', null, null, 'example.com', null, '', ''],
  ['sip:alice:secret@example.com', 'sip', 'alice', 'secret', 'example.com', null, '', ''],
  ['sip:alice:@example.com', 'sip', 'alice', '', 'example.com', null, '', ''],
  ['sip:@example.com', 'sip', '', null, 'example.com', null, '', ''],
  ['sip:192.168.1.10@192.168.1.10:5060', 'sip', '192.168.1.10', null, '192.168.1.10', 5060, '', ''],
  ['sip:u;p=1/?&=+$,x@h;lr;maddr=1.2.3.4', 'sip', 'u;p=1/?&=+$,x', null, 'h', null, 'lr;maddr=1.2.3.4', ''],
  ['sip:a@h;transport=tcp?Subject=x&Route=%3Csip:b%3E', 'sip', 'a', null, 'h', null, 'transport=tcp', 'Subject=x;Route=%3Csip:b%3E'],
  ['sip:a@h?Replaces=x%40y', 'sip', 'a', null, 'h', null, '', 'Replaces=x%40y'],
  ['sip:a@[2001:db8::1]:5060;x', 'sip', 'a', null, '2001:db8::1', 5060, 'x', ''],
  ['sip:[2001:db8::1]', 'sip', null, null, '2001:db8::1', null, '', ''],
  ['sip:a@2001:db8::1', 'sip', 'a', null, '2001:db8::1', null, '', '', 'bad-host'],
  ['sip:a@h:99999', 'sip', 'a', null, 'h', null, '', '', 'bad-port'],
  ['sip:a@h;;x', 'sip', 'a', null, 'h', null, 'x', '', 'bad-parameter'],
  ['sip:a@h x', 'sip', 'a', null, 'h', null, '', '', 'uri'],
];

const uris = suite('URIs');

for (const [uri, ...expected] of URIS) {
  uris(`are read: ${uri}`, () => {
    const read = at(uri, parseUri);
    assert.ok(!('refused' in read) && (read.kind === 'sip' || read.kind === 'sips'), JSON.stringify(read));
    const { kind, user, password, hostPort, parameters, headers } = read;
    assert.equal([kind, user?.text ?? null, password?.text ?? null, hostPort.address, hostPort.number, written(parameters),
      written(headers),
      ...read.problems.map(({ code }) => code)], expected);
    at(uri, (text) => places(read, text));
  });
}

uris('of telephones have a number and parameters', () => {
  const read = at('tel:+1-201-555-0123;phone-context=example.com;isub=1', parseUri);
  assert.ok(!('refused' in read) && read.kind === 'tel');
  assert.equal([read.number.text, written(read.parameters), read.problems.length],
    ['+1-201-555-0123', 'phone-context=example.com;isub=1', 0]);
});

uris('of other schemes are kept as they are', () => {
  const read = at('urn:service:sos', parseUri);
  assert.ok(!('refused' in read) && read.kind === 'other');
  assert.equal([read.scheme.text, read.opaque.text], ['urn', 'service:sos']);
});

uris('that are none are refused', () => {
  for (const text of ['', '*', 'alice', ':x', '1a:b', 'sip:', 'sip:a@', 'sip:@', `${'a'.repeat(80)}:x`]) {
    const read = at(text, parseUri);
    assert.ok('refused' in read && read.refused.endsWith('.'), text);
  }
});

const cseqs = suite('CSeq');

cseqs('is a number and a method', () => {
  const read = (value: string): unknown => {
    const cseq = at(value, parseCSeq);
    return 'refused' in cseq ? 'refused' : [cseq.number, cseq.digits.text, cseq.method.text];
  };
  assert.equal(read('1 INVITE'), [1, '1', 'INVITE']);
  assert.equal(read(' 0009\r\n  INVITE '), [9, '0009', 'INVITE']);
  assert.equal(read('4294967295 ACK'), [4294967295, '4294967295', 'ACK']);
  assert.equal(read('4294967296 ACK'), [null, '4294967296', 'ACK']);
  for (const value of ['', '1', 'x INVITE', '1 INVITE more', '-1 ACK', '1INVITE']) assert.is(read(value), 'refused', value);
});

const credentials = suite('credentials');

const DIGEST = 'Digest username="al,ice", realm="x\\"y",\r\n nonce = "n" , uri="sip:a;b", response="00ff",qop=auth,\r\n nc=00000001';

credentials('are a scheme and its parameters, each with its place', () => {
  const read = at(DIGEST, parseCredentials);
  assert.equal([read.scheme.text, odd(read)], ['Digest', '']);
  assert.is(written(read.parameters), 'username="al,ice";realm="x\\"y";nonce="n";uri="sip:a;b";response="00ff";qop=auth;nc=00000001');
  at(DIGEST, (text) => places(read, text));
});

credentials('of a scheme without parameters are all that stands behind it', () => {
  const read = at('Basic QWxhZGRpbjpvcGVu==', parseCredentials);
  assert.equal([read.scheme.text, read.opaque.text], ['Basic', 'QWxhZGRpbjpvcGVu==']);
});

credentials('may have no scheme, as Authentication-Info has none', () => {
  const read = at('nextnonce="47364c", qop=auth', parseCredentials);
  assert.equal([read.scheme.text, written(read.parameters)], ['', 'nextnonce="47364c";qop=auth']);
});

credentials('that break off are read as far as they go', () => {
  const read = at('Digest username="alice, response="x', parseCredentials);
  assert.is(read.scheme.text, 'Digest');
  assert.ok(read.problems.length > 0);
  assert.is(at('', parseCredentials).scheme.text, '');
});

vias.run();
addresses.run();
uris.run();
cseqs.run();
credentials.run();
