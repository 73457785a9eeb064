/**
 * The door to HTTP on Node: sockets, limits and time. What a request means is
 * not known here; it is handed on as data, and an answer comes back.
 *
 * Nobody has logged in when a request arrives here, so nothing may pile up: a connection has one request under way and one
 * more behind it, a reply that is not read ends its connection, and what waits to be read has a limit for all together.
 *
 * With a certificate the port speaks TLS. Who speaks plain HTTP to it is heard all the same, for only an answer can say
 * where to go: the first byte tells the two apart.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { MOST_BODY, refusal } from '../../http/message.ts';
import type { Answer, Handle, Head } from '../../http/message.ts';
import type { Place } from '../../languages/address/place.ts';
import type { Listening, TlsPair } from '../../http/listener.ts';
import { createWaiting, TAKEN_WITHIN } from '../../http/waiting.ts';
import type { Waiting } from '../../http/waiting.ts';
import { say } from '../../words/say.ts';
import { clock as time } from './clock.ts';

/** Bytes of a request's line and headers, and how many of them. */
const MOST_HEADERS = 8192;
const MOST_LINES = 64;
/** Milliseconds for the headers, for a whole request, and between two requests. */
const HEADERS_WITHIN = 5000;
const REQUEST_WITHIN = 10_000;
const KEPT = 5000;
/** Milliseconds for the first byte and the handshake of TLS. */
const HANDSHAKE_WITHIN = 5000;
/** One more ends the one that has been quiet longest: whoever opens many and says nothing keeps nobody out. */
const MOST_CONNECTIONS = 64;
/** Bytes of a reply that are handed to the kernel at once: each piece that it takes is a sign that somebody reads. */
const PIECE = 64 << 10;

/** Reads the body; `too large` when there is more than may be. */
function bodyOf(request: IncomingMessage, most: number): Promise<Buffer | 'too large'> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= most) return parts.push(part);
      parts.length = 0;
      return resolve('too large');
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', reject);
    request.on('close', () => reject(new Error('the other end went away')));
  });
}

function textOf(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function headOf(request: IncomingMessage): Head {
  const { rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? '']] : [],
  );
  const secure = 'encrypted' in request.socket;
  return { method: request.method ?? '', target: request.url ?? '', headers, address: request.socket.remoteAddress ?? '', secure };
}

/** Writes a piece at a time. */
function give(response: ServerResponse, bytes: Buffer, at: number, moved: () => void): void {
  if (at >= bytes.length) return void response.end();
  response.write(bytes.subarray(at, at + PIECE), (error) => {
    if (error) return;
    moved();
    give(response, bytes, at + PIECE, moved);
  });
}

function send(response: ServerResponse, { status, headers, body }: Answer, close: boolean, waiting: Waiting): void {
  const bytes = Buffer.from(body);
  // Its connection may be gone already.
  if (response.destroyed || response.socket?.destroyed !== false) return;
  const { moved, gone } = waiting.add(bytes.length, () => response.destroy());
  response.once('close', gone);
  if (response.destroyed) return;
  response.writeHead(status, {
    ...headers,
    ...(status === 204 ? {} : { 'content-length': bytes.length }),
    ...(close ? { connection: 'close' } : {}),
  });
  give(response, bytes, 0, moved);
}

/** One connection: at most one request is answered at a time. */
interface Line {
  socket: Socket;
  answering: boolean;
  /** The request that came behind the one being answered. */
  next: (() => void) | null;
  /** When it last did anything, by performance.now(). */
  moved: number;
}

/** What begins a request's line ends in: the parser takes nothing without it. */
const VERSION = Buffer.from('HTTP/');
/** So often it may stand in what is read at once: two requests, and headers that speak of HTTP. */
const MOST_VERSIONS = 8;

/**
 * Ends a connection whose bytes hold many requests at once, before the parser makes objects of all of them: it takes a piece
 * of 64 KiB to its end (1,300 requests, 8 MB), whatever becomes of the connection meanwhile.
 */
