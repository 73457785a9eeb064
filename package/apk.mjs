// Packages for OpenWrt 25.12 and later, by the tool `apk` of version 3 (apk mkpkg): the format is its own. What OpenWrt's
// build puts inside besides (package-pack.mk) is made here: under /lib/apk/packages the lists by which OpenWrt's own
// functions find init scripts, and sysupgrade a changed configuration file; and the scripts that call those functions.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** @typedef {import('./contents.mjs').Package} Package @typedef {import('./contents.mjs').Release} Release */

/** @returns {{ path: string } | { because: string }} the tool; or why there is none, in a sentence */
export function findApk() {
  const path = process.env['APK'] || 'apk';
  const { error, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  if (error === undefined && /^apk-tools 3\./.test(stdout)) return { path };
  const found = error === undefined ? `"${path}" is ${stdout.trim().split('\n')[0] || 'something else'}` : `"${path}" was not found`;
  return {
    because: `No .apk was made: that takes the tool apk of version 3 (apk-tools), and ${found}. Put it into PATH, or its path into the environment variable APK.`,
  };
}

const LIBRARY = (/** @type {string} */ name) => `[ -s \${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. \${IPKG_INSTROOT}/lib/functions.sh
export root="\${IPKG_INSTROOT}"
export pkgname="${name}"
`;

/** A script without the line that names its shell. */
const body = (/** @type {string | undefined} */ script) => (script ?? '').replace(/^#!.*\n/, '');

/** What apk runs, by the moment. @param {Package} wanted @returns {Record<string, string>} */
export function scripts({ name, postinst, prerm }) {
  const installed = `[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0
${LIBRARY(name)}add_group_and_user
default_postinst
${body(postinst)}`;
  return {
    'post-install': `#!/bin/sh\n${installed}`,
    'post-upgrade': `#!/bin/sh\nexport PKG_UPGRADE=1\n${installed}`,
    'pre-deinstall': `#!/bin/sh\n${LIBRARY(name)}default_prerm\n${body(prerm)}`,
  };
}

/** The files of the package and the lists OpenWrt wants beside them. @param {Package} wanted @returns {Package['files']} */
export function files({ name, files: own, conffiles }) {
  const lists = `/lib/apk/packages/${name}`;
  const text = (/** @type {string[]} */ lines) => ({ bytes: Buffer.from(lines.map((line) => line + '\n').join('')), mode: 0o644 });
  const sum = (/** @type {string} */ path) =>
    createHash('sha256')
      .update(own.get(path)?.bytes ?? '')
      .digest('hex');
  const all = new Map(own).set(`${lists}.list`, text([...own.keys()].sort()));
  if (conffiles.length === 0) return all;
  return all
    .set(`${lists}.conffiles`, text(conffiles))
    .set(`${lists}.conffiles_static`, text(conffiles.map((path) => `${path} ${sum(path)}`)));
}

/**
 * @param {Package} wanted @param {Release} release
 * @returns {string[]} what `apk mkpkg` is told about the package
 */
export const info = (wanted, { version }) => [
  `name:${wanted.name}`,
  `version:${version}`,
  `description:${wanted.description.join(' ')}`,
  'arch:noarch',
  `license:${wanted.license}`,
  `origin:${wanted.name}`,
  `depends:${wanted.depends.map(({ name, least }) => (least === undefined ? name : `${name}>=${least}`)).join(' ')}`,
];

/**
 * @param {Package} wanted @param {Release} release @param {string} tool
 * @returns {[file: string, bytes: Buffer]}
 */
export function apk(wanted, release, tool) {
  const folder = mkdtempSync(join(tmpdir(), 'sipalg-apk-'));
  try {
    const put = (/** @type {string} */ path, /** @type {string | Buffer} */ bytes, /** @type {number} */ mode) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
      chmodSync(path, mode);
    };
    for (const [path, { bytes, mode }] of files(wanted)) put(`${folder}/root${path}`, bytes, mode);
    for (const [moment, script] of Object.entries(scripts(wanted))) put(`${folder}/${moment}`, script, 0o755);
    // Folders are packed with their modes, and the umask has had its say in those.
    const chmod = spawnSync('find', [`${folder}/root`, '-type', 'd', '-exec', 'chmod', '755', '{}', '+'], { encoding: 'utf8' });
    if (chmod.status !== 0)
      throw new Error(`The folders of ${wanted.name} could not be given their modes: ${chmod.error?.message ?? chmod.stderr}`);
    const file = `${wanted.name}-${release.version}.apk`;
    const argv = [
      tool,
      'mkpkg',
      ...info(wanted, release).flatMap((one) => ['--info', one]),
      ...Object.keys(scripts(wanted)).flatMap((moment) => ['--script', `${moment}:${folder}/${moment}`]),
      '--files',
      `${folder}/root`,
      '--output',
      `${folder}/${file}`,
    ];
    // Owners are packed by name: whoever is not root is, for as long as that takes.
    const [command = '', ...words] = process.getuid?.() === 0 ? argv : ['unshare', '--map-root-user', ...argv];
    const { error, status, stderr } = spawnSync(command, words, {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, SOURCE_DATE_EPOCH: String(release.time) },
    });
    if (error !== undefined || status !== 0) throw new Error(`\`apk mkpkg\` made no ${file}: ${error?.message ?? stderr.trim()}`);
    return [file, readFileSync(`${folder}/${file}`)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
