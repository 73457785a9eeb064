/**
 * Sockets for QuickJS, which has none: by socat (OpenWrt packages it, without TLS), for TLS by openssl, and for TCP over IPv4 alone by
 * busybox's nc, which every OpenWrt has. Each flow is a process of its own.
 *
 * Of socat its log is read and not its output, for there datagrams would run into each other: `-x` writes each one as a line of
 * hexadecimal digits, `-d -d` says from where it connected (1.7.4 and 1.8).
 */
import * as os from 'qjs:os';
import type { Flow, Network, Peer, Secured } from '../../host/network.ts';
import { bitsOf } from '../../languages/address/prefixes.ts';
import { must } from './errno.ts';
import { ended as endOf, findProgram, openPipe, readAll, start } from './processes.ts';
import { textOf } from './text.ts';

const TERM = 15;
const POLL = 20;
/** Milliseconds for a process to begin; a small router is slow at it. */
const SOON = 5000;

const LACKING = 'Not tried: QuickJS has no sockets of its own. Install socat (`apk add socat`), or run this on a computer with Node.';
const NO_TLS =
  "Not tried: QuickJS has no TLS of its own, nor has OpenWrt's socat. Install openssl-util (`apk add openssl-util`), "
  + 'or run this on a computer with Node.';

/** A tool is there, or it is not; what may not be started is as good as none. */
function program(name: string): string | null {
  try {
    return findProgram(name);
  } catch {
    return null;
  }
}

/** The system's own words, where socat ends with them. */
const TROUBLE: readonly (readonly [RegExp, string])[] = [
  [/Connection refused/, 'nobody listens there (connection refused)'],
  [/No route to host/, 'no way to that host'],
  [/Network is unreachable/, 'no way to that network'],
  [/Connection timed out/, 'no connection in time'],
  [/Connection reset/, 'the connection was reset'],
  [/wrong version number|packet length too long|unexpected message/, 'what listens there speaks no TLS'],
  [/handshake failure|alert (number|protocol)|no protocols available|unsupported protocol/, 'the two sides agree on no TLS'],
];

const wordsFor = (text: string): string => TROUBLE.find(([pattern]) => pattern.test(text))?.[1] ?? text.trim().split('\n').pop() ?? '';

interface Tool {
  pid: number;
  write(bytes: Uint8Array): void;
  end(): void;
}

/** Starts a program whose standard input is ours to write; its output and its log come in pieces. */
function tool(
  file: string,
  argv: readonly string[],
  out: (chunk: Uint8Array) => void,
  log: (chunk: Uint8Array) => void,
  over: () => void,
): Tool {
  const [inRead, inWrite] = openPipe();
  const [outRead, outWrite] = openPipe();
  const [errRead, errWrite] = openPipe();
  const { pid } = start(file, { argv, input: inRead, stdout: outWrite, stderr: errWrite });
  for (const fd of [inRead, outWrite, errWrite]) os.close(fd);
  let open = 2;
  let writable = true;
  let wanted = true;
  let alive = true;
  const done = (): void => {
    if (--open > 0) return;
    alive = false;
    void endOf(pid); // it is a child of ours, so this never rejects
    if (wanted) over();
  };
  const closers = [readAll(outRead, out, done), readAll(errRead, log, done)];
  return {
    pid,
    write(bytes) {
      if (!writable) return;
      try {
        // One write is one datagram: socat sends what one read gives it.
        must(os.write(inWrite, bytes.slice().buffer as ArrayBuffer, 0, bytes.length));
      } catch {
        writable = false; // it has ended, and says so itself
      }
    },
    end() {
      if (!wanted) return;
      wanted = false;
      writable = false;
      os.close(inWrite);
      if (alive) os.kill(pid, TERM); // else its number may be somebody else's by now
      for (const close of closers) close();
    },
  };
}

const shown = ({ address, port }: Peer): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);

