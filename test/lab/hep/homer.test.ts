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

const COLUMNS = `date micro_ts method reply_reason ruri ruri_user ruri_domain from_user from_domain from_tag to_user to_domain to_tag
  pid_user contact_user auth_user callid callid_aleg via_1 via_1_branch cseq diversion reason content_type auth user_agent source_ip
  source_port destination_ip destination_port contact_ip contact_port originator_ip originator_port expires event custom_field1
  custom_field2 custom_field3 cval1 cval2 correlation_id proto family rtp_stat type node msg`.split(/\s+/);

const KAMAILIO = `
debug=0
log_stderror=yes
children=1
auto_aliases=no
listen=udp:127.0.0.1:9060
loadmodule "db_sqlite.so"
loadmodule "pv.so"
loadmodule "sipcapture.so"
modparam("sipcapture", "db_url", "sqlite:////tmp/kept.db")
modparam("sipcapture", "capture_on", 1)
modparam("sipcapture", "hep_capture_on", 1)
modparam("sipcapture", "table_name", "sip_capture")
request_route { sip_capture(); drop; }
onreply_route { sip_capture(); drop; }
`;

/** The database, by Python, which brings its own reader of it. */
const MAKE = `import sqlite3
c = sqlite3.connect('/tmp/kept.db')
c.execute('create table version (table_name text, table_version int)')
c.execute('create table sip_capture (id integer primary key, ${COLUMNS.map((name) => `${name} text`).join(', ')})')
c.commit()`;
const READ = `import sqlite3, json
rows = sqlite3.connect('/tmp/kept.db').execute(
  'select callid, correlation_id, source_ip, destination_ip, method, micro_ts, node, msg from sip_capture order by id')
print(json.dumps([[str(v, 'latin1') if isinstance(v, bytes) else v for v in row] for row in rows]))`;

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

async function until(so: () => Promise<boolean>, what: string): Promise<void> {
  for (const begin = Date.now(); Date.now() - begin < 60_000; await new Promise((resolve) => setTimeout(resolve, 100)))
    if (await so()) return;
  throw new Error(`${what}: not within a minute`);
}

const listens = async (member: Member): Promise<boolean> => (await member.must(['ss', '-Hlun', 'sport = :9060'])) !== '';

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
    await member.must(['python3', '-c', MAKE], { timeout: 60_000 });
    files.write('/tmp/kamailio.cfg', KAMAILIO);
    const kamailio = member.spawn(['kamailio', '-DD', '-E', '-f', '/tmp/kamailio.cfg', '-P', '/tmp/pid', '-m', '32', '-M', '4']);
    let said = '';
    for (const stream of [kamailio.child.stdout, kamailio.child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
    await until(() => listens(member), 'kamailio listens');
    await feed(context, captured(rewrites));
    let rows: string[][] = [];
    await until(
      async () => {
        rows = JSON.parse(await member.must(['python3', '-c', READ], { timeout: 60_000 })) as string[][];
        return rows.length === 4;
      },
      `kamailio keeps four messages; it said ${said.slice(-500)}`,
    );
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
  const sngrep = member.spawn(['sngrep', '-N', '-L', 'udp:127.0.0.1:9060', '-O', '/tmp/seen.pcap'], { TERM: 'xterm' });
  await until(() => listens(member), 'sngrep listens');
  await feed(context, captured(false));
  const lines = async (): Promise<string[]> =>
    (await member.run(['tcpdump', '-nn', '-t', '-r', '/tmp/seen.pcap'], { timeout: 60_000 })).stdout
      .split('\n')
      .filter((line) => line.startsWith('IP '));
  await until(async () => files.exists('/tmp/seen.pcap') && (await lines()).length === 4, 'sngrep writes four messages');
  sngrep.signal('SIGINT');
  const seen = (await lines()).map((line) => /^IP (\S+) > (\S+):/.exec(line)?.slice(1).join(' > ') ?? '');
  assert.equal(
    seen.sort(),
    [
      `${PHONE}.5060 > ${PROVIDER}.5060`,
      `${PROVIDER}.5060 > ${PHONE}.5060`,
      `${PROVIDER}.5060 > ${WAN}.5060`,
      `${WAN}.5060 > ${PROVIDER}.5060`,
    ].sort(),
  );
  const text = files.read('/tmp/seen.pcap');
  assert.is(text.split(`Call-ID: ${CALL.callId}`).length, 5);
  assert.not.match(text, /Authorization/);
});

homer.run();
