/** What nslookup of busybox 1.35 prints, as it was seen against a name server of our own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isAskable, nslookup, shownBy } from '../../../../src/languages/dns/nslookup.ts';
import type { Lookup } from '../../../../src/languages/dns/nslookup.ts';

const HEADER = 'Server:\t\t127.0.0.1\nAddress:\t127.0.0.1:53\n\n';
const GIVEN = `${HEADER}Non-authoritative answer:\n`;

const output = suite("nslookup's output");

const shown = (type: Lookup, stdout: string, code = 0, stderr = '') => shownBy(type, { code, stdout, stderr });

output('gives addresses of the kind asked for, also behind an alias, and never that of the name server', () => {
  const two = `${GIVEN}alias.example\tcanonical name = sbc.example\nName:\tsbc.example\nAddress: 192.0.2.1\nName:\tsbc.example\nAddress: 192.0.2.2\n\n`;
  assert.equal(shown('A', two), {
    state: 'found',
    records: [
      { type: 'A', address: '192.0.2.1' },
      { type: 'A', address: '192.0.2.2' },
    ],
  });
  assert.equal(shown('AAAA', two), { state: 'nothing' });
  assert.equal(shown('AAAA', `${GIVEN}Name:\tsbc.example\nAddress: 2001:DB8::5\n\n`), {
    state: 'found',
    records: [{ type: 'AAAA', address: '2001:db8::5' }],
  });
  // Without "Non-authoritative answer:", as an authority's.
  assert.equal(shown('A', `${HEADER}Name:\ta.example\nAddress: 192.0.2.1\n\n`), {
    state: 'found',
    records: [{ type: 'A', address: '192.0.2.1' }],
  });
});

output('gives SIP servers with their ports, and none whose name could be an option of the command', () => {
  const line = (target: string): string => `_sip._udp.voip.example\tservice = 10 20 5066 ${target}\n`;
  assert.equal(shown('SRV', `${GIVEN}${line('SBC.voip.example')}${line('-debug')}${line('')}\n`), {
    state: 'found',
    records: [{ type: 'SRV', priority: 10, weight: 20, port: 5066, target: 'sbc.voip.example' }],
  });
});

output('tells no record from no name, and both from no answer', () => {
  assert.equal(shown('A', `${GIVEN}\n`), { state: 'nothing' });
  assert.equal(shown('A', `${HEADER}** server can't find a.example: NXDOMAIN\n\n`, 1), { state: 'missing' });
  for (const [stdout, because] of [
    [`${HEADER}** server can't find a.example: SERVFAIL\n\n`, 'it says SERVFAIL'],
    [`${HEADER}** server can't find a.example: REFUSED\n\n`, 'it says REFUSED'],
    [`${GIVEN}*** Can't find a.example: Parse error\n\n`, "Can't find a.example: Parse error"],
    [';; connection timed out; no servers could be reached\n\n', 'connection timed out; no servers could be reached'],
    ['', 'nslookup ended with 1'],
  ] as const)
    assert.equal(shown('A', stdout, 1), { state: 'failed', because });
  assert.equal(shown('A', '', 1, 'nslookup: invalid query type "x"\n'), { state: 'failed', because: 'invalid query type "x"' });
});

output('is asked for by a command that no name turns into another', () => {
  assert.equal(nslookup('AAAA', 'voip.example', '127.0.0.1'), ['nslookup', '-type=aaaa', 'voip.example', '127.0.0.1']);
  assert.ok(isAskable('_sip._udp.voip.example'));
  for (const name of ['-debug', '-type=a', 'a b', '', 'a..b']) assert.not(isAskable(name), name);
});

output.run();