/** By socat. Resolves once it says from where it speaks. */
function bySocat(
  file: string,
  over: 'udp' | 'tcp',
  to: Peer,
  port: number,
  timeout: number,
  heard: (bytes: Uint8Array) => void,
  ended: (because: string) => void,
): Promise<Flow> {
  const version = to.address.includes(':') ? 6 : 4;
  const options = `${port > 0 ? `,sourceport=${port}` : ''}${over === 'tcp' ? ',nodelay' : ''}`;
  const argv = ['socat', '-d', '-d', '-x', '-b', '65536', '-', `${over.toUpperCase()}${version}:${shown(to)}${options}`];
  return new Promise((resolve, reject) => {
    let rest = '';
    let begun = false;
    // Its own connect-timeout would take the line away that tells where it connected from (1.7.4).
    const timer = os.setTimeout(() => {
      if (begun) return;
      begun = true;
      made.end();
      reject(new Error(`no connection within ${Math.round(timeout / 1000)} s`));
    }, timeout);
    let coming = false;
    let complaint = '';
    // One read of socat's is one datagram, and two writes may become one read: the next waits until the log says that one has left.
    const waiting: Uint8Array[] = [];
    let leaving = false;
    const next = (): void => {
      const bytes = leaving ? undefined : waiting.shift();
      if (bytes === undefined) return;
      leaving = true;
      made.write(bytes);
    };
    const send = (bytes: Uint8Array): void => {
      if (over === 'tcp') return made.write(bytes);
      waiting.push(bytes);
      next();
    };
    const line = (text: string): void => {
      const [, address = '', local] = / successfully connected from local address AF=\d+ \[?([0-9a-fA-F.:]+?)\]?:(\d+)$/.exec(text) ?? [];
      if (local !== undefined && !begun) {
        begun = true;
        os.clearTimeout(timer);
        resolve({
          local: { address: address.toLowerCase(), port: Number(local) },
          send,
          waiting: () => waiting.length + (leaving ? 1 : 0),
          close: () => made.end(),
        });
      } else if (/^[<>] .* length=\d+ /.test(text)) {
        coming = text.startsWith('<');
        if (!coming) {
          leaving = false;
          next();
        }
      } else if (/^( [0-9a-f]{2})+$/.test(text)) {
        if (coming) heard(Uint8Array.from(text.slice(1).split(' '), (digits) => parseInt(digits, 16)));
        coming = false;
      } else if (/ socat\[\d+\] [EW] /.test(text)) {
        complaint = text;
      }
    };
    const made = tool(
      file,
      argv,
      () => undefined,
      (chunk) => {
        const lines = (rest + textOf(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const each of lines) line(each);
      },
      () => {
        made.end();
        os.clearTimeout(timer);
        const because = complaint === '' ? 'the other side closed the connection' : wordsFor(complaint);
        if (begun) ended(because);
        else reject(Object.assign(new Error(because), { refused: because.includes('refused') }));
        begun = true;
      },
    );
  });
}

/** Words of eight hexadecimal digits, as the kernel prints them of its memory, as bytes. */
const bytesIn = (words: string): Uint8Array =>
  new Uint8Array(Uint32Array.from(words.match(/.{8}/g) ?? [], (word) => parseInt(word, 16)).buffer);

/** An address as text: IPv6 in eight groups, which is as good as any shorter form. */
const addressIn = (words: string): string => {
  const bytes = bytesIn(words);
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, at) => ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16)).join(':');
};

/** The local end of a connection to a peer that stands (proc_net_tcp(5)), the addresses as the kernel has them in memory. */
function localEnd(to: Peer, before: ReadonlySet<string>): { peer: Peer; key: string } | null {
  const bits = bitsOf(to.address);
  const fd = os.open(bits?.length === 32 ? '/proc/net/tcp6' : '/proc/net/tcp', os.O_RDONLY);
  if (fd < 0) return null;
  let text = '';
  const buffer = new ArrayBuffer(65_536);
  for (let got = os.read(fd, buffer, 0, buffer.byteLength); got > 0; got = os.read(fd, buffer, 0, buffer.byteLength))
    text += textOf(new Uint8Array(buffer.slice(0, got)));
  os.close(fd);
  for (const row of text.split('\n').reverse()) {
    const [, local = '', far = '', state] = row.trim().split(/\s+/);
    const [farAddress = '', farPort = ''] = far.split(':');
    if (state !== '01' || before.has(local) || parseInt(farPort, 16) !== to.port || bitsOf(addressIn(farAddress)) !== bits) continue;
    const [address = '', port = ''] = local.split(':');
    return { peer: { address: addressIn(address), port: parseInt(port, 16) }, key: local };
  }
  return null;
}

