// Packages of another Debian release, unpacked into a folder and never installed: apt runs with lists, sources and caches of
// its own, and the machine's configuration stays as it is. They come from the archive this machine's own apt uses.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const KEY = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The archive that the machine's package sources name first. @returns {{ uri: string, key: string } | undefined} */
function archive(folder = '/etc/apt') {
  const parts = existsSync(`${folder}/sources.list.d`)
    ? readdirSync(`${folder}/sources.list.d`)
        .sort()
        .map((name) => `${folder}/sources.list.d/${name}`)
    : [];
  for (const path of [`${folder}/sources.list`, ...parts].filter((one) => existsSync(one))) {
    const text = readFileSync(path, 'utf8');
    const uri = path.endsWith('.sources') ? /^URIs:\s*(\S+)/im.exec(text)?.[1] : /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s/m.exec(text)?.[1];
    const key = /^Signed-By:\s*(\/\S+)/im.exec(text)?.[1] ?? /signed-by=(\/\S+?)[\],\s]/.exec(text)?.[1];
    if (uri !== undefined) return { uri, key: key ?? KEY };
  }
  return undefined;
}

/** @param {string} command @param {string[]} argv @param {string} [cwd] */
function must(command, argv, cwd) {
  const { error, status, stderr, stdout } = spawnSync(command, argv, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (error !== undefined || status !== 0)
    throw new Error(`'${command} ${argv.join(' ')}' failed: ${error?.message ?? (stderr.trim() || stdout.trim())}`);
}

/**
 * @param {string} release such as trixie
 * @param {readonly string[]} packages as apt takes them; NAME:ARCHITECTURE for another one
 * @param {string} folder absolute; made anew, and only when all of it is there
 * @param {readonly string[]} [architectures] foreign ones the lists are wanted of
 * @throws {Error} a sentence
 */
export function unpackRelease(release, packages, folder, architectures = []) {
  const from = archive();
  if (from === undefined)
    throw new Error(
      `The machine's package sources (/etc/apt) name no Debian archive, so ${packages.join(', ')} of ${release} cannot be had.`,
    );
  const apt = `${folder}.apt`;
  rmSync(apt, { recursive: true, force: true });
  for (const name of ['parts', 'lists/partial', 'cache/archives/partial', 'root']) mkdirSync(`${apt}/${name}`, { recursive: true });
  writeFileSync(
    `${apt}/parts/debian.sources`,
    `Types: deb\nURIs: ${from.uri}\nSuites: ${release}\nComponents: main\nSigned-By: ${from.key}\n`,
  );
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': `${apt}/parts`,
    'Dir::State::lists': `${apt}/lists`,
    'Dir::Cache': `${apt}/cache`,
    'APT::Sandbox::User': 'root',
    'Acquire::Retries': '2',
    'Acquire::Languages': 'none',
  };
  const options = [
    '-qq',
    ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    ...architectures.flatMap((one) => ['-o', `APT::Architectures::=${one}`]),
  ];
  must('apt-get', [...options, 'update']);
  must('apt-get', [...options, 'download', ...packages], apt);
  for (const file of readdirSync(apt).filter((name) => name.endsWith('.deb'))) must('dpkg', ['-x', `${apt}/${file}`, `${apt}/root`]);
  rmSync(folder, { recursive: true, force: true });
  renameSync(`${apt}/root`, folder);
  rmSync(apt, { recursive: true, force: true });
}
