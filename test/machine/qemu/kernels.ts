/** The kernels the virtual machine boots, and their modules. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { alone } from './alone.ts';
import { must, unpackDependency } from './debian.ts';

/**
 * Kernels by line. 6.1 (Debian 12) and 6.12 (Debian 13) bracket OpenWrt 24.10's 6.6; 25.12 has 6.12 itself.
 * Both have both SIP modules as modules. Debian's cloud flavour is small, and lacks PPP; the whole one has a router's ways out.
 */
export const KERNELS = [
  { line: '6.1', release: 'bookworm', metapackage: 'linux-image-cloud-amd64', folder: 'kernel-6.1' },
  { line: '6.12', release: 'trixie', metapackage: 'linux-image-amd64', folder: 'kernel-6.12-amd64' },
] as const;

export type Line = (typeof KERNELS)[number]['line'];

export type Kernel = {
  readonly line: Line;
  readonly version: string; // as uname -r says it
  readonly package: string; // the Debian package and its version
  readonly image: string; // path of vmlinuz
  readonly builtIn: readonly string[];
  has(name: string): boolean;
  /** The bytes of a module; undefined if this kernel has it built in. */
  module(name: string): Module | undefined;
};

export type Module = {
  readonly name: string;
  readonly bytes: Buffer;
  readonly depends: readonly string[];
  readonly aliases: readonly string[];
};

export const CACHE = '.cache/vm';
/** Held by whoever makes something for that folder. */
export const LOCK = `${CACHE}/making`;

/** The kernel of a line, downloaded once. */
export function kernelOf(line: Line): Kernel {
  const { release, metapackage, ...kept } = KERNELS.find((each) => each.line === line)!;
  const folder = `${CACHE}/${kept.folder}`;
  if (!existsSync(`${folder}/package.txt`))
    alone(LOCK, () => {
      if (existsSync(`${folder}/package.txt`)) return;
      const name = unpackDependency(release, metapackage, `${CACHE}/apt-${release}`, `${folder}.new`);
      writeFileSync(`${folder}.new/package.txt`, name + '\n');
      must('rm', ['-rf', folder]);
      renameSync(`${folder}.new`, folder);
    });
  const image = readdirSync(`${folder}/boot`).find((name) => name.startsWith('vmlinuz-'))!;
  const version = image.slice('vmlinuz-'.length);
  const store = [`${folder}/lib/modules/${version}`, `${folder}/usr/lib/modules/${version}`].find((path) => existsSync(path));
  if (store === undefined) throw new Error(`${folder} holds no modules of ${version}; remove it to download it again.`);
  const files = new Map(
    (readdirSync(store, { recursive: true }) as string[])
      .filter((path) => /\.ko(\.xz)?$/.test(path))
      .map((path) => [
        basename(path)
          .replace(/\.ko(\.xz)?$/, '')
          .replaceAll('-', '_'),
        `${store}/${path}`,
      ]),
  );
  const builtIn = new Set(
    readFileSync(`${store}/modules.builtin`, 'utf8')
      .split('\n')
      .map((path) => basename(path, '.ko').replaceAll('-', '_')),
  );
  const read = new Map<string, Module>();
  return {
    line,
    version,
    package: readFileSync(`${folder}/package.txt`, 'utf8').trim(),
    image: `${folder}/boot/${image}`,
    builtIn: [...builtIn].filter((name) => name !== '').sort(),
    has: (name) => files.has(name),
    module(name) {
      const known = read.get(name);
      if (known) return known;
      const path = files.get(name);
      if (path === undefined) {
        if (builtIn.has(name)) return undefined;
        throw new Error(`Linux ${version} has no module '${name}', neither loadable nor built in.`);
      }
      const bytes = bare(path.endsWith('.xz') ? unxz(path) : readFileSync(path));
      const module: Module = { name, bytes, ...information(bytes) };
      read.set(name, module);
      return module;
    },
  };
}

/** The modules named and all they depend on, each after its dependencies. A name with '?' is one that not every kernel has. */
export function withDependencies(kernel: Kernel, names: readonly string[]): Module[] {
  const found = new Map<string, Module>();
  const take = (name: string): void => {
    if (found.has(name)) return;
    if (name.endsWith('?') && !kernel.has(name.slice(0, -1))) return;
    const module = kernel.module(name.replace('?', ''));
    if (!module) return;
    for (const other of module.depends) take(other);
    found.set(module.name, module);
  };
  for (const name of names) take(name);
  return [...found.values()];
}

function unxz(path: string): Buffer {
  const { error, status, stdout, stderr } = spawnSync('xz', ['-dc', path], { maxBuffer: 1 << 26, timeout: 60_000 });
  if (error) throw new Error(`xz could not be started (${error.message}); Debian has it in xz-utils.`);
  if (status !== 0) throw new Error(`${path} could not be unpacked: ${stderr.toString().trim()}`);
  return stdout;
}

// The section .modinfo is a row of texts KEY=VALUE, each ended by a zero byte (include/linux/moduleinfo.h).
function information(bytes: Buffer): { depends: string[]; aliases: string[] } {
  const text = bytes.toString('latin1');
  const depends = /\0depends=([^\0]*)\0/.exec(text)?.[1] ?? '';
  return {
    depends: depends
      .split(',')
      .filter((name) => name !== '')
      .map((name) => name.replaceAll('-', '_')),
    aliases: [...text.matchAll(/\0alias=([^\0]*)(?=\0)/g)].map((found) => found[1]!),
  };
}

const SIGNED = '~Module signature appended~\n';

/**
 * A module as OpenWrt builds it: without a signature (kernel, scripts/sign-file.c: the last bytes are the signature, 12 bytes that end
 * with its length, big-endian, and SIGNED) and without types for eBPF (a section `.BTF`, found by its name). To check the one and to
 * read the other takes an emulated processor longer than all else at the loading of a module.
 */
export function bare(module: Buffer): Buffer {
  const at = module.length - SIGNED.length;
  const end = module.toString('latin1', Math.max(at, 0)) === SIGNED ? at - 12 - module.readUInt32BE(at - 4) : module.length;
  const bytes = Buffer.from(module.subarray(0, end));
  for (let name = bytes.indexOf('\0.BTF\0'); name !== -1; name = bytes.indexOf('\0.BTF\0', name + 1)) bytes.write('X', name + 2);
  return bytes;
}