/** By busybox's nc, which says nothing: that it stands is seen in /proc. */
function byNc(
  file: string,
  to: Peer,
  timeout: number,
  heard: (bytes: Uint8Array) => void,
  ended: (because: string) => void,
): Promise<Flow> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    let begun = false;
    let waited = 0;
    const made = tool(
      file,
      ['nc', to.address, String(to.port)],
      heard,
      (chunk) => {
        complaint += textOf(chunk).slice(0, 500);
      },
      () => {
        made.end();
        const because = complaint === '' ? 'the other side closed the connection' : wordsFor(complaint);
        if (begun) ended(because);
        else reject(Object.assign(new Error(because), { refused: because.includes('refused') }));
        begun = true;
      },
    );
    const look = (): void => {
      if (begun) return;
      const end = localEnd(to, taken);
      if (end !== null) {
        begun = true;
        taken.add(end.key);
        resolve({ local: end.peer, send: (bytes) => made.write(bytes), close: () => made.end() });
      } else if ((waited += POLL) > timeout) {
        begun = true;
        made.end();
        reject(new Error(`no connection within ${Math.round(timeout / 1000)} s`));
      } else {
        os.setTimeout(look, POLL);
      }
    };
    look();
  });
}

/**
 * By openssl's s_client, which says on its standard error what it agreed on (`-brief`) and carries the bytes as they are (`-quiet`,
 * without which a line that begins with Q or R is a command to it). From where it speaks is seen in /proc.
 */
function byOpenssl(
  file: string,
  to: Peer,
  name: string,
  timeout: number,
  heard: (bytes: Uint8Array) => void,
  ended: (because: string) => void,
): Promise<Flow & Secured> {
  // A name is what a certificate is of, and is said beforehand; of an address neither (RFC 6066 §3).
  const isAddress = bitsOf(name) !== null;
  const whom = isAddress ? ['-noservername', '-verify_ip', name] : ['-servername', name, '-verify_hostname', name];
  const argv = ['openssl', 's_client', '-brief', '-quiet', '-connect', shown(to), ...whom];
  return new Promise((resolve, reject) => {
    let log = '';
    let begun = false;
    const timer = os.setTimeout(() => {
      if (begun) return;
      begun = true;
      made.end();
      reject(new Error(`no connection within ${Math.round(timeout / 1000)} s`));
    }, timeout);
    const stands = (): void => {
      const [, flaw] = /^Verification(?: error: (.*)|: OK)$/m.exec(log) ?? [];
      if (begun || !/^CONNECTION ESTABLISHED$/m.test(log) || !/^Verification(?: error)?: .*\n/m.test(log)) return;
      const end = localEnd(to, taken);
      if (end === null) return;
      begun = true;
      os.clearTimeout(timer);
      taken.add(end.key);
      resolve({ local: end.peer, certificate: flaw ?? null, send: (bytes) => made.write(bytes), close: () => made.end() });
    };
    const made = tool(
      file,
      argv,
      heard,
      (chunk) => {
        if (log.length < MOST_LOG) log += textOf(chunk);
        stands();
      },
      () => {
        made.end();
        os.clearTimeout(timer);
        const because = begun || log === '' ? 'the other side closed the connection' : wordsFor(log);
        if (begun) ended(because);
        else reject(Object.assign(new Error(because), { refused: because.includes('refused') }));
        begun = true;
      },
    );
  });
}

/** Characters of a program's log that are kept. */
const MOST_LOG = 16_384;

/** Local ends that are flows of ours. */
const taken = new Set<string>();

export const quickjsNetwork: Network = {
  asking: null,
  nameServers: () => null,
  random(size) {
    const fd = must(os.open('/dev/urandom', os.O_RDONLY));
    const buffer = new ArrayBuffer(size);
    const got = os.read(fd, buffer, 0, size);
    os.close(fd);
    if (got !== size) throw new Error('/dev/urandom gave no random bytes');
    return new Uint8Array(buffer);
  },
  async lacks(over) {
    if (over === 'tls') return program('openssl') !== null ? null : NO_TLS;
    return program('socat') !== null || (over === 'tcp' && program('nc') !== null) ? null : LACKING;
  },
  async datagrams(to, port, heard, failed) {
    const file = program('socat');
    if (file === null) throw new Error('socat is not installed');
    // With what the network says socat ends, and the flow with it: no passing trouble.
    return bySocat(file, 'udp', to, port, SOON, heard, (because) => {
      failed(because);
      failed(because);
    });
  },
  async stream(over, to, name, timeout, heard, ended) {
    const openssl = over === 'tls' ? program('openssl') : null;
    if (openssl !== null) return byOpenssl(openssl, to, name, timeout, heard, ended);
    if (over === 'tls') throw new Error('openssl is not installed');
    const file = program('socat');
    if (file !== null) return bySocat(file, 'tcp', to, 0, timeout, heard, ended);
    const nc = program('nc');
    if (nc === null) throw new Error('neither socat nor nc is installed');
    if (to.address.includes(':')) throw new Error("busybox's nc is used for IPv4 alone; install socat");
    return byNc(nc, to, timeout, heard, ended);
  },
};
