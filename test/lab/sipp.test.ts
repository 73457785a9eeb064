import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture } from './capture.ts';
import { openLab, type Lab, type LabOptions } from './lab.ts';
import { placeCalls } from './sipp.ts';

const FIELDS = [
  'ip.src',
  'sip.Method',
  'sip.Via.sent-by.address',
  'sip.contact.host',
  'sip.from.host',
  'sdp.owner.address',
  'sdp.connection_info.address',
  'sdp.media.port',
];

const calls = suite('calls of sipp through the router, read by tshark');

async function inLab(options: LabOptions, use: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab(options);
  try {
    await use(lab);
  } finally {
    await lab.close();
  }
}

/** The INVITEs as they arrive at the provider. */
async function invites(lab: Lab, port = 5060): Promise<Record<string, string>[]> {
  const caught = await capture(lab.provider);
  const placed = await placeCalls(lab, { calls: 2, port });
  assert.is(placed.succeeded, 2, placed.said);
  assert.is(placed.failed, 0);
  const all = await caught.read(FIELDS, 'sip.Method');
  assert.is(all.filter((row) => row['sip.Method'] === 'ACK').length, 2);
  assert.is(all.filter((row) => row['sip.Method'] === 'BYE').length, 2);
  return all.filter((row) => row['sip.Method'] === 'INVITE');
}

function row(address: string): Record<string, string> {
  return {
    'ip.src': '203.0.113.20',
    'sip.Method': 'INVITE',
    'sip.Via.sent-by.address': address,
    'sip.contact.host': address,
    'sip.from.host': address,
    'sdp.owner.address': address,
    'sdp.connection_info.address': address,
    'sdp.media.port': '4000',
  };
}

calls("arrive with the router's address everywhere while the ALG is on", () =>
  inLab({}, async (lab) => {
    assert.equal(await invites(lab), [row('203.0.113.20'), row('203.0.113.20')]);
  }),
);

calls("arrive with the phone's own address where there is none", () =>
  inLab({ ruleset: 'stock-alg-absent' }, async (lab) => {
    assert.equal(await invites(lab), [row('192.168.1.10'), row('192.168.1.10')]);
  }),
);

calls('arrive untouched on another port, whatever the ALG does on 5060', () =>
  inLab({}, async (lab) => {
    assert.equal(await invites(lab, 5080), [row('192.168.1.10'), row('192.168.1.10')]);
  }),
);

calls('opens holes for the media: an expectation while the call is on', () =>
  inLab({}, async (lab) => {
    const call = placeCalls(lab, { talk: 1500 });
    let expected = '';
    for (let tries = 0; tries < 30 && !expected.includes('dport=4000'); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      expected = await lab.router.must(['cat', '/proc/net/nf_conntrack_expect']);
    }
    assert.match(expected, /sip\/audio/);
    assert.match(expected, /dport=4000/);
    assert.is((await call).succeeded, 1);
  }),
);

calls.run();
