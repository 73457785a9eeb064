/**
 * The door to HTTP on Node: sockets, limits and time. What a request means is
 * not known here; it is handed on as data, and an answer comes back.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { MOST_BODY, refusal } from '../../http/message.ts';
import type { Answer, Asked } from '../../http/message.ts';
import type { Place } from '../../languages/address/place.ts';
import type { Listening } from '../../http/listener.ts';

/** Bytes of a request's line and headers, and how many of them. */
const MOST_HEADERS = 8192;
const MOST_LINES = 64;
/** Milliseconds for the headers, for a whole request, and between two requests. */
const HEADERS_WITHIN = 5000;
const REQUEST_WITHIN = 10_000;
const KEPT = 5000;
const MOST_CONNECTIONS = 64;

/** Reads the body; `too large` when there is more than may be. */
function bodyOf(request: IncomingMessage): Promise<Buffer | 'too large'> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= MOST_BODY) return parts.push(part);
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

function askedOf(request: IncomingMessage, body: string | null): Asked {
  const { rawHeaders } = request;
  const headers = rawHeaders.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? '']] : [],
  );
  return { method: request.method ?? '', target: request.url ?? '', headers, address: request.socket.remoteAddress ?? '', body };
}

function send(response: ServerResponse, { status, headers, body }: Answer, close: boolean): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    ...headers,
    ...(status === 204 ? {} : { 'content-length': bytes.length }),
    ...(close ? { connection: 'close' } : {}),
  });
  response.end(bytes);
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
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (asked: Asked) => Promise<Answer>,
  last: () => boolean,
): Promise<void> {
  const body = await bodyOf(request);
  // What is still on its way is not waited for.
  if (body === 'too large') return send(response, refusal(413, `The body has more than ${MOST_BODY} bytes.`), true);
  const answered = await handle(askedOf(request, textOf(body)));
  send(response, answered, last());
}

/**
 * Listens. Rejects with an Error whose message is the end of a sentence.
 * @param trouble hears what went wrong while a request was answered
 */
export function listen(place: Place, handle: (asked: Asked) => Promise<Answer>, trouble: (error: Error) => void): Promise<Listening> {
  let closing = false;
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
      answer(request, response, handle, () => closing).catch((error: Error) => {
        if (response.headersSent || (request.destroyed && !request.complete)) return response.destroy();
        trouble(error);
        return send(response, refusal(500, 'The request could not be answered; the log of the router says why.'), true);
      });
    },
  );
  server.maxHeadersCount = MOST_LINES;
  server.maxConnections = MOST_CONNECTIONS;
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
            const timer = setTimeout(() => server.closeAllConnections(), patience);
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
