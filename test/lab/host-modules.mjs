// Where the SIP helper is a loadable module it belongs to the whole machine, not to a namespace: a lab that loads it,
// or in which it is unloaded, changes the host. So a program that opens a lab on a person's machine remembers how it
// was and puts it back. Where the helper is built in there is nothing to do. Plain Node, without any package.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const NAMES = ['nf_conntrack_sip', 'nf_nat_sip']; // the second needs the first

/** @returns {string[]} which of them are loaded as modules */
function loaded() {
  if (!existsSync('/proc/modules')) return [];
  const lines = readFileSync('/proc/modules', 'utf8').split('\n');
  return NAMES.filter((name) => lines.some((line) => line.startsWith(`${name} `)));
}

/**
 * @returns {() => Promise<string | undefined>} puts the modules back as they are now; answers with a sentence when
 *   that could not be done. To be called when the lab is closed.
 */
export function rememberModules() {
  const before = loaded();
  return async () => {
    // The kernel takes a namespace's rules away a moment after its last process, and they hold the module till then.
    for (let tries = 0; tries < 30; tries++) {
      const now = loaded();
      const missing = NAMES.filter((name) => before.includes(name) && !now.includes(name));
      const surplus = NAMES.filter((name) => !before.includes(name) && now.includes(name)).reverse();
      if (missing.length === 0 && surplus.length === 0) return undefined;
      for (const name of missing) spawnSync('modprobe', [name]);
      for (const name of surplus) spawnSync('rmmod', [name]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return (
      `The kernel modules of the SIP helper are not as they were: loaded before were ${before.join(', ') || 'none'}, `
      + `now ${loaded().join(', ') || 'none'}. Use modprobe and rmmod to put them back.`
    );
  };
}
