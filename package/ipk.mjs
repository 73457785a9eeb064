// Packages as OpenWrt's ipkg-build makes them and opkg reads them: gzip'd tar of debian-binary, data.tar.gz and
// control.tar.gz; and the index that makes a folder a feed (ipkg-make-index.sh).
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { dependsOf } from './contents.mjs';
import { tar, tree } from './tar.mjs';

/** @typedef {import('./contents.mjs').Package} Package @typedef {import('./contents.mjs').Release} Release */

/** gzip -n9: no name, no time. The header's system byte is set, for Node's depends on where it was built. @param {Buffer} bytes */
export function gzip(bytes) {
  const packed = gzipSync(bytes, { level: 9, memLevel: 9 });
  packed[9] = 3; // Unix
  return packed;
}

/** What opkg runs: OpenWrt's own functions, which know init scripts and call `NAME.postinst-pkg` and `NAME.prerm-pkg`. */
const LIBRARY = `[ -s \${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. \${IPKG_INSTROOT}/lib/functions.sh
`;
export const POSTINST = `#!/bin/sh
[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0
${LIBRARY}default_postinst $0 $@
`;
export const PRERM = `#!/bin/sh
${LIBRARY}default_prerm $0 $@
`;

/**
 * The control file, with a place for what only the index says.
 * @param {Package} wanted @param {Release} release @param {number} installed bytes of the unpacked data archive
 * @param {string[]} indexed lines that stand before the description
 */
export function control(wanted, release, installed, indexed = []) {
  return [
    `Package: ${wanted.name}`,
    `Version: ${release.version}`,
    `Depends: ${dependsOf(wanted, 'opkg', release).join(', ')}`,
    // Not SourceName and SourceDateEpoch, as the SDK has them: opkg takes both for Source, and warns when the later is longer.
    'Source: package/sipalg',
    `License: ${wanted.license}`,
    'LicenseFiles: LICENSE',
    `Section: ${wanted.section}`,
    'Architecture: all',
    `Installed-Size: ${installed}`,
    ...indexed,
    `Description:  ${wanted.description.join('\n ')}`,
    '',
  ].join('\n');
}

/**
 * @param {Package} wanted @param {Release} release
 * @returns {{ file: string, bytes: Buffer, entry: string }} the package's file name and bytes, and its entry in an index
 */
export function ipk(wanted, release) {
  const text = (/** @type {string} */ value, mode = 0o644) => ({ bytes: Buffer.from(value), mode });
  const data = tar(tree(wanted.files), release.time);
  /** @type {Map<string, { bytes: Buffer, mode: number }>} */
  const about = new Map([
    ['/control', text(control(wanted, release, data.length))],
    ['/postinst', text(POSTINST, 0o755)],
    ['/prerm', text(PRERM, 0o755)],
  ]);
  if (wanted.conffiles.length > 0) about.set('/conffiles', text(wanted.conffiles.map((path) => path + '\n').join('')));
  if (wanted.preinst !== undefined) about.set('/preinst', text(wanted.preinst, 0o755));
  if (wanted.postinst !== undefined) about.set('/postinst-pkg', text(wanted.postinst, 0o755));
  if (wanted.prerm !== undefined) about.set('/prerm-pkg', text(wanted.prerm, 0o755));
  const member = (/** @type {string} */ name, /** @type {Buffer} */ bytes) => ({
    path: `./${name}`,
    type: /** @type {const} */ ('file'),
    mode: 0o644,
    bytes,
  });
  const bytes = gzip(
    tar(
      [
        member('debian-binary', Buffer.from('2.0\n')),
        member('data.tar.gz', gzip(data)),
        member('control.tar.gz', gzip(tar(tree(about), release.time))),
      ],
      release.time,
    ),
  );
  const file = `${wanted.name}_${release.version}_all.ipk`;
  const sum = createHash('sha256').update(bytes).digest('hex');
  return { file, bytes, entry: control(wanted, release, data.length, [`Filename: ${file}`, `Size: ${bytes.length}`, `SHA256sum: ${sum}`]) };
}

/** The text of `Packages`. @param {readonly { entry: string }[]} packages */
export const index = (packages) => packages.map(({ entry }) => entry + '\n').join('');
