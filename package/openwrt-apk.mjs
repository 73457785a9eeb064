// Packages for OpenWrt 25.12 and later, as its build makes them (include/package-pack.mk): under /lib/apk/packages the
// lists by which OpenWrt's own functions find init scripts, and sysupgrade a changed configuration file; and scripts that
// call those functions. The format itself is apk.mjs's.
import { createHash } from 'node:crypto';
import { writePackage } from './apk.mjs';
import { dependsOf } from './contents.mjs';

/** @typedef {import('./contents.mjs').Package} Package @typedef {import('./contents.mjs').Release} Release */

const LIBRARY = (/** @type {string} */ name) => `[ -s \${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. \${IPKG_INSTROOT}/lib/functions.sh
export root="\${IPKG_INSTROOT}"
export pkgname="${name}"
`;

/** A script without the line that names its shell. */
const body = (/** @type {string | undefined} */ script) => (script ?? '').replace(/^#!.*\n/, '');

/**
 * What apk runs, by the moment. None of them fails: after a post-install that did, every later `apk add` and `apk del` of
 * any package ends with an error, and nothing is undone by it. An upgrade runs the new package's post-upgrade alone.
 * @param {Package} wanted @returns {Record<string, string>}
 */
export function scripts({ name, preinst, postinst, prerm }) {
  const installed = `[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0
${LIBRARY(name)}add_group_and_user
default_postinst
${body(postinst)}exit 0
`;
  return {
    ...(preinst === undefined ? {} : { 'pre-install': preinst, 'pre-upgrade': `#!/bin/sh\nexport PKG_UPGRADE=1\n${body(preinst)}` }),
    'post-install': `#!/bin/sh\n${installed}`,
    'post-upgrade': `#!/bin/sh\nexport PKG_UPGRADE=1\n${installed}`,
    'pre-deinstall': `#!/bin/sh\n${LIBRARY(name)}default_prerm\n${body(prerm)}exit 0\n`,
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
 * What is said about the package. Names are those of OpenWrt's packages without an ABI version (`node`, `quickjs`): the
 * others cannot be asked for with a version by their plain names.
 * @param {Package} wanted @param {Release} release @returns {import('./apk.mjs').Info}
 */
export const info = (wanted, release) => ({
  name: wanted.name,
  version: release.version,
  license: wanted.license,
  description: wanted.description.join(' '),
  arch: 'noarch',
  origin: wanted.name,
  provides: wanted.provides ?? [],
  depends: dependsOf(wanted, 'apk', release),
});

/**
 * @param {Package} wanted @param {Release} release @param {import('./apk.mjs').Options} [options]
 * @returns {{ file: string, bytes: Buffer }} named as apk looks for it beside an index
 */
export const apk = (wanted, release, options = {}) => ({
  file: `${wanted.name}-${release.version}.apk`,
  bytes: writePackage({ info: info(wanted, release), files: files(wanted), scripts: scripts(wanted), time: release.time }, options),
});
