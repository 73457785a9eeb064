/**
 * Packages of a Debian release, unpacked into a folder of the project and never installed: the kernels of the
 * virtual machine. They come from the archive this machine's own apt uses; apt runs with lists, sources and
 * caches of its own, so that the machine's configuration and lists stay as they are.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

type Archive = { readonly uri: string; readonly key: string };

const KEY = '/usr/share/keyrings/debian-archive-keyring.gpg';
const RELEASES = /^(bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)$/;

/** The Debian archive named in the machine's package sources; undefined where none is. */
export function archive(folder = '/etc/apt'): Archive | undefined {
  const parts = existsSync(`${folder}/sources.list.d`) ? readdirSync(`${folder}/sources.list.d`).sort() : [];
  for (const name of parts.filter((part) => part.endsWith('.sources'))) {
    for (const stanza of readFileSync(`${folder}/sources.list.d/${name}`, 'utf8').split(/\n\s*\n/)) {
      const field = (key: string): string[] =>
        (new RegExp(`^${key}:(.*)$`, 'im').exec(stanza)?.[1] ?? '')
          .trim()
          .split(/\s+/)
          .filter((word) => word !== '');
      const uri = field('URIs')[0];
      if (uri !== undefined && field('Suites').some((suite) => RELEASES.test(suite)) && field('Enabled')[0] !== 'no') {
        return { uri, key: field('Signed-By')[0] ?? KEY };
      }
    }
  }
  for (const path of [`${folder}/sources.list`, ...parts.map((part) => `${folder}/sources.list.d/${part}`)]) {
    if (!path.endsWith('.list') || !existsSync(path)) continue;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const found = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s/.exec(line);
      if (!found || !RELEASES.test(found[3]!)) continue;
      return { uri: found[2]!, key: /signed-by=(\S+)/.exec(found[1] ?? '')?.[1] ?? KEY };
    }
  }
  return undefined;
}

/**
 * Downloads and unpacks what a package depends on directly, as a kernel's metapackage names the kernel itself.
 * @param cache  where apt may keep its lists of this release
 * @param folder where the package is unpacked; made anew
 * @returns the package's name and version
 */
export function unpackDependency(release: string, metapackage: string, cache: string, folder: string): string {
  const from = archive();
  if (!from) {
    throw new Error(`The machine's package sources (/etc/apt) name no Debian archive, so ${metapackage} of ${release} cannot be had.`);
  }
  const apt = `${process.cwd()}/${cache}`;
  for (const name of ['parts', 'lists/partial', 'cache/archives/partial']) mkdirSync(`${apt}/${name}`, { recursive: true });
  writeFileSync(
    `${apt}/parts/debian.sources`,
    `Types: deb\nURIs: ${from.uri}\nSuites: ${release}\nComponents: main\nSigned-By: ${from.key}\n`,
  );
  const options = [
    '-qq',
    '-o',
    `Dir::Etc::sourcelist=/dev/null`,
    '-o',
    `Dir::Etc::sourceparts=${apt}/parts`,
    '-o',
    `Dir::State::lists=${apt}/lists`,
    '-o',
    `Dir::Cache=${apt}/cache`,
    '-o',
    'APT::Sandbox::User=root',
    '-o',
    'Acquire::Retries=2',
    '-o',
    'Acquire::Languages=none',
  ];
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  must('apt-get', [...options, 'update'], folder);
  const name = /^\s*Depends: (\S+)$/m.exec(must('apt-cache', [...options, 'depends', metapackage], folder))?.[1];
  if (name === undefined) throw new Error(`${metapackage} of ${release} depends on no package; a kernel was expected.`);
  must('apt-get', [...options, 'download', name], folder);
  const file = readdirSync(folder).find((each) => each.endsWith('.deb'));
  if (file === undefined) throw new Error(`apt-get downloaded ${name} and left no file.`);
  must('dpkg', ['-x', file, '.'], folder);
  rmSync(`${folder}/${file}`);
  return file.split('_').slice(0, 2).join(' ');
}

/** Runs a program that has to succeed. */
export function must(command: string, argv: readonly string[], cwd = process.cwd()): string {
  const { error, status, stdout, stderr } = spawnSync(command, argv, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 1 << 26,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (error) throw new Error(`${command} could not be started: ${error.message}`);
  if (status !== 0) throw new Error(`${command} ${argv.join(' ')} failed (${status}): ${stderr.trim() || stdout.trim()}`);
  return stdout;
}
