/**
 * A name server that says what it is told to, over UDP and TCP: in a test's own process on loopback, or run in a member
 * of the lab, where the zone comes as JSON, one line for each change, and each is answered with a line.
 *
 * How a name is answered is written in the zone: with records, `NXDOMAIN`, or badly.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { readQuery, writeReply } from '../pure/languages/dns/wire.ts';
import type { Entry } from '../pure/languages/dns/wire.ts';

/** `TYPE name` to what is said of it; a name that does not stand here does not exist, one with other types has none of this. */
export type Zone = Readonly<Record<string, Said>>;
export type Said =
  | { readonly ttl: number; readonly data: readonly (readonly (string | number)[])[]; readonly alias?: string }
  /** An error by its number: 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  | { readonly code: number }
  /** `silent`: nothing; `garbage`: bytes that are no message; `truncated`: over UDP only a part, over TCP the rest (or nothing). */
  | { readonly bad: 'silent' | 'garbage' | 'half' }
  | { readonly bad: 'truncated'; readonly ttl: number; readonly data: readonly (readonly (string | number)[])[] }
  /** The answer to another question, before the right one. */
  | { readonly bad: 'forged'; readonly ttl: number; readonly data: readonly (readonly (string | number)[])[] };

export type Asked = { readonly type: string; readonly name: string; readonly over: 'datagram' | 'stream' };

const SOA: Entry = { name: 'example', ttl: 60, type: 'SOA', data: ['ns.example', 'root.example', 1, 2, 3, 4, 60] };

export function repliesTo(zone: Zone, query: Uint8Array, over: Asked['over']): { asked: Asked; replies: Uint8Array[] } {
  const { id, question } = readQuery(query);
  const name = question.name.toLowerCase();
  const asked = { type: question.type, name, over };
  const said = zone[`${question.type} ${name}`];
  const reply = (more: object): Uint8Array => writeReply({ id, question, ...more });
  if (said === undefined) {
    const known = Object.keys(zone).some((key) => key.endsWith(` ${name}`));
    return { asked, replies: [reply({ code: known ? 0 : 3, authorities: [SOA] })] };
  }
  if ('code' in said) return { asked, replies: [reply({ code: said.code })] };
  const entries = (ttl: number, data: readonly (readonly (string | number)[])[], owner = name): Entry[] =>
    data.map((each) => ({ name: owner, ttl, type: question.type, data: each }));
  if (!('bad' in said)) {
    const alias = said.alias === undefined ? [] : [{ name, ttl: said.ttl, type: 'CNAME', data: [said.alias] }];
    return { asked, replies: [reply({ answers: [...alias, ...entries(said.ttl, said.data, said.alias)] })] };
  }
  switch (said.bad) {
    case 'silent':
      return { asked, replies: [] };
    case 'garbage':
      return { asked, replies: [Uint8Array.from([id >> 8, id & 255, 0x81, 0x80, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7])] };
    case 'half':
      return { asked, replies: [reply({ truncated: true })] };
    case 'truncated':
      return { asked, replies: [reply(over === 'datagram' ? { truncated: true } : { answers: entries(said.ttl, said.data) })] };
    case 'forged':
      return {
        asked,
        replies: [
          writeReply({ id: id ^ 1, question, answers: entries(said.ttl, [['192.0.2.66']]) }),
          reply({ answers: entries(said.ttl, said.data) }),
        ],
      };
  }
}

/** Starts a server; `port` 0 takes any that is free. `delay`: milliseconds before each answer. */
export async function nameServer(
  address: string,
  port: number,
  first: Zone = {},
): Promise<{ port: number; asked: Asked[]; zone(next: Zone, delay?: number): void; close(): void }> {
  let zone = first;
  let delay = 0;
  const asked: Asked[] = [];
  const later = (act: () => void): void => {
    if (delay > 0) setTimeout(act, delay);
    else act();
  };
  const udp = createSocket('udp4');
  udp.on('message', (query, from) => {
    const { asked: one, replies } = repliesTo(zone, query, 'datagram');
    asked.push(one);
    later(() => {
      for (const reply of replies) udp.send(reply, from.port, from.address);
    });
  });
  const tcp = createServer((socket) => {
    let had = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      had = Buffer.concat([had, data]);
      if (had.length < 2 || had.length < 2 + had.readUInt16BE()) return;
      const { asked: one, replies } = repliesTo(zone, had.subarray(2), 'stream');
      asked.push(one);
      // In two pieces: a stream keeps no borders.
      later(() => {
        for (const reply of replies)
          socket.write(Uint8Array.from([reply.length >> 8]), () =>
            setTimeout(() => socket.write(Uint8Array.from([reply.length & 255, ...reply])), 5),
          );
        if (replies.length === 0) socket.end();
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject);
    udp.bind(port, address, resolve);
  });
  const taken = udp.address().port;
  await new Promise<void>((resolve, reject) => {
    tcp.once('error', reject);
    tcp.listen(taken, address, resolve);
  });
  return {
    port: taken,
    asked,
    zone(next, wait = 0) {
      zone = next;
      delay = wait;
    },
    close() {
      udp.close();
      tcp.close();
    },
  };
}

/** Run in a member: `node -e SCRIPT serve ADDRESS PORT`. */
if (process.argv[1] === 'serve') {
  void nameServer(process.argv[2]!, Number(process.argv[3])).then((server) => {
    process.stdout.write('"ready"\n');
    createInterface({ input: process.stdin })
      .on('line', (line) => {
        const { zone, delay } = JSON.parse(line) as { zone?: Zone; delay?: number };
        if (zone !== undefined) server.zone(zone, delay);
        process.stdout.write(`${JSON.stringify(server.asked.splice(0))}\n`);
      })
      .on('close', () => process.exit(0));
  });
}
