/**
 * One machine of the lab: a network, mount, process and host name namespace, held by one process.
 *
 * Nothing has a name on the host: no entry in /run/netns, no mount point, no file. The holder lives as long as
 * its standard input does, which is a pipe from this process, and it is process 1 of its process namespace. So
 * the kernel takes the namespaces, their processes, mounts and files away when the lab is closed, and also when
 * this program dies in any way, SIGKILL included.
 */
import { spawn as start, type ChildProcessByStdio } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

export type Ran = {
  readonly status: number | null; // null: ended by a signal
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
};

export type RunOptions = {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout?: number; // milliseconds, 20,000 if not given; then SIGKILL
};

/** A process running in a member. */
export type Process = {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Sends a signal to the process itself (`child` is only the way into the namespaces). */
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process is gone. */
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>;
};

export type Member = {
  readonly name: string;
  readonly pid: number; // the holder, as the host counts
  /** The command line that runs a program in the member's namespaces, to be started by hand. */
  way(argv: readonly string[]): string[];
  /** Starts a program in the member's namespaces; standard input stays open until `child.stdin.end()`. */
  spawn(argv: readonly string[], env?: Readonly<Record<string, string>>): Process;
  /** Runs a program to its end. A program that fails is an answer, not an error. */
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Like `run`, but a status other than 0 is an error that shows what the program said. */
  must(argv: readonly string[], options?: RunOptions): Promise<string>;
  /** Ends everything in the member. Never fails. */
  end(): void;
  /** Resolves when the member and all that ran in it is gone. */
  readonly gone: Promise<void>;
};

// The machine's root, read-only, or a root of the member's own (root.ts) with a memory file system on top: whatever is
// written in such a member stays in it. What the member shares with nobody is mounted over both. The host's /proc is
// still mounted when the pid is read, so it is the pid the host knows. The lower folder is named from where it lies: its
// path may hold a colon or a comma, which mean something in a mount option.
const HOLD = `set -e
read -r pid rest < /proc/self/stat
cd "$LAB_PROJECT"
mount --make-rprivate /
mount -t tmpfs -o mode=755 lab /mnt
mkdir /mnt/upper /mnt/work /mnt/root
if [ -n "$LAB_ROOT" ]; then
  (cd "$LAB_ROOT" && mount -t overlay -o lowerdir=.,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root)
else
  mount --bind / /mnt/root
fi
mount -t proc proc /mnt/root/proc
mount -t sysfs sysfs /mnt/root/sys
mount --rbind /dev /mnt/root/dev
mount -t tmpfs -o mode=1777 tmp /mnt/root/tmp
mount -t tmpfs -o mode=755 run /mnt/root/run
mkdir -p "/mnt/root$LAB_PROJECT"
mount --bind . "/mnt/root$LAB_PROJECT"
mount -o remount,bind,ro "/mnt/root$LAB_PROJECT"
[ -n "$LAB_ROOT" ] || mount -o remount,bind,ro /mnt/root
cd /mnt/root
pivot_root . mnt
umount -l /mnt
cd /
hostname "$LAB_NAME"
ip link set lo up
echo "held $pid"
exec env --ignore-signal=CHLD cat
`;

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

function environment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH, HOME: '/root', LC_ALL: 'C', ...extra };
}

/**
 * Starts a member; `name` becomes its host name. Needs root.
 * @param root the folder of a root file system of its own; without one it sees the machine's, and writes only to /tmp and /run
 */
export async function hold(name: string, root = '', project = process.cwd()): Promise<Member> {
  const holder = start(
    'unshare',
    ['--net', '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child', 'sh', '-c', HOLD],
    // Its own session: Ctrl-C in a terminal is for the program, which then closes the lab in order.
    { detached: true, stdio: 'pipe', cwd: '/', env: environment({ LAB_PROJECT: project, LAB_NAME: name, LAB_ROOT: root }) },
  );
  holder.stdin.on('error', () => undefined); // EPIPE after end(): the holder was faster
  let said = '';
  let complained = '';
  holder.stderr.on('data', (data: Buffer) => {
    complained += data;
  });
  const pid = await new Promise<number>((resolve, reject) => {
    holder.once('error', (error) => reject(new Error(`The lab could not start ${name}: ${error.message}`)));
    holder.once('close', () => reject(new Error(`The lab could not hold ${name}: ${complained.trim()}`)));
    holder.stdout.on('data', (data: Buffer) => {
      said += data;
      const found = /^held (\d+)\n/m.exec(said);
      if (found) resolve(Number(found[1]));
    });
  });
  const member: Member = {
    name,
    pid,
    gone: new Promise((resolve) => holder.once('close', () => resolve())),
    way: (argv) => way(pid, argv),
    spawn: (argv, env) => enter(pid, argv, env),
    run: (argv, options) => run(enter(pid, argv, options?.env), options),
    async must(argv, options) {
      const ran = await member.run(argv, options);
      if (ran.status === 0) return ran.stdout;
      const how = ran.timedOut ? 'did not end in time' : `ended with ${ran.status ?? ran.signal}`;
      throw new Error(`${name}: ${argv.join(' ')} ${how}\n${ran.stderr || ran.stdout}`);
    },
    end() {
      holder.stdin.destroy();
      holder.kill('SIGKILL'); // --kill-child: process 1 of the namespace dies with it
    },
  };
  return member;
}

function way(pid: number, argv: readonly string[]): string[] {
  return [
    'nsenter',
    '--target',
    String(pid),
    '--mount',
    '--net',
    '--pid',
    '--uts',
    '--ipc',
    '--',
    'setpriv',
    '--pdeathsig',
    'KILL',
    '--',
    ...argv,
  ];
}

function enter(pid: number, argv: readonly string[], env?: Readonly<Record<string, string>>): Process {
  const [command, ...rest] = way(pid, argv);
  const child = start(command!, rest, { detached: true, stdio: 'pipe', env: environment(env) });
  child.stdin.on('error', () => undefined); // EPIPE: the program ended without reading; its status tells
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal }));
  });
  return {
    child,
    ended,
    signal(name) {
      const inside = child.exitCode === null && child.signalCode === null ? insideOf(child.pid!) : undefined;
      if (inside === undefined) throw new Error(`${argv[0]} is not running, it cannot get ${name}`);
      process.kill(inside, name);
    },
  };
}

/** The program behind an `nsenter`, as the host counts; undefined before it started and after it ended. */
function insideOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]) || undefined;
  } catch {
    return undefined; // nsenter itself is gone
  }
}

async function run(process: Process, options: RunOptions = {}): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  process.child.stdout.on('data', (data: Buffer) => out.push(data));
  process.child.stderr.on('data', (data: Buffer) => err.push(data));
  process.child.stdin.end(options.input ?? '');
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    // The program and not the way to it, which then still waits for it; a zombie would stay otherwise.
    if (insideOf(process.child.pid!) === undefined) process.child.kill('SIGKILL');
    else process.signal('SIGKILL');
  }, options.timeout ?? 20_000);
  try {
    const { status, signal } = await process.ended;
    return { status, signal, timedOut, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
  } finally {
    clearTimeout(timer);
  }
}