function guard(socket: Socket): void {
  // With a listener of ours the bytes come by here; without, the parser takes them from the handle.
  socket.on('data', () => undefined);
  const emit = socket.emit.bind(socket) as (name: string, ...values: unknown[]) => boolean;
  socket.emit = (name: string, ...values: unknown[]): boolean => {
    const [piece] = values;
    if (name !== 'data' || !(piece instanceof Uint8Array)) return emit(name, ...values);
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let versions = 0;
    for (let at = bytes.indexOf(VERSION); at >= 0 && versions <= MOST_VERSIONS; at = bytes.indexOf(VERSION, at + 1)) versions += 1;
    if (versions <= MOST_VERSIONS) return emit(name, ...values);
    socket.destroy();
    return false;
  };
}

/** Answers requests of a connection one after the other; who sends a third before the first is answered has gone too far. */
function createLines() {
  const lines = new Map<Socket, Line>();

  function begin(line: Line, response: ServerResponse, answerIt: () => void): void {
    line.answering = true;
    line.moved = performance.now();
    response.once('close', () => {
      line.answering = false;
      line.moved = performance.now();
      const { next } = line;
      line.next = null;
      if (next === null || line.socket.destroyed) return;
      line.socket.resume();
      next();
    });
    answerIt();
  }

  return {
    /** The same connection, by what is left of it when TLS is taken off. */
    secured(raw: Socket, socket: Socket): void {
      const line = lines.get(raw);
      if (line === undefined) return void socket.destroy();
      lines.delete(raw);
      line.socket = socket;
      line.moved = performance.now();
      lines.set(socket, line);
      socket.once('close', () => lines.delete(socket));
    },
    /** Ends all of them, those that have not come to a request too. */
    end(): void {
      for (const { socket } of lines.values()) socket.destroy();
    },
    open(socket: Socket): void {
      lines.set(socket, { socket, answering: false, next: null, moved: performance.now() });
      socket.once('close', () => lines.delete(socket));
      if (lines.size <= MOST_CONNECTIONS) return;
      // One whose request is being carried out is left alone: only who has logged in keeps one for long.
      const idle = [...lines.values()].filter((line) => !line.answering || line.socket.writableLength > 0);
      const quiet = idle
        .filter((line) => line.socket !== socket)
        .reduce<Line | null>((a, b) => (a !== null && a.moved <= b.moved ? a : b), null);
      (quiet?.socket ?? socket).destroy();
    },
    take(socket: Socket, response: ServerResponse, answerIt: () => void): void {
      const line = lines.get(socket);
      if (line === undefined || socket.destroyed) return;
      if (!line.answering) return begin(line, response, answerIt);
      if (line.next !== null) {
        line.next = null;
        socket.destroy();
        return;
      }
      line.next = () => begin(line, response, answerIt);
      socket.pause();
    },
  };
}

/** The first byte of TLS: a record of the handshake (RFC 8446 section 5.1). No HTTP request begins with it. */
const HANDSHAKE = 0x16;

/** What a connection over TLS is made of. */
interface Secure {
  TLSSocket: typeof import('node:tls').TLSSocket;
  pair: SecureContext;
}

/**
 * Waits for the first byte of a connection, and hands it on unread: to TLS, which gives what is inside of it, or to HTTP as it is.
 * @param http goes on with what speaks HTTP
 */
function tellApart(raw: Socket, { TLSSocket, pair }: Secure, lines: ReturnType<typeof createLines>, http: (socket: Socket) => void): void {
  const slow = setTimeout(() => raw.destroy(), HANDSHAKE_WITHIN);
  raw.once('close', () => clearTimeout(slow));
  raw.on('error', () => raw.destroy());
  const gone = (): void => void raw.destroy(); // half open it would stay until the time is over
  raw.once('end', gone);
  raw.once('data', (first) => {
    raw.off('end', gone);
    raw.pause();
    raw.unshift(first);
    if (first[0] !== HANDSHAKE) {
      clearTimeout(slow);
      http(raw);
      return void raw.resume();
    }
    const socket = new TLSSocket(raw, { isServer: true, secureContext: pair });
    socket.on('error', () => socket.destroy());
    socket.once('secure', () => {
      clearTimeout(slow);
      lines.secured(raw, socket);
      http(socket);
    });
  });
}

