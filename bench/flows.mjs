// Fills the connection tracking table of the network namespace it runs in: node bench/flows.mjs COUNT.
// One datagram to each of COUNT addresses and ports of loopback; a ruleset that tracks must be there already.
import { createSocket } from 'node:dgram';

const count = Number(process.argv[2]);
const PORTS = 256;
const AT_ONCE = 512;

const socket = createSocket({
  type: 'udp4',
  lookup: (name, _options, found) => found(null, name, 4), // addresses need no resolver
});
await new Promise((resolve) => {
  socket.bind(40_000, '127.0.0.1', () => resolve(undefined));
});

const send = (/** @type {number} */ n) =>
  new Promise((resolve, reject) => {
    const row = Math.floor(n / PORTS);
    socket.send('flow', 10_000 + (n % PORTS), `127.1.${row >> 8}.${row & 255}`, (error) => (error ? reject(error) : resolve(undefined)));
  });

for (let first = 0; first < count; first += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, n) => send(first + n)));
}

// One flow that the ALG looks after: what the program has to find among the others.
await new Promise((resolve) => {
  socket.send('hello', 5060, '127.2.0.1', resolve);
});
socket.close();
