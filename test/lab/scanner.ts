/**
 * SIP in bulk, run in a member of the lab; its configuration is the first argument, as JSON.
 *
 *   { role: 'scan', from, to, methods, count, every, batch }   a scanner: `count` requests, `batch` each `every` milliseconds, each
 *     method in turn. Says { sent, answered } when all are sent and no answer has come for a moment. Where
 *     `password` is given, a 401 is answered with the same request and an Authorization, once for each; then also { replies: {
 *     "STATUS": count } }.
 *   { role: 'pbx', at }   a PBX that refuses: 401 to REGISTER without Authorization, 200 to OPTIONS, 404 to INVITE, 489 to
 *     SUBSCRIBE; calls of user `ring` it lets ring, and those of user `taken` it takes. Says { ready }, and for each line on
 *     standard input { heard: { "SOURCE METHOD": count } }.
 */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

type At = { readonly address: string; readonly port: number };
export type Scan = {
  readonly role: 'scan';
  readonly from: At;
  readonly to: At;
  readonly methods: readonly string[];
  readonly count: number;
  readonly every: number;
  readonly batch: number;
  readonly user?: string;
  readonly password?: string;
  /** Stands before each request. */
  readonly before?: string;
};
export type Pbx = { readonly role: 'pbx'; readonly at: At };

const config = JSON.parse(process.argv[1] ?? 'null') as Scan | Pbx | null;
const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const host = ({ address }: At): string => (address.includes(':') ? `[${address}]` : address);

function request(method: string, number: number, { from, to, user = 'x', before = '' }: Scan, more: readonly string[] = []): string {
  const id = `${method.toLowerCase()}-${number}-${from.port}`;
  return before + [
    `${method} sip:${user}@${host(to)} SIP/2.0`,
    `Via: SIP/2.0/UDP ${host(from)}:${from.port};branch=z9hG4bK-${id};rport`,
    `From: <sip:${number}@${host(to)}>;tag=${id}`,
    `To: <sip:${user}@${host(to)}>`,
    `Call-ID: ${id}@${host(from)}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:${number}@${host(from)}:${from.port}>`,
    'Max-Forwards: 70',
    ...more,
    'User-Agent: friendly-scanner',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

function scan(scanner: Scan): void {
  const { from, to, methods, count, every, batch } = scanner;
  const socket = createSocket(from.address.includes(':') ? 'udp6' : 'udp4');
  let [sent, answered, last] = [0, 0, 0];
  const replies: Record<string, number> = {};
  const asked = new Set<string>();
  socket.on('message', (bytes) => {
    answered++;
    const text = bytes.toString('latin1');
    const status = text.slice(8, 11);
    replies[status] = (replies[status] ?? 0) + 1;
    const [, method = '', number] = /^Call-ID: ([a-z]+)-(\d+)-/m.exec(text) ?? [];
    if (status !== '401' || scanner.password === undefined || number === undefined || asked.has(number)) return;
    asked.add(number);
    const authorization = `Authorization: Digest username="x", response="${scanner.password}"`;
    socket.send(request(method.toUpperCase(), Number(number), scanner, [authorization]), to.port, to.address);
  });
  socket.bind(from.port, from.address, () => {
    const pace = setInterval(() => {
      for (let left = batch; left > 0 && sent < count; left--, sent++) {
        socket.send(request(methods[sent % methods.length]!, sent, scanner), to.port, to.address);
      }
      if (sent < count) return;
      clearInterval(pace);
      const quiet = setInterval(() => {
        if (answered !== last) {
          last = answered;
          return;
        }
        clearInterval(quiet);
        say({ sent, answered, ...(scanner.password === undefined ? {} : { replies }) });
        socket.close();
      }, 300);
    }, every);
  });
}

const ANSWERS: Readonly<Record<string, string>> = { REGISTER: '401 Unauthorized', OPTIONS: '200 OK', INVITE: '404 Not Found', SUBSCRIBE: '489 Bad Event' };

/** The right password to a registration. */
const GRANTED = /^REGISTER [^]*^Authorization: .*response="right"/m;

function pbx({ at }: Pbx): void {
  const heard: Record<string, number> = {};
  const socket = createSocket(at.address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => {
    const text = bytes.toString('latin1').replace(/^[\r\n]+/, '');
    const method = text.slice(0, Math.max(text.indexOf(' '), 0)) || `${bytes.length} bytes`;
    const key = `${from.address} ${method}`;
    heard[key] = (heard[key] ?? 0) + 1;
    const lines = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
    const taken = text.startsWith('INVITE sip:taken@') || GRANTED.test(text);
    const status = text.startsWith('INVITE sip:ring@') ? '180 Ringing' : taken ? '200 OK' : ANSWERS[method];
    if (status === undefined) return;
    socket.send([`SIP/2.0 ${status}`, ...lines, 'Content-Length: 0', '', ''].join('\r\n'), from.port, from.address);
  });
  socket.bind(at.port, at.address, () => say({ ready: true }));
  createInterface({ input: process.stdin })
    .on('line', () => say({ heard }))
    .on('close', () => process.exit(0));
}

if (config?.role === 'scan') scan(config);
else if (config?.role === 'pbx') pbx(config);
