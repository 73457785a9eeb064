/** What the next boot would load, and what must not be loaded: /etc/modules.d, /etc/modules-boot.d, /etc/modules.conf. */
import type { Host, Reading } from '../host/host.ts';
import { parseAutoload, parseModulesConf } from '../kernel/autoload.ts';
import type { Autoload, Blacklist, Facts } from './facts.ts';
import { REWRITER, TRACKER } from './modules.ts';
import { present, understood } from './reading.ts';

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
      found.push(...lines.value.filter(({ module }) => module === TRACKER || module === REWRITER)
        .map(({ line, module, args }) => ({ file, line, module, args })));
    }
  }
  return any ? present(FOLDERS[1] as string, found) : { state: 'absent', source: FOLDERS[1] as string };
}

function blacklistOf(text: string): Blacklist {
  const { lines } = parseModulesConf(text);
  return {
    text,
    modules: lines.flatMap((line) => line.kind === 'blacklist' ? [line.module] : []),
    dangerous: lines.flatMap((line) => line.kind === 'dangerous' ? [{ line: line.line, text: line.text.trim(), because: line.because }] : []),
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

export async function observeBoot(host: Host): Promise<Facts['boot']> {
  return {
    autoload: await observeAutoload(host),
    blacklist: understood(await host.read(MODULES_CONF), blacklistOf),
    loader: await observeLoader(host),
  };
}
