/**
 * One end of numbered streams, run in a member of the lab: sends numbered packets at a steady pace and counts what
 * comes from the other end, each number once. Configuration is the first argument, as JSON; a line on standard
 * input ends the sending, a second one the whole; each is answered with one line of JSON.
 */
import { createSocket } from 'node:dgram';
import { createServer, connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Configuration, Count, Stream } from './traffic.ts';

const { side, streams } = JSON.parse(process.argv[1]!) as Configuration;

type End = { readonly stream: Stream; sent: number; readonly seen: Map<number, number>; highest: number; reordered: number };

const ends = streams.map((stream): End => ({ stream, sent: 0, seen: new Map(), highest: -1, reordered: 0 }));
const paces: NodeJS.Timeout[] = [];

/** A packet: the stream's name is its socket; the number is what counts. RTP carries it in its own header too. */
function packet(end: End): Buffer {
  const bytes = Buffer.alloc(end.stream.size, 0x2e);
  if (end.stream.kind === 'rtp') {
    // RFC 3550: version 2, payload type 8, sequence, timestamp, source
    bytes.writeUInt16BE(0x8008, 0);
    bytes.writeUInt16BE(end.sent & 0xffff, 2);
    bytes.writeUInt32BE((end.sent * 160) >>> 0, 4);
    bytes.writeUInt32BE(0x51b0, 8);
  }
  bytes.writeUInt32BE(end.sent, 12);
  return bytes;
}

function count(end: End, number: number): void {
  const times = (end.seen.get(number) ?? 0) + 1;
  end.seen.set(number, times);
  if (times > 1) return;
  if (number < end.highest) end.reordered++;
  else end.highest = number;
}

function pace(end: End, send: (bytes: Buffer) => void): void {
  paces.push(
    setInterval(() => {
      send(packet(end));
      end.sent++;
    }, end.stream.every),
  );
}

function udp(end: End): Promise<void> {
  const socket = createSocket('udp4');
  const { near, far } = end.stream;
  const here = side === 'near' ? near : far;
  let peer = side === 'near' ? far : undefined; // the far end learns it: the router puts its own address there
  socket.on('message', (bytes, from) => {
    if (peer === undefined) {
      peer = from;
      pace(end, (next) => socket.send(next, from.port, from.address));
    }
    count(end, bytes.readUInt32BE(12));
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(here.port, here.address, () => {
      if (peer) pace(end, (next) => socket.send(next, far.port, far.address));
      resolve();
    });
  });
}

function talk(end: End, socket: Socket): void {
  let rest = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', (error) => {
    process.stderr.write(`${end.stream.name}: ${error.message}\n`);
  });
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= end.stream.size) {
      count(end, rest.readUInt32BE(12));
      rest = rest.subarray(end.stream.size);
    }
  });
  pace(end, (bytes) => socket.write(bytes));
}

function tcp(end: End): Promise<void> {
  const { near, far } = end.stream;
  return new Promise((resolve, reject) => {
    if (side === 'far') {
      const server = createServer((socket) => talk(end, socket));
      server.once('error', reject);
      server.listen(far.port, far.address, resolve);
    } else {
      const socket = connect({ host: far.address, port: far.port, localAddress: near.address, localPort: near.port });
      socket.once('error', reject);
      socket.once('connect', () => {
        talk(end, socket);
        resolve();
      });
    }
  });
}

function counts(): Count[] {
  return ends.map((end) => ({
    name: end.stream.name,
    sent: end.sent,
    received: end.seen.size,
    reordered: end.reordered,
    duplicates: [...end.seen.values()].reduce((sum, times) => sum + times - 1, 0),
  }));
}

const say = (line: unknown): void => {
  process.stdout.write(JSON.stringify(line) + '\n');
};

Promise.all(ends.map((end) => (end.stream.kind === 'tcp' ? tcp(end) : udp(end)))).then(
  () => say({ ready: true }),
  (error: Error) => {
    say({ error: error.message });
    process.exit(1);
  },
);

/** Waits until nothing has come for four looks in a row: what is under way arrives, also on a busy machine. */
async function drained(): Promise<void> {
  let before = -1;
  for (let quiet = 0, looks = 0; quiet < 4 && looks < 50; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 75));
    const now = ends.reduce((sum, end) => sum + end.seen.size, 0);
    quiet = now === before ? quiet + 1 : 0;
    before = now;
  }
}

let lines = 0;
createInterface({ input: process.stdin })
  .on('line', () => {
    for (const timer of paces.splice(0)) clearInterval(timer);
    // Both ends stop before either counts: on a busy machine one may still be sending when the other has been told.
    if (++lines === 1) say({ stopped: true });
    else if (lines === 2) void drained().then(() => say({ counts: counts() }));
    else process.exit(0);
  })
  .on('close', () => process.exit(0));
