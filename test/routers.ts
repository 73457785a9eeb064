/**
 * A router as a folder (test/fixtures/routers/README.md): what its files hold,
 * what its commands say, what is not there and what fails. A Host that shows it
 * and lets nothing be changed.
 *
 * What a folder does not answer is an error that names the file to create: a
 * test never takes "nobody recorded it" for "it is not there".
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Host, HostAddress, Outcome, Reading, ReadOptions, RunOptions } from '../src/host/host.ts';
import { filterLines } from '../src/host/lines.ts';
import { decode } from '../src/host/text.ts';

export const ROUTERS = 'test/fixtures/routers';

/** The moment at which every recorded router is looked at. */
export const NOW = Date.UTC(2026, 9, 1, 12);

/** As src/host/node.ts has them. */
const MOST_READ = 4 << 20;
const MOST_SAID = 32 << 20;

/** A directory that git would lose; the file itself is not on the router. */
const KEEP = '.keep';

/** Of a file system that does not change while a test runs: each place is asked for once. */
function remembered<T>(ask: (path: string) => T): (path: string) => T {
  const answers = new Map<string, T>();
  return (path) => {
    const known = answers.get(path);
    if (known !== undefined) return known;
    const answer = ask(path);
    answers.set(path, answer);
    return answer;
  };
}

const existsSync = remembered((path) => fs.existsSync(path));
const readFileSync = remembered((path) => fs.readFileSync(path));
const readdirSync = remembered((path) => fs.readdirSync(path));
const isDirectory = remembered((path) => fs.statSync(path).isDirectory());

/** Something that was asked and that no file answers. */
export class Unanswered extends Error {}

export interface RecordedRouter extends Host {
  /** Every path and command that was asked for, in order. */
  readonly asked: string[];
  /** What was asked and is not recorded: sentences that name the file to create. */
  readonly unanswered: string[];
}

function textFile(folder: string, name: string): string | null {
  const path = join(folder, name);
  return existsSync(path) ? decode(readFileSync(path)) : null;
}

