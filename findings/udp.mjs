// Two ends of UDP for the findings, with the ports one chooses and bytes left as they are.
//   udp.mjs send FROM:PORT TO:PORT [COUNT] < message
//   udp.mjs exchange FROM:PORT TO:PORT SECONDS < message > first-answer        (status 1: none came)
//   udp.mjs receive AT:PORT SECONDS FOLDER [answer]
// `receive` makes FOLDER/ready once it listens; it writes what came as FOLDER/1, FOLDER/2... and the senders to FOLDER/from.
// Where `answer` is given, the file of that name goes back to the sender of each datagram.
import { createSocket } from 'node:dgram';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

const [what, at, ...rest] = process.argv.slice(2);

/** @param {string} text @returns {[string, number]} */
function endpoint(text) {
  const colon = text.lastIndexOf(':');
  return [text.slice(0, colon), Number(text.slice(colon + 1))];
}

const [host, port] = endpoint(at);
const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
socket.on('error', (error) => { console.error(error.message); process.exit(2); });

if (what === 'receive') {
  const [seconds, folder, answer] = rest;
  let count = 0;
  socket.on('message', (message, from) => {
    count += 1;
    appendFileSync(`${folder}/from`, `${from.address}:${from.port}\n`);
    // Renamed, so that whoever waits for the file finds it whole.
    writeFileSync(`${folder}/coming`, message);
    renameSync(`${folder}/coming`, `${folder}/${count}`);
    if (answer !== undefined) socket.send(readFileSync(answer), from.port, from.address);
  });
  socket.bind(port, host, () => writeFileSync(`${folder}/ready`, ''));
  setTimeout(() => process.exit(0), Number(seconds) * 1000);
} else {
  const [toHost, toPort] = endpoint(rest[0]);
  const message = readFileSync(0);
  socket.bind(port, host, () => {
    if (what === 'exchange') {
      socket.on('message', (answer) => { process.stdout.write(answer, () => process.exit(0)); });
      socket.send(message, toPort, toHost);
      setTimeout(() => process.exit(1), Number(rest[1]) * 1000);
      return;
    }
    let left = Number(rest[1] ?? 1);
    const next = () => {
      if (left === 0) { socket.close(); return; }
      left -= 1;
      socket.send(message, toPort, toHost, () => setTimeout(next, 5));
    };
    next();
  });
}