/** What was sent is no HTTP, too long, or too slow: a status and a sentence all the same. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const [status, sentence] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ([431, `The headers have more than ${MOST_HEADERS} bytes.`] as const)
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ([408, `The request was not complete within ${REQUEST_WITHIN / 1000} s.`] as const)
        : ([400, 'This is no HTTP request.'] as const);
  const { headers, body } = refusal(status, sentence);
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' });
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
  // The other end may neither read nor go away.
  setTimeout(() => socket.destroy(), TAKEN_WITHIN).unref();
}

/** Bodies larger than those of most requests: one at a time, so that all that is being read has a limit. */
interface Large {
  taken: boolean;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
  last: () => boolean,
  waiting: Waiting,
  large: Large,
): Promise<void> {
  const head = headOf(request);
  // Of who does not say how much it is, it is what most requests may bring.
  const most = Number(request.headers['content-length'] ?? 0) > MOST_BODY ? (handle.most?.(head) ?? MOST_BODY) : MOST_BODY;
  const isLarge = most > MOST_BODY;
  if (isLarge && large.taken) {
    const busy = say('http-busy', 'Another large change of the configuration is being taken; try again in a moment.');
    return send(response, refusal(503, busy, { 'retry-after': '1' }), true, waiting);
  }
  if (isLarge) large.taken = true;
  try {
    const body = await bodyOf(request, most);
    // What is still on its way is not waited for.
    const answered =
      body === 'too large'
        ? refusal(413, say('http-too-large', 'This is more than can be taken at once ({bytes} bytes).', { bytes: most }))
        : await handle({ ...head, body: textOf(body) });
    send(response, answered, body === 'too large' || last(), waiting);
  } finally {
    if (isLarge) large.taken = false;
  }
}

/** TLS and its libraries are a megabyte that a page on loopback does without. */
async function secured(pair: TlsPair): Promise<Secure> {
  const { TLSSocket, createSecureContext } = await import('node:tls');
  return { TLSSocket, pair: createSecureContext({ ...pair, minVersion: 'TLSv1.2' }) };
}

/**
 * Listens. Rejects with an Error whose message is the end of a sentence.
 * @param trouble hears what went wrong while a request was answered
 * @param pair    certificate and key: it speaks TLS
 */
export async function listen(
  place: Place,
  handle: Handle,
  trouble: (error: Error) => void,
  pair: TlsPair | null = null,
  clock = time,
): Promise<Listening> {
  const secure = pair === null ? null : await secured(pair);
  let closing = false;
  const waiting = createWaiting(clock);
  const lines = createLines();
  const large: Large = { taken: false };
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADERS,
      headersTimeout: HEADERS_WITHIN,
      requestTimeout: REQUEST_WITHIN,
      keepAliveTimeout: KEPT,
      connectionsCheckingInterval: 1000,
      noDelay: true,
    },
    (request, response) => {
      lines.take(request.socket, response, () => {
        answer(request, response, handle, () => closing, waiting, large).catch((error: Error) => {
          if (response.headersSent || (request.destroyed && !request.complete)) return response.destroy();
          trouble(error);
          return send(response, refusal(500, 'The request could not be answered; the log of the router says why.'), true, waiting);
        });
      });
    },
  );
  server.maxHeadersCount = MOST_LINES;
  const [http] = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const speak = (socket: Socket): void => {
    http?.call(server, socket);
    guard(socket); // behind the parser, which else takes the bytes where nobody sees them
  };
  server.on('connection', (socket) => {
    lines.open(socket);
    // In the same turn: who resets a connection that nobody listens to ends the program.
    if (secure === null) speak(socket);
    else tellApart(socket, secure, lines, speak);
  });
  server.on('clientError', refuseRaw);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const words: Record<string, string> = {
        EADDRINUSE: 'the port is taken',
        EADDRNOTAVAIL: 'this machine has no such address',
        EACCES: 'only root may take that port',
      };
      reject(Object.assign(new Error(words[error.code ?? ''] ?? error.message), { code: error.code }));
    });
    server.listen({ host: place.address, port: place.port, ipv6Only: false }, () => {
      server.on('error', trouble);
      resolve({
        place: { address: place.address, port: (server.address() as AddressInfo).port },
        close: (patience) =>
          new Promise((done) => {
            closing = true;
            const timer = setTimeout(lines.end, patience);
            server.close(() => {
              clearTimeout(timer);
              done();
            });
            server.closeIdleConnections();
          }),
      });
    });
  });
}
