/** What the next boot would load, and what must not be loaded: /etc/modules.d, /etc/modules-boot.d, /etc/modules.conf. */
import type { Host, Reading } from '../host/host.ts';
import { parseAutoload, parseModulesConf } from '../languages/kernel/autoload.ts';
import { parseSysctl } from '../languages/kernel/sysctl.ts';
import type { Autoload, Blacklist, Facts } from './facts.ts';
import { REWRITER, TRACKER } from './modules.ts';
import { orElse, present, understood } from './reading.ts';

export const MODULES_CONF = '/etc/modules.conf';
const LOADERS = ['/sbin/kmodloader', '/usr/sbin/kmodloader'];
const FOLDERS = ['/etc/modules-boot.d', '/etc/modules.d'];

async function observeAutoload(host: Host): Promise<Reading<Autoload[]>> {
  const found: Autoload[] = [];
  let any = false;
  for (const folder of FOLDERS) {
    const names = await host.list(folder);
    if (names.state === 'failed') return names;
    if (names.state === 'absent') continue;
    any = true;
    for (const name of names.value) {
      const file = `${folder}/${name}`;
      const lines = understood(await host.read(file), parseAutoload);
      if (lines.state === 'failed') return lines;
      if (lines.state === 'absent') continue;
      found.push(
        ...lines.value
          .filter(({ module }) => module === TRACKER || module === REWRITER)
          .map(({ line, module, args }) => ({ file, line, module, args })),
      );
    }
  }
  return any ? present(FOLDERS[1] as string, found) : { state: 'absent', source: FOLDERS[1] as string };
}

function blacklistOf(text: string): Blacklist {
  const { lines } = parseModulesConf(text);
  return {
    text,
    modules: lines.flatMap((line) => (line.kind === 'blacklist' ? [line.module] : [])),
    dangerous: lines.flatMap((line) =>
      line.kind === 'dangerous' ? [{ line: line.line, text: line.text.trim(), because: line.because }] : [],
    ),
  };
}

/** Releases up to 22.03 have a kmodloader that knows no blacklist; the name of the file is in one that does. */
async function observeLoader(host: Host): Promise<Facts['boot']['loader']> {
  for (const path of LOADERS) {
    const file = await host.read(path, { select: { holding: [MODULES_CONF] } });
    if (file.state !== 'absent') return understood(file, (text) => ({ readsBlacklist: text !== '' }));
  }
  return { state: 'absent', source: LOADERS[0] as string };
}

/** The sysctl that makes the kernel set helpers by itself (kernels up to 5.15). */
export const AUTOMATIC_KEY = 'net.netfilter.nf_conntrack_helper';

/** /etc/init.d/sysctl applies the folder in order, then the file. */
async function observeAutomatic(host: Host): Promise<Facts['boot']['automatic']> {
  const folder = '/etc/sysctl.d';
  const names = await host.list(folder);
  if (names.state === 'failed') return names;
  const files = [
    ...orElse(names, [])
      .filter((name) => name.endsWith('.conf'))
      .map((name) => `${folder}/${name}`),
    '/etc/sysctl.conf',
  ];
  const found: { file: string; line: number; value: string; text: string }[] = [];
  for (const file of files) {
    const text = await host.read(file);
    if (text.state === 'failed') return text;
    if (text.state === 'absent') continue;
    const lines = parseSysctl(text.value).filter(({ key, value }) => key === AUTOMATIC_KEY && value !== '0');
    found.push(...lines.map(({ line, value }) => ({ file, line, value, text: text.value })));
  }
  return present(folder, found);
}

export async function observeBoot(host: Host): Promise<Facts['boot']> {
  return {
    autoload: await observeAutoload(host),
    blacklist: understood(await host.read(MODULES_CONF), blacklistOf),
    loader: await observeLoader(host),
    automatic: await observeAutomatic(host),
  };
}
