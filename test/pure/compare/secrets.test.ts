import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { comparisonPage } from '../../../src/cli/compare-html.ts';
import { comparisonText } from '../../../src/cli/compare-text.ts';
import { redacted } from '../../../src/compare/redact.ts';
import type { Comparison } from '../../../src/compare/comparison.ts';
import { PHONE, WAN, bothSides } from './captures.ts';
import { reply, request, session } from './dialogue.ts';

const everything = (comparison: Comparison): string =>
  [comparisonText(comparison), comparisonPage(comparison, '0'), JSON.stringify(comparison)].join('\n');
const alg = (text: string): string => text.split(PHONE).join(WAN);

const SECRETS = ['s3cretnonce', 'c0ffeeresponse', 'cn0ncevalue', 'b64basic==', 'inlineKEYkey', 'pa55word', 'toktoktoken', 'icepwdicepwd'];

/** Each secret in each place it may stand in, before and after an ALG that touches it. */
function withSecrets(change: (text: string) => string): Comparison {
  const about = { callId: 'secrets' };
  const more = [
    'Authorization: Digest username="alice", realm="voip", nonce="s3cretnonce", uri="sip:voip", response="c0ffeeresponse", cnonce="cn0ncevalue"',
    'Proxy-Authorization: Basic b64basic==',
    'X-Auth-Token: toktoktoken',
    'Referred-By: <sip:bob:pa55word@voip.example.net>',
    'X-Any: Digest nonce="s3cretnonce"',
    ' response="c0ffeeresponse"',
  ];
  const body = `${session()}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:inlineKEYkey\r\na=ice-pwd:icepwdicepwd\r\n`;
  const messages = [
    request('INVITE', { ...about, more, body }),
    request('MESSAGE', { ...about, cseq: 2, body: 'pa55word response=c0ffeeresponse' }),
  ];
  return bothSides([
    ...messages.map((text, at) => ({ at, text, out: change(text) })),
    {
      at: 5,
      text: reply('401 Unauthorized', 'INVITE', { ...about, more: ['WWW-Authenticate: Digest realm="voip", nonce="s3cretnonce"'] }),
      toProvider: false,
    },
  ]);
}

const secrets = suite('secrets');

secrets('are shown nowhere, whatever an ALG does to them', () => {
  const changes: ((text: string) => string)[] = [
    alg,
    (text) => SECRETS.reduce((all, secret) => all.split(secret).join(`${secret}x`), text),
    (text) =>
      text
        .split('\r\n')
        .filter((line) => !/^(Auth|Proxy-A|X-A|Referred|a=crypto|a=ice| response)/.test(line))
        .join('\r\n'),
    (text) => text.replace(/Authorization/g, 'AUTHORIZATION').replace(/Digest/g, 'digest'),
    (text) => text.slice(0, text.indexOf('c0ffee')),
    (text) => text.replace('Authorization: Digest', 'Authorization: Digest\r\n'),
    (text) => text.replace('Authorization: Digest', 'Authorization Digest'),
    (text) =>
      text
        .split('\r\n')
        .map((line) => (line.startsWith('X-Any') ? 'X-Any: other' : line))
        .join('\r\n'),
  ];
  for (const change of changes) {
    for (const comparison of [withSecrets(change), redacted(withSecrets(change))]) {
      assert.is(comparison.verdict, 'changed');
      const shown = everything(comparison);
      for (const secret of SECRETS) {
        if (secret === 'pa55word' && shown.includes('Body')) continue; // the text of a MESSAGE is no credential
        assert.not.match(shown, secret, `${change}`);
      }
    }
  }
});

secrets('that differ are said to differ', () => {
  const found = withSecrets((text) => text.replace('c0ffeeresponse', 'c0ffeerespons3')).calls[0]!.rows[0]!.differences;
  assert.equal(
    found.map(({ field, part, before, after }) => [field, part, before?.text, after?.text]),
    [['Authorization', ';response', '[redacted]', '[redacted]']],
  );
});

secrets('of third parties are taken out by --redact, consistently', () => {
  const comparison = redacted(
    bothSides([
      {
        at: 0,
        text: request('INVITE', { callId: 'x@phone.example.org', body: session() }),
        out: alg(request('INVITE', { callId: 'x@phone.example.org', body: session() }))
          .replace('"Alice"', '"Bob"')
          .replace('+4930123456', '+4930999999'),
      },
      {
        at: 1,
        text: request('BYE', { callId: 'x@phone.example.org', cseq: 2 }),
        out: alg(request('BYE', { callId: 'x@phone.example.org', cseq: 2 })),
      },
    ]),
  );
  const shown = everything(comparison);
  for (const word of ['4930123456', '4930999999', WAN, 'Alice', 'Bob', 'example.org', 'voip.example.net']) assert.not.match(shown, word);
  assert.match(shown, PHONE);
  const [invite, bye] = comparison.calls[0]!.rows;
  const after = (row: typeof invite, field: string): string | undefined =>
    row?.differences.find(
      (each) => (each.field === field && each.part.endsWith('host')) || (each.field === field && each.part === 'sent-by'),
    )?.after?.text;
  assert.is(after(invite, 'Via'), after(bye, 'Via'));
  assert.is(after(invite, 'Via'), comparison.calls[0]!.outside);
});

