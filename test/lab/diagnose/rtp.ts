/**
 * Audio in a member of the lab, as a program of its own: packets of 172 bytes every 20 ms (G.711, RFC 3551), or the answering side.
 *
 *   argv  { address, port, to?: { address, port }, echo?: true | number }
 *
 * `to`: sends there. `echo`: answers each packet to where it came from; a number: to those who send from that port alone.
 * It says `ready` once it is bound, and ends with its standard input.
 */
import { createSocket } from 'node:dgram';

type Wish = { address: string; port: number; to?: { address: string; port: number }; echo?: true | number };
const { address, port, to, echo } = JSON.parse(process.argv[1] ?? '') as Wish;
const packet = Buffer.alloc(172, 0x80);
const socket = createSocket('udp4');
socket.on('message', (_, from) => {
  if (echo === true || echo === from.port) socket.send(packet, from.port, from.address);
});
// A port that nobody listens on yet answers with ICMP.
socket.on('error', () => undefined);
socket.bind(port, address, () => {
  process.stdout.write('ready\n');
  if (to !== undefined) setInterval(() => socket.send(packet, to.port, to.address), 20);
});
process.stdin.on('end', () => process.exit(0)).resume();
