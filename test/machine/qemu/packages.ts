/**
 * Packages for the stand-ins of opkg and apk (managers/): the ones an image carries, and archives to install.
 * An .ipk is OpenWrt's format (include/package-pack.mk, scripts/ipkg-build). An .apk here is not apk's container but a
 * tar with the same contents, scripts and lists as OpenWrt's build puts into one.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { must } from './debian.ts';

export type Manager = 'opkg' | 'apk';

export type Package = {
  readonly name: string;
  readonly version: string;
  readonly depends?: readonly string[];
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly conffiles?: readonly string[];
  /** Maintainer scripts of the package's own, by opkg's names: preinst, postinst-pkg, prerm-pkg, postrm. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Paths that are programs. */
  readonly programs?: readonly string[];
};

const HEAD =
  '#!/bin/sh\n[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n. ${IPKG_INSTROOT}/lib/functions.sh\n';
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const lines = (of: readonly string[]): string => of.map((line) => line + '\n').join('');

/** A package file for a manager: its bytes. */
export function archive(manager: Manager, one: Package): Buffer {
  return manager === 'opkg' ? ipk(one) : apk(one);
}

export function ipk(one: Package): Buffer {
  return inFolder((folder) => {
    const control: Record<string, string> = {
      control: `Package: ${one.name}\nVersion: ${one.version}\n${one.depends ? `Depends: ${one.depends.join(', ')}\n` : ''}Architecture: all\nDescription: of the lab\n`,
      postinst: `${HEAD}default_postinst $0 $@\n`,
      prerm: `${HEAD.replace(/^\[ "\$\{IPKG_NO.*\n/m, '')}default_prerm $0 $@\n`,
      ...(one.conffiles ? { conffiles: lines(one.conffiles) } : {}),
      ...one.scripts,
    };
    fill(`${folder}/data`, one.files, one.programs);
    fill(
      `${folder}/control`,
      control,
      Object.keys(control).filter((name) => name !== 'control' && name !== 'conffiles'),
    );
    writeFileSync(`${folder}/debian-binary`, '2.0\n');
    for (const part of ['data', 'control']) tar(`${folder}/${part}`, `${folder}/${part}.tar.gz`, ['.']);
    tar(folder, `${folder}/ipk`, ['./debian-binary', './data.tar.gz', './control.tar.gz']);
    return readFileSync(`${folder}/ipk`);
  });
}

