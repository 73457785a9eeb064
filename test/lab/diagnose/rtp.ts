/**
 * Audio in a member of the lab, as a program of its own: packets of 172 bytes every 20 ms (G.711, RFC 3551), or the answering side.
 *
 *   argv  { address, port, to?: { address, port }, echo?: true | number, size?: bytes, every?: milliseconds }
 *
 * `to`: sends there. `size` and `every`: other packets than audio's. `echo`: answers each packet to where it came from; a number: to those who send from that port alone.
 * It says `ready` once it is bound, and ends with its standard input.
 */
import { createSocket } from 'node:dgram';

type Wish = {
  address: string;
  port: number;
  to?: { address: string; port: number };
  echo?: true | number;
  size?: number;
  every?: number;
};
const { address, port, to, echo, size = 172, every = 20 } = JSON.parse(process.argv[1] ?? '') as Wish;
const packet = Buffer.alloc(size, 0x80);
const socket = createSocket('udp4');
socket.on('message', (_, from) => {
  if (echo === true || echo === from.port) socket.send(packet, from.port, from.address);
});
socket.once('error', () => process.exit(1));
socket.bind(port, address, () => {
  // A port that nobody listens on yet answers with ICMP.
  socket.removeAllListeners('error').on('error', () => undefined);
  process.stdout.write('ready\n');
  if (to === undefined) return;
  // By the clock, as a phone does: what a busy machine did not send in time is sent at once, so that none is missing.
  const began = Date.now();
  let sent = 0;
  setInterval(() => {
    for (const due = (Date.now() - began) / every; sent < due; sent++) socket.send(packet, to.port, to.address);
  }, every);
});
process.stdin.on('end', () => process.exit(0)).resume();