function linesOf(folder: string, name: string): string[] {
  return (textFile(folder, name) ?? '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** One folder: a router's own, or the one it is like. */
interface Layer {
  folder: string;
  absent: Set<string>;
  denied: Map<string, string>;
}

/** A router's folder first, then the one that like.txt names, and so on. */
function layersOf(name: string): Layer[] {
  const layers: Layer[] = [];
  for (let next: string | undefined = name; next !== undefined;) {
    const folder = join(ROUTERS, next);
    if (!existsSync(folder)) throw new Unanswered(`There is no router ${folder}; create that folder.`);
    if (layers.length > 4) throw new Error(`${ROUTERS}/${name} is like something that is like itself.`);
    const denied = linesOf(folder, 'denied.txt').map((line): [string, string] => {
      const at = line.indexOf(': ');
      if (at < 0) throw new Error(`${folder}/denied.txt: "${line}" gives no reason; a line is "PATH or COMMAND: REASON"`);
      return [line.slice(0, at), line.slice(at + 2)];
    });
    layers.push({ folder, absent: new Set(linesOf(folder, 'absent.txt')), denied: new Map(denied) });
    next = linesOf(folder, 'like.txt')[0];
  }
  return layers;
}

/** The file that holds what a command says. @param input what it was given to read: a command may be asked several things */
export function commandFile(argv: readonly string[], input?: string): string {
  const of = input === undefined ? '' : `.${createHash('sha256').update(input).digest('hex').slice(0, 8)}`;
  return `${argv.join('_').replaceAll('/', '%')}${of}.txt`;
}

/** A command that is given something to read and changes nothing: it says whether it would take it. */
const asksOnly = (argv: readonly string[]): boolean => argv.includes('-c') || argv.includes('--test');

function selected(bytes: Uint8Array, options: ReadOptions | RunOptions, standard: number): Uint8Array {
  if (options.select) {
    const filter = filterLines(options.select.holding);
    for (let at = 0; at < bytes.length; at += 65_536) filter.push(bytes.subarray(at, at + 65_536));
    return filter.end();
  }
  const most = options.most ?? standard;
  if (bytes.length > most) throw new Error(`it holds more than ${most} bytes`);
  return bytes;
}

function addressesOf(layers: readonly Layer[]): HostAddress[] {
  const layer = layers.find(({ folder }) => existsSync(join(folder, 'addresses.txt')));
  return layer === undefined
    ? []
    : linesOf(layer.folder, 'addresses.txt').map((line) => {
        const [device = '', address = '', prefix = ''] = line.split(/[ /]/);
        return { device, family: address.includes(':') ? 'ipv6' : 'ipv4', address, prefix: Number(prefix) };
      });
}

/** @param name a folder of test/fixtures/routers */
export function recordedRouter(name: string): RecordedRouter {
  const layers = layersOf(name);
  const own = (layers[0] as Layer).folder;
  const asked: string[] = [];
  const unanswered: string[] = [];
  const lacking = (sentence: string): never => {
    unanswered.push(sentence);
    throw new Unanswered(sentence);
  };

  const above = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));
  const isRoot = (path: string): boolean => path === '/';

  /** What one layer says of a path. */
  const inLayer = ({ folder, absent }: Layer, path: string): string | 'absent' | null => {
    const file = join(folder, 'root', path);
    if (existsSync(file)) return file;
    for (let at = path; !isRoot(at); at = above(at)) if (absent.has(at)) return 'absent';
    return null;
  };

  /** The files a path stands for, the nearest layer first; empty: it is not there. */
  const standing = (path: string): string[] => {
    const found: string[] = [];
    for (const layer of layers) {
      const answer = inLayer(layer, path);
      if (answer === 'absent') return found;
      if (answer !== null) found.push(answer);
    }
    if (found.length > 0) return found;
    // A directory that was recorded says of all that is not in it that it is not there.
    const parent = above(path);
    if (isRoot(parent) || !layers.some(({ folder }) => existsSync(join(folder, 'root', parent)))) {
      lacking(
        `Nothing says what ${path} is: create ${join(own, 'root', path)}, or write ${path} (or a directory above it) into ${own}/absent.txt.`,
      );
    }
    return found;
  };

  const deniedBecause = (what: string): string | undefined => layers.find(({ denied }) => denied.has(what))?.denied.get(what);

  function look<T>(path: string, make: (files: string[]) => T | null): Reading<T> {
    asked.push(path);
    const because = deniedBecause(path);
    if (because !== undefined) return { state: 'failed', source: path, because };
    const files = standing(path);
    if (files.length === 0) return { state: 'absent', source: path };
    try {
      const value = make(files);
      return value === null ? { state: 'absent', source: path } : { state: 'present', value, source: path };
    } catch (error) {
      return { state: 'failed', source: path, because: (error as Error).message };
    }
  }

  async function run(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const command = argv.join(' ');
    asked.push(command);
    if (options.input !== undefined && !asksOnly(argv))
      return lacking(`\`${command}\` was given something to read: a recorded router cannot be changed.`);
    const name = commandFile(argv, options.input);
    const refusal = deniedBecause(command);
    if (refusal !== undefined) return { state: 'exited', command, code: 1, stdout: '', stderr: refusal + '\n' };
    for (const { folder, absent } of layers) {
      const file = join(folder, 'run', name);
      if (existsSync(file)) {
        try {
          const beside = (ending: string): string | null => textFile(join(folder, 'run'), name.replace(/txt$/, ending));
          const said = beside('stderr.txt') ?? '';
          const code = Number(beside('exit.txt') ?? 0);
          return { state: 'exited', command, code, stdout: decode(selected(readFileSync(file), options, MOST_SAID)), stderr: said };
        } catch (error) {
          return { state: 'failed', command, because: `its output was not read to the end: ${(error as Error).message}` };
        }
      }
      if (absent.has(argv[0] as string)) return { state: 'absent', command };
    }
    return lacking(
      `Nothing says what \`${command}\` answers: create ${join(own, 'run', name)}, ` +
        `or write ${argv[0]} into ${own}/absent.txt, or "${command}: REASON" into ${own}/denied.txt.`,
    );
  }

  const refuse =
    (what: string) =>
    async (path: string): Promise<never> =>
      lacking(`${what} ${path}: a recorded router cannot be changed.`);

  return {
    asked,
    unanswered,
    run,
    async read(path, options = {}) {
      return look(path, ([file = '']) => {
        if (isDirectory(file)) throw new Error('it is a directory (EISDIR)');
        return decode(selected(readFileSync(file), options, MOST_READ));
      });
    },
    async list(path) {
      return look(path, (files) => {
        const names = new Set(files.filter(isDirectory).flatMap((folder) => readdirSync(folder)));
        return [...names].filter((entry) => entry !== KEEP && standing(join(path, entry)).length > 0).sort();
      });
    },
    async kind(path) {
      return look(path, ([file = '']) => (isDirectory(file) ? 'directory' : 'file'));
    },
    write: refuse('write'),
    narrow: refuse('narrow'),
    poke: refuse('poke'),
    remove: refuse('remove'),
    lock: refuse('lock'),
    addresses: () => addressesOf(layers),
    now: () => NOW,
    process: () => ({ pid: 4242, uid: Number(linesOf(own, 'uid.txt')[0] ?? 0) }),
  };
}

/** The folders that are routers of their own; those in `bases` are what others are like. */
export function routerNames(): string[] {
  return fs
    .readdirSync(ROUTERS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'bases')
    .map(({ name }) => name)
    .sort();
}