export function apk(one: Package): Buffer {
  return inFolder((folder) => {
    const own = (name: string): string => (one.scripts?.[name] ?? '').replace(/^#!.*\n/gm, '');
    const about = `export root="\${IPKG_INSTROOT}"\nexport pkgname="${one.name}"\n`;
    const install = `${HEAD}${about}add_group_and_user\ndefault_postinst\n${own('postinst-pkg')}`;
    const all: Record<string, string | Uint8Array> = {
      ...one.files,
      ...lists(one),
      '.name': one.name,
      '.version': one.version,
      '.post-install': install,
      '.post-upgrade': `#!/bin/sh\nexport PKG_UPGRADE=1\n${install.replace(/^#!.*\n/, '')}`,
      '.pre-deinstall': `${HEAD.replace(/^\[ "\$\{IPKG_NO.*\n/m, '')}${about}default_prerm\n${own('prerm-pkg')}`,
      ...(one.scripts?.['preinst'] === undefined
        ? {}
        : {
            '.pre-install': one.scripts['preinst'],
            '.pre-upgrade': `#!/bin/sh\nexport PKG_UPGRADE=1\n${own('preinst')}`,
          }),
      ...(one.scripts?.['postrm'] === undefined ? {} : { '.post-deinstall': one.scripts['postrm'] }),
    };
    fill(`${folder}/all`, all, one.programs);
    tar(`${folder}/all`, `${folder}/apk`, ['.']);
    return readFileSync(`${folder}/apk`);
  });
}

/** An .ipk taken apart, so that the same package can be made for the other manager. */
export function openIpk(bytes: Uint8Array): Package {
  return inFolder((folder) => {
    writeFileSync(`${folder}/ipk`, bytes);
    must('tar', ['-xzf', `${folder}/ipk`, '-C', folder]);
    for (const part of ['data', 'control']) {
      mkdirSync(`${folder}/${part}`);
      must('tar', ['-xzf', `${folder}/${part}.tar.gz`, '-C', `${folder}/${part}`]);
    }
    const text = (name: string): string | undefined =>
      existsSync(`${folder}/control/${name}`) ? readFileSync(`${folder}/control/${name}`, 'utf8') : undefined;
    const control = text('control')!;
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(control)?.[1];
    const files = filesIn(`${folder}/data`);
    const scripts = ['preinst', 'postinst-pkg', 'prerm-pkg', 'postrm'].flatMap((name) => {
      const script = text(name);
      return script === undefined ? [] : [[name, script] as const];
    });
    return {
      name: field('Package')!,
      version: field('Version')!,
      depends: (field('Depends') ?? '')
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
      files,
      conffiles: (text('conffiles') ?? '').split('\n').filter((line) => line !== ''),
      programs: Object.keys(files).filter((path) => (statSync(`${folder}/data${path}`).mode & 0o111) !== 0),
      scripts: Object.fromEntries(scripts),
    };
  });
}

/** What the managers find when the router is new: the packages of its image, by path. */
export function installed(manager: Manager, packages: readonly Package[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const one of packages) {
    if (manager === 'opkg') {
      const sums = (one.conffiles ?? []).map((path) => ` ${path} ${sha256(one.files[path]!)}\n`);
      files['/usr/lib/opkg/status'] = `${files['/usr/lib/opkg/status'] ?? ''}Package: ${one.name}\nVersion: ${one.version}\n${
        one.depends ? `Depends: ${one.depends.join(', ')}\n` : ''
      }Status: install user installed\n${sums.length > 0 ? `Conffiles:\n${sums.join('')}` : ''}\n`;
      files[`/usr/lib/opkg/info/${one.name}.list`] = lines(Object.keys(one.files));
    } else {
      const all = { ...one.files, ...lists(one) };
      files[`/lib/apk/db/lab/${one.name}/version`] = one.version + '\n';
      files[`/lib/apk/db/lab/${one.name}/sums`] = lines(Object.entries(all).map(([path, bytes]) => `${sha256(bytes)}  ${path}`));
      Object.assign(files, lists(one));
    }
  }
  return files;
}

// OpenWrt's build puts these inside the package: its scripts and sysupgrade read them.
function lists(one: Package): Record<string, string> {
  const conffiles = one.conffiles ?? [];
  return {
    [`/lib/apk/packages/${one.name}.list`]: lines(Object.keys(one.files).sort()),
    ...(conffiles.length === 0
      ? {}
      : {
          [`/lib/apk/packages/${one.name}.conffiles`]: lines(conffiles),
          [`/lib/apk/packages/${one.name}.conffiles_static`]: lines(conffiles.map((path) => `${path} ${sha256(one.files[path]!)}`)),
        }),
  };
}

function filesIn(folder: string): Record<string, Uint8Array> {
  return Object.fromEntries(
    (readdirSync(folder, { recursive: true }) as string[])
      .sort()
      .filter((name) => statSync(`${folder}/${name}`).isFile())
      .map((name) => [`/${name}`, readFileSync(`${folder}/${name}`)]),
  );
}

function fill(folder: string, files: Readonly<Record<string, string | Uint8Array>>, programs: readonly string[] = []): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, bytes] of Object.entries(files)) {
    const to = path.startsWith('/') ? folder + path : `${folder}/${path}`;
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, bytes);
    if (programs.includes(path)) chmodSync(to, 0o755);
  }
}

function tar(folder: string, to: string, names: readonly string[]): void {
  must('tar', ['--format=gnu', '--numeric-owner', '--owner=0', '--group=0', '--sort=name', '-czf', to, '-C', folder, ...names]);
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(`${tmpdir()}/sipalg-package-`);
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
