/** Servers that take HEP: kamailio with sipcapture and a database, and sngrep. Both see the machine's programs. */
import type { Files } from '../files.ts';
import type { Member } from '../member.ts';

const COLUMNS = `date micro_ts method reply_reason ruri ruri_user ruri_domain from_user from_domain from_tag to_user to_domain to_tag
  pid_user contact_user auth_user callid callid_aleg via_1 via_1_branch cseq diversion reason content_type auth user_agent source_ip
  source_port destination_ip destination_port contact_ip contact_port originator_ip originator_port expires event custom_field1
  custom_field2 custom_field3 cval1 cval2 correlation_id proto family rtp_stat type node msg`.split(/\s+/);

const configuration = (address: string): string => `
debug=0
log_stderror=yes
children=1
auto_aliases=no
listen=udp:${address}:9060
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

/** @param what is asked for when it has not come to be so */
export async function until(so: () => Promise<boolean>, what: () => string): Promise<void> {
  for (const begin = Date.now(); Date.now() - begin < 60_000; await new Promise((resolve) => setTimeout(resolve, 100)))
    if (await so()) return;
  throw new Error(`${what()}: not within a minute`);
}

const listens = async (member: Member, port: number): Promise<boolean> => (await member.must(['ss', '-Hlun', `sport = :${port}`])) !== '';

/** Call-ID, correlation id, source, destination, method or status, microseconds, node, message. */
export type Kept = readonly string[];

/** @param address on which it listens, at port 9060 */
export async function startKamailio(
  member: Member,
  files: Files,
  address: string,
): Promise<{
  kept(enough: (rows: Kept[]) => boolean, what: string): Promise<Kept[]>;
  said(): string;
  dropped(): Promise<number>;
  stop(): Promise<void>;
}> {
  await member.must(['python3', '-c', MAKE], { timeout: 60_000 });
  files.write('/tmp/homer.cfg', configuration(address));
  const kamailio = member.spawn(['kamailio', '-DD', '-E', '-f', '/tmp/homer.cfg', '-Y', '/tmp', '-P', '/tmp/homer.pid', '-m', '32', '-M', '4']);
  let said = '';
  for (const stream of [kamailio.child.stdout, kamailio.child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  await until(() => listens(member, 9060), () => 'kamailio listens');
  return {
    async kept(enough, what) {
      let rows: Kept[] = [];
      await until(async () => {
        rows = JSON.parse(await member.must(['python3', '-c', READ], { timeout: 60_000 })) as Kept[];
        return enough(rows);
      }, () => `kamailio keeps ${what}, and not ${rows.length}; it said ${said.slice(-500)}`);
      return rows;
    },
    said: () => said,
    /** Datagrams that its socket had no room for (proc_net_udp(5), the last column). */
    async dropped() {
      const [, drops = 'NaN'] = /^ *\d+: \w+:2364 .* (\d+) *$/m.exec(await member.must(['cat', '/proc/net/udp'])) ?? [];
      return Number(drops);
    },
    // It is asked, for its children would outlive it otherwise and keep its output open.
    async stop() {
      kamailio.signal('SIGTERM');
      await kamailio.ended;
    },
  };
}

export async function startSngrep(
  member: Member,
  files: Files,
  address: string,
  port: number,
): Promise<{ took(enough: (ways: string[]) => boolean, what: string): Promise<string[]>; text(): string; stop(): Promise<void> }> {
  const file = '/tmp/seen.pcap';
  const sngrep = member.spawn(['sngrep', '-N', '-L', `udp:${address}:${port}`, '-O', file], { TERM: 'xterm' });
  sngrep.child.stdout.resume();
  sngrep.child.stderr.resume();
  await until(() => listens(member, port), () => 'sngrep listens');
  return {
    async took(enough, what) {
      let ways: string[] = [];
      await until(async () => {
        if (!files.exists(file)) return false;
        const { stdout } = await member.run(['tcpdump', '-nn', '-t', '-r', file], { timeout: 60_000 });
        ways = [...stdout.matchAll(/^IP (\S+) > (\S+):/gm)].map(([, from, to]) => `${from} > ${to}`);
        return enough(ways);
      }, () => `sngrep takes ${what}, and not ${ways.length}`);
      return ways;
    },
    text: () => files.read(file),
    async stop() {
      sngrep.signal('SIGINT');
      await sngrep.ended;
    },
  };
}