secrets('of third parties are taken out in whatever field they stand, also where one is added or taken out', () => {
  const parties = ['4989777777', 'Carol', 'carol', 'dave', '198.51.100.7'];
  const more = [
    'P-Asserted-Identity: "Carol" <sip:+4989777777@carol.example.com>',
    'P-Asserted-Identity: <tel:+4989777777>',
    'Diversion: <sip:+4989777777@carol.example.com>;reason=unconditional',
    'Remote-Party-ID: "Carol" <sip:+4989777777@198.51.100.7>',
    'Refer-To: <sip:dave@198.51.100.7;maddr=carol.example.com?Replaces=x%40198.51.100.7%3Bto-tag%3D1&Subject=carol>',
    'Refer-To: <sip:dave@198.51.100.7?Replaces=x%40carol.example.com>',
    'History-Info: <sip:+4989777777@carol.example.com?Reason=carol>;index=1',
    'Reply-To: carol@carol.example.com',
    'Record-Route: <sip:198.51.100.7;lr>',
    'Warning: 399 carol.example.com "Carol"',
    'Subject: Carol',
    'X-Caller: +4989777777',
  ];
  const text = request('INVITE', { callId: 'x', more, body: session() });
  const changes: ((text: string) => string)[] = [
    (whole) => parties.reduce((all, party) => all.split(party).join(`${party}0`), whole),
    (whole) => more.reduce((all, line) => all.replace(`${line}\r\n`, ''), whole),
    (whole) => whole.replace(/%40[^%>]*/g, '%40198.51.100.78').replace('maddr=carol.', 'maddr=carol2.').replace('carol@', 'carol2@'),
  ];
  for (const change of changes) {
    const comparison = bothSides([{ at: 0, text, out: change(text) }]);
    const shown = everything(redacted(comparison));
    assert.ok(parties.some((party) => everything(comparison).includes(party)));
    for (const party of parties) assert.not.match(shown, party, `${change}`);
  }
});

const faces = suite('a comparison that is shown');

const HOSTILE = '<script>alert(1)</script>"\'&\u0007\u001b[31m';

faces('fits into 80 columns, whatever stands in it', () => {
  const about = { callId: `${'long'.repeat(60)}` };
  const text = request('INVITE', { ...about, body: session(), more: [`X-Long: ${'y'.repeat(300)}`] });
  const comparison = bothSides([
    { at: 0, text, out: alg(text).replace('yyy', 'zzz') },
    { at: 1, text: request('BYE', { ...about, cseq: 2 }), out: null },
    { at: 2, text: reply('480 Temporarily Unavailable Because Of A Long Reason', 'INVITE', about), toProvider: false },
  ]);
  const lines = comparisonText(comparison).split('\n');
  assert.equal(
    lines.filter((line) => line.length > 80),
    [],
  );
  assert.ok(
    lines.some((line) => /^ +0\.000 \|-+ INVITE \(SDP\) -+>\|\*\|-+ INVITE \(SDP\) -+>\| \(1\) changed$/.test(line)),
    lines.join('\n'),
  );
  assert.ok(
    lines.some((line) => /\|-+ BYE -+X\| \| +\| DROPPED$/.test(line)),
    lines.join('\n'),
  );
});

faces('is a page that obeys no message', () => {
  const text = request('INVITE', { callId: HOSTILE.replace(/[\u0007\u001b]/g, ''), body: session(), more: [`Subject: ${HOSTILE}`] });
  const page = comparisonPage(bothSides([{ at: 0, text, out: alg(text).replace('alert', 'prompt') }]), HOSTILE);
  assert.not.match(page, '<script');
  assert.not.match(page, '\u0007');
  assert.not.match(page, /(?:src|href)=/);
  assert.match(page, '&lt;script&gt;prompt(1)');
  assert.match(page, '<svg');
  assert.match(page, 'prefers-color-scheme: dark');
  assert.match(page, '@media print');
  const open = [...page.matchAll(/<(\/?)(svg|table|tbody|thead|tr|td|th|section|p|h1|h2|body|html|head|text|code)[ >]/g)];
  const stack: string[] = [];
  for (const [, closing, name] of open) {
    if (closing === '') stack.push(name!);
    else assert.is(stack.pop(), name);
  }
  assert.equal(stack, []);
});

secrets.run();
faces.run();
