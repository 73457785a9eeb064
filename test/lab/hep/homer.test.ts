/** What is sent to a Homer server, as kamailio's sipcapture keeps it and as sngrep takes it: both sides of a call under one id. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundled } from '../../bundled.ts';
import { join as joined } from '../../../src/languages/pcap/encode.ts';
import { PHONE, PROVIDER, WAN, packetsOf, sideOf } from '../../pure/compare/captures.ts';
import { reply, request, session } from '../../pure/compare/dialogue.ts';
import { filesOf } from '../files.ts';
import type { Files } from '../files.ts';
import { hold } from '../member.ts';
import type { Member } from '../member.ts';
import { startKamailio, startSngrep } from './servers.ts';

interface Context {
  homer: Member;
  files: Files;
}

const homer = suite<Context>('messages sent to a Homer server');

homer.before.each(async (context) => {
  context.homer = await hold('homer');
  context.files = filesOf(context.homer.pid);
});

homer.after.each(async ({ homer: member }) => {
  member.end();
  await member.gone;
});

const CALL = { callId: 'a84b4c76e66710@192.168.1.7' };
const credentials = 'Authorization: Digest username="alice", response="0123456789abcdef0123456789abcdef"\r\n';

/** A call through a router whose ALG also edits the Call-ID, which many do and Linux' does not. */
function captured(rewrites: boolean): Uint8Array {
  const outside = (text: string): string => (rewrites ? text.split(PHONE).join(WAN) : text);
  // Tags are chosen at random, and hold no address (RFC 3261 §19.3).
  const tagged = (text: string): string => text.split(`-${CALL.callId}`).join('-8f31');
  const invite = tagged(request('INVITE', { ...CALL, body: session() })).replace('\r\nMax-Forwards', `\r\n${credentials}Max-Forwards`);
  assert.ok(invite.includes('Digest'));
  const ok = tagged(reply('200 OK', 'INVITE', { ...CALL, body: session(PROVIDER, 30_000) }));
  const packets = packetsOf([
    { at: 0, text: invite, out: outside(invite) },
    { at: 0.1, text: outside(ok), out: ok, toProvider: false },
  ]);
  // One file of both sides, the header of the second left out.
  return joined([sideOf(packets, false), sideOf(packets, true).subarray(24)]);
}

async function feed({ homer: member, files }: Context, capture: Uint8Array): Promise<void> {
  files.write('/tmp/call.pcap', capture);
  const said = await member.must([process.execPath, '-e', await bundled('test/lab/hep/feed.ts'), '9060', '/tmp/call.pcap'], {
    timeout: 60_000,
  });
  assert.equal(JSON.parse(said), { sent: 4, overflowed: 0, oversized: 0, failed: 0 });
}

for (const rewrites of [false, true])
  homer(`kamailio keeps both sides under one id${rewrites ? ', though the router rewrites the Call-ID' : ''}`, async (context) => {
    const { homer: member, files } = context;
    const kamailio = await startKamailio(member, files, '127.0.0.1');
    await feed(context, captured(rewrites));
    const rows = await kamailio.kept((all) => all.length === 4, 'four messages');
    assert.equal([...new Set(rows.map(([, id]) => id))], [CALL.callId]);
    assert.is(new Set(rows.map(([callId]) => callId)).size, rewrites ? 2 : 1);
    assert.equal(
      rows.map(([, , source, destination, method]) => `${source} ${method} ${destination}`).sort(),
      [`${PHONE} INVITE ${PROVIDER}`, `${PROVIDER} 200 ${PHONE}`, `${PROVIDER} 200 ${WAN}`, `${WAN} INVITE ${PROVIDER}`].sort(),
    );
    for (const [, , , , , micro, node, text = ''] of rows) {
      assert.match(micro ?? '', /^17642880000\d{5}$|^1764288000\d{6}$/);
      assert.match(node ?? '', /:7$/);
      assert.not.match(text, /Authorization|0123456789abcdef/);
      assert.match(text, 'm=audio');
    }
  });

homer('sngrep takes them as they were on the wire, both sides in one call', async (context) => {
  const { homer: member, files } = context;
  const sngrep = await startSngrep(member, files, '127.0.0.1', 9060);
  await feed(context, captured(false));
  const seen = await sngrep.took((all) => all.length === 4, 'four messages');
  assert.equal(
    seen.sort(),
    [
      `${PHONE}.5060 > ${PROVIDER}.5060`,
      `${PROVIDER}.5060 > ${PHONE}.5060`,
      `${PROVIDER}.5060 > ${WAN}.5060`,
      `${WAN}.5060 > ${PROVIDER}.5060`,
    ].sort(),
  );
  const text = sngrep.text();
  assert.is(text.split(`Call-ID: ${CALL.callId}`).length, 5);
  assert.not.match(text, /Authorization/);
});

homer.run();
