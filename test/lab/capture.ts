/** What tcpdump catches at one end, read by tshark: a second opinion on what arrived, by people who know SIP. */
import type { Member } from './member.ts';

export type Capture = {
  /**
   * Ends the capture and reads it.
   * @param fields tshark's names, as sip.Via.sent-by.address or sdp.connection_info.address
   * @param filter a display filter, as sip.Method == "INVITE"
   * @returns one row for each packet that passes the filter, one text for each field; several values of a field in
   *   one packet are joined with a comma
   */
  read(fields: readonly string[], filter: string): Promise<Record<string, string>[]>;
};

/** Starts to capture UDP and TCP on a device of a member; comes back when it is listening. */
export async function capture(member: Member, device = 'eth0'): Promise<Capture> {
  const file = `/tmp/capture-${Math.floor(performance.now() * 1000)}.pcap`;
  // A buffer for a burst: in immediate mode it is cut into slots of the snapshot length (findings/tcpdump-immediate-holds-few.sh).
  const room = ['-s', '16384', '-B', '32768'];
  const dump = member.spawn(['tcpdump', '-i', device, '-U', '--immediate-mode', ...room, '-Z', 'root', '-w', file, 'udp or tcp']);
  let said = '';
  await new Promise<void>((resolve, reject) => {
    dump.child.stderr.on('data', (data: Buffer) => {
      said += data;
      if (said.includes('listening on')) resolve();
    });
    dump.ended.then(() => reject(new Error(`${member.name}: tcpdump ended: ${said.trim()}`)), reject);
  });
  let open = true;
  return {
    async read(fields, filter) {
      if (open) {
        open = false;
        await new Promise((resolve) => setTimeout(resolve, 100)); // what has arrived is still on its way to the file
        dump.signal('SIGINT');
        await dump.ended;
      }
      const rows = await member.must(
        [
          'tshark',
          '-r',
          file,
          '-Y',
          filter,
          '-T',
          'fields',
          '-E',
          'separator=/t',
          '-E',
          'aggregator=,',
          ...fields.flatMap((field) => ['-e', field]),
        ],
        { timeout: 60_000 },
      );
      return rows
        .split('\n')
        .filter((row) => row !== '')
        .map((row) => {
          const values = row.split('\t');
          return Object.fromEntries(fields.map((field, index) => [field, values[index] ?? '']));
        });
    },
  };
}
