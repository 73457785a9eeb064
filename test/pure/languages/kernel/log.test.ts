import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseHelperDrop } from '../../../../src/languages/kernel/log.ts';
import { hurt, lines, readsLongLines } from '../texts.ts';

const DMESG = lines('kernel/dmesg.txt');
const RAW = lines('kernel/dmesg-raw.txt');
const KMSG = lines('kernel/kmsg.txt');
const BODY = (DMESG[3] as string).replace(/^\[ *[0-9.]+\] /, '');

const drops = suite('kernel/log: dropped packets');

drops('tells when, by whom, why, and which packet', () => {
  const drop = parseHelperDrop(DMESG[3] as string);
  assert.equal([drop?.time, drop?.helper, drop?.reason], [2076.924514, 'nf_ct_sip', 'wrong port 400']);
  assert.equal(
    [drop?.fields['SRC'], drop?.fields['SPT'], drop?.fields['DPT'], drop?.fields['PROTO'], drop?.fields['IN']],
    ['203.0.113.2', '5072', '5060', 'UDP', ''],
  );
  assert.is(drop?.fields['LEN'], '405', 'the IP length, not the UDP length behind it');
});

drops('reads the same from dmesg, dmesg --raw and /dev/kmsg', () => {
  assert.equal(RAW.map(parseHelperDrop), DMESG.map(parseHelperDrop));
  const known = new Set(DMESG.map((line) => JSON.stringify(parseHelperDrop(line))));
  assert.is(KMSG.length, 4);
  for (const line of KMSG) assert.ok(known.has(JSON.stringify(parseHelperDrop(line))), line);
});

drops('reads logread and syslog files, with a time or without', () => {
  const logread = parseHelperDrop(`Fri Nov 20 23:21:12 2026 kern.notice kernel: [ 2076.924514] ${BODY}`);
  assert.equal(logread, parseHelperDrop(DMESG[3] as string));
  assert.is(parseHelperDrop(`Nov 20 23:21:12 router kernel: ${BODY}`)?.time, null);
  assert.is(parseHelperDrop(`[Fri Nov 20 23:21:12 2026] ${BODY}`)?.time, null);
  assert.is(parseHelperDrop(`[   12.500000][    C0] ${BODY}`)?.time, 12.5);
  assert.is(parseHelperDrop(BODY)?.reason, 'wrong port 400');
});

drops('keeps a reason without a packet, and other helpers', () => {
  assert.equal(parseHelperDrop("nf_ct_ftp: dropping packet: can't lock"), {
    time: null,
    helper: 'nf_ct_ftp',
    reason: "can't lock",
    fields: {},
  });
});

drops('does not take other lines for one', () => {
  for (const line of [
    '',
    'nf_ct_sip: something else',
    'dropping packet: x',
    `hostapd: ssid ${BODY}`,
    'xnf_ct_sip: dropping packet: a',
    'nf_ct_: dropping packet: a',
    'nf_ct_a/b: dropping packet: a',
    `daemon.info hostapd: ${BODY}`,
  ]) {
    assert.is(parseHelperDrop(line), null, line);
  }
});

drops('never throws and never makes keys that objects have', () => {
  const drop = parseHelperDrop(`${BODY} __proto__=1 constructor=2 toString=3`);
  assert.equal(
    Object.keys(drop?.fields ?? {}).filter((key) => /[a-z_]/.test(key)),
    [],
  );
  const seen = hurt([...DMESG, ...RAW, ...KMSG], parseHelperDrop, (value) => {
    if (value !== null) assert.ok(value.helper.startsWith('nf_ct_') && !Number.isNaN(value.time));
  });
  assert.is(seen.refused, 0);
  readsLongLines(DMESG[0] as string, parseHelperDrop);
});
drops.run();
