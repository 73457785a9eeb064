/**
 * Are nf_conntrack_sip and nf_nat_sip in the kernel, and how?
 *
 * /proc/modules lists what was loaded and can be unloaded. A built-in tracker
 * shows as /sys/module/nf_conntrack_sip without `initstate` (it has parameters);
 * a built-in nf_nat_sip, having none, shows nowhere in /sys and must be looked
 * for in the kernel's list of built-ins, its configuration, or its symbols.
 */
import type { Host, Reading } from '../host/host.ts';
import { parseBuiltin, parseCount, parseDependencies, parseParameter, parseProcModules } from '../languages/kernel/modules.ts';
import type { LoadedModule } from '../languages/kernel/modules.ts';
import type { Facts, Module } from './facts.ts';
import { answered, orElse, present, understood } from './reading.ts';

export const TRACKER = 'nf_conntrack_sip';
export const REWRITER = 'nf_nat_sip';

/** Sources of a module's file name, in the order kmodloader and kmod know them. */
const SUFFIXES = ['.ko', '.ko.xz', '.ko.gz', '.ko.zst'];

async function fileOf(host: Host, name: string, release: string): Promise<string | null> {
  if (release === '') return null;
  const folder = `/lib/modules/${release}`;
  const flat = orElse(await host.list(folder), []);
  for (const suffix of SUFFIXES) if (flat.includes(name + suffix)) return `${folder}/${name}${suffix}`;
  const lines = await host.read(`${folder}/modules.dep`, { select: { holding: [name, name.replaceAll('_', '-')] } });
  const path = orElse(understood(lines, parseDependencies), new Map<string, string>()).get(name);
  return path === undefined ? null : path.startsWith('/') ? path : `${folder}/${path}`;
}

async function parametersOf(host: Host, name: string): Promise<Record<string, string>> {
  const folder = `/sys/module/${name}/parameters`;
  const parameters: Record<string, string> = {};
  for (const parameter of orElse(await host.list(folder), [])) {
    const value = understood(await host.read(`${folder}/${parameter}`), parseParameter);
    if (value.state === 'present') parameters[parameter] = value.value;
  }
  return parameters;
}

/** Whether a module that shows nowhere is part of the kernel all the same. */
async function isBuiltin(host: Host, name: string, release: string): Promise<Reading<boolean>> {
  const listed = understood(await host.read(`/lib/modules/${release}/modules.builtin`), parseBuiltin);
  if (listed.state === 'present') return present(listed.source, listed.value.includes(name));
  const option = `CONFIG_${name.toUpperCase()}=`;
  const config = answered(await host.run(['gzip', '-cd', '/proc/config.gz'], { select: { holding: ['CONFIG_NF_NAT='].concat(option) } }));
  if (config.state === 'present' && config.value !== '') return present('/proc/config.gz', config.value.includes(`${option}y`));
  const symbols = await host.read('/proc/kallsyms', { select: { holding: [` ${name}_`, ` __pfx_${name}_`] } });
  return understood(symbols, (text) => text !== '');
}

async function moduleOf(host: Host, name: string, loaded: Reading<LoadedModule[]>, release: string): Promise<Reading<Module>> {
  const source = `/sys/module/${name}`;
  if (loaded.state === 'failed') return loaded;
  const folder = await host.kind(source);
  if (folder.state === 'failed') return folder;
  const row = orElse(loaded, []).find((module) => module.name === name);
  const file = await fileOf(host, name, release);
  const plain = { name, refcount: null, holders: [], parameters: {}, file };
  if (row) {
    const count = understood(await host.read(`${source}/refcnt`), parseCount);
    const holders = orElse(await host.list(`${source}/holders`), row.holders);
    const parameters = await parametersOf(host, name);
    return present(loaded.source, { ...plain, state: 'loaded', refcount: orElse(count, row.refcount), holders, parameters });
  }
  if (folder.state === 'present') {
    // Loaded modules have it; a built-in one does not (kernel/module/sysfs.c, kernel/params.c).
    const state = await host.kind(`${source}/initstate`);
    if (state.state === 'failed') return state;
    return present(source, {
      ...plain,
      state: state.state === 'present' ? 'loaded' : 'built in',
      parameters: await parametersOf(host, name),
    });
  }
  return present(loaded.state === 'present' ? loaded.source : source, { ...plain, state: file === null ? 'not there' : 'on disk' });
}

/** Looks at both modules. */
export async function observeModules(host: Host, release: string): Promise<Facts['modules']> {
  const loaded = understood(await host.read('/proc/modules'), parseProcModules);
  const tracker = await moduleOf(host, TRACKER, loaded, release);
  let rewriter = await moduleOf(host, REWRITER, loaded, release);
  // Only next to a built-in tracker can the rewriter be built in.
  if (
    tracker.state === 'present'
    && tracker.value.state === 'built in'
    && rewriter.state === 'present'
    && rewriter.value.state !== 'loaded'
  ) {
    const builtin = await isBuiltin(host, REWRITER, release);
    const { value } = rewriter;
    if (builtin.state !== 'present') {
      rewriter = { state: 'failed', source: builtin.source, because: 'the kernel does not show whether nf_nat_sip is part of it' };
    } else if (builtin.value) {
      rewriter = present(builtin.source, { ...value, state: 'built in' });
    }
  }
  const rom = await host.kind('/rom/lib/modules');
  const inImage = rom.state === 'present' ? await host.kind(`/rom/lib/modules/${release}/${TRACKER}.ko`) : rom;
  return {
    tracker,
    rewriter,
    inImage:
      rom.state !== 'present' ? { state: 'absent', source: '/rom' } : present(`/rom/lib/modules/${release}`, inImage.state === 'present'),
  };
}
