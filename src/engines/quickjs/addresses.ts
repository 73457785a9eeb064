/** Addresses of this machine, as `ip -o addr` of busybox or iproute2 tells them. */
import * as os from 'qjs:os';
import type { HostAddress } from '../../host/host.ts';
import { must } from './errno.ts';
import { buffer, findProgram, openPipe, start } from './processes.ts';
import type { Child } from './processes.ts';
import { latin1 } from './text.ts';

/** `2: br-lan    inet 192.168.1.1/24 brd …`, or with `peer ADDRESS/PREFIX` behind an address without one. */
const LINE = /^\d+: ([^\s@]+)(?:@\S+)?\s+(inet6?) ([0-9a-f.:]+)(?: peer [0-9a-f.:]+)?\/(\d+)/gm;

/** In the order the kernel gives them to getifaddrs(3): all of IPv4, then IPv6; a device where it appears first. */
export function addressesIn(text: string): HostAddress[] {
  const all = [...text.matchAll(LINE)].map(([, device = '', inet, address = '', prefix]): HostAddress => ({
    device,
    family: inet === 'inet6' ? 'ipv6' : 'ipv4',
    address,
    prefix: Number(prefix),
  }));
  const ordered = [...all.filter(({ family }) => family === 'ipv4'), ...all.filter(({ family }) => family === 'ipv6')];
  const devices = [...new Set(ordered.map(({ device }) => device))];
  return devices.flatMap((one) => ordered.filter(({ device }) => device === one));
}

/** Starts asking; a failure is told by what comes. @returns what its answer is read from, null where `ip` is not to be had */
function ask(): { child: Child; fd: number } | null {
  let fds: [number, number] | null = null;
  let silent = -1;
  try {
    const file = findProgram('ip');
    if (file === null) return null;
    fds = openPipe();
    silent = must(os.open('/dev/null', os.O_WRONLY));
    const child = start(file, { argv: ['ip', '-o', 'addr', 'show', 'up'], stdout: fds[1], stderr: silent });
    return { child, fd: fds[0] };
  } catch {
    if (fds !== null) os.close(fds[0]);
    return null;
  } finally {
    if (fds !== null) os.close(fds[1]);
    if (silent >= 0) os.close(silent);
  }
}

let asked: ReturnType<typeof ask> = null;

/** Asks already now: whoever wants to know first is not kept waiting. */
export function askAhead(): void {
  asked = ask();
}

/** Those of devices that are up (IFF_UP), with a carrier or without; none where `ip` is not to be had. */
export function addresses(): HostAddress[] {
  const question = asked ?? ask();
  asked = null;
  if (question === null) return [];
  let text = '';
  for (let got = 1; got > 0;) {
    got = os.read(question.fd, buffer, 0, buffer.byteLength);
    if (got > 0) text += latin1(new Uint8Array(buffer, 0, got));
  }
  os.close(question.fd);
  os.waitpid(question.child.pid, 0);
  return addressesIn(text);
}
