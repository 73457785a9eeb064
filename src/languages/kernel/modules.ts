/**
 * Which kernel modules there are: `/proc/modules`, `/sys/module`, and the lists
 * a kernel's module folder keeps (`modules.builtin`, `modules.dep`).
 */
import { Refused, quote } from '../refused.ts';

/** One line of `/proc/modules` (kernel/module/procfs.c, `m_show`). */
export interface LoadedModule {
  name: string;
  /** Bytes of memory. */
  size: number;
  /** Null where the kernel was built without unloading (`-`). It is -1 for a moment while a module goes away. */
  refcount: number | null;
  /**
   * Modules that use this one. `[permanent]` stands among them, as the kernel
   * writes it, where the module has no way out (init without exit).
   */
  holders: string[];
  state: 'Live' | 'Loading' | 'Unloading';
}

/**
 * `/proc/modules`: `name size refcount holder,holder,|- state address (taints)`;
 * the last two columns may be missing.
 *
 * @throws Refused for a line that is not like that
 */
export function parseProcModules(text: string): LoadedModule[] {
  const modules: LoadedModule[] = [];
  text.split('\n').forEach((written, index) => {
    if (written.trim() === '') return;
    const line = index + 1;
    const [name = '', size = '', refcount = '', holders = '', state = ''] = written.trim().split(/[ \t]+/, 5);
    const bytes = whole(size);
    const count = refcount === '-' ? null : whole(refcount);
    if (!isName(name) || bytes === undefined || bytes < 0 || count === undefined || holders === '') {
      throw new Refused(
        `${quote(written)} is not a line of /proc/modules; a line there is ` + '"name size refcount holders state address"',
        line,
      );
    }
    if (state !== 'Live' && state !== 'Loading' && state !== 'Unloading') {
      throw new Refused(`${quote(state)} is no state of a module in /proc/modules; ` + 'it is Live, Loading or Unloading', line);
    }
    const names = holders === '-' ? [] : holders.split(',').filter((holder) => holder !== '');
    modules.push({ name, size: bytes, refcount: count, holders: names, state });
  });
  return modules;
}

/**
 * `/sys/module/X/refcnt`: one whole number; -1 while the module goes away.
 *
 * @throws Refused for anything else
 */
export function parseCount(text: string): number {
  const count = whole(text.trim());
  if (count === undefined) {
    throw new Refused(`${quote(text)} is not a count; a file named refcnt holds one whole number`, 1);
  }
  return count;
}

/**
 * `/sys/module/X/parameters/Y`: one value, without its final newline.
 *
 * @throws Refused for more than one line, or a NUL
 */
export function parseParameter(text: string): string {
  const value = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (value.includes('\n') || value.includes('\0')) {
    throw new Refused(`${quote(text)} is not a module parameter; a parameter is one value on one line`, 1);
  }
  return value;
}

/**
 * `/lib/modules/REL/modules.builtin`: the modules that are part of the kernel, by
 * name (the file's stem, `-` turned to `_`, as the kernel itself names them).
 *
 * @throws Refused for a line that names no `.ko`
 */
export function parseBuiltin(text: string): string[] {
  const stems: string[] = [];
  text.split('\n').forEach((written, index) => {
    const path = written.trim();
    if (path !== '') stems.push(stemOf(path, index + 1, 'modules.builtin'));
  });
  return stems;
}

/**
 * `/lib/modules/REL/modules.dep`: name (as in {@link parseBuiltin}) to path as
 * written, which kmod keeps relative to that folder and busybox absolute. OpenWrt
 * has no such file: kmodloader looks at the folder itself.
 *
 * @throws Refused for a line that is not `path.ko: paths`
 */
export function parseDependencies(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  text.split('\n').forEach((written, index) => {
    if (written.trim() === '') return;
    const colon = written.indexOf(':');
    if (colon < 0) {
      throw new Refused(`${quote(written)} has no colon; a line of modules.dep is "path.ko: path.ko path.ko"`, index + 1);
    }
    const path = written.slice(0, colon).trim();
    paths.set(stemOf(path, index + 1, 'modules.dep'), path);
  });
  return paths;
}

/** The name of the module a path leads to: `a/b/crc-ccitt.ko.xz` is `crc_ccitt`. */
function stemOf(path: string, line: number, file: string): string {
  const last = path.slice(path.lastIndexOf('/') + 1);
  const end = last.indexOf('.ko');
  const stem = end < 0 ? '' : last.slice(0, end).replaceAll('-', '_');
  if (!isName(stem)) {
    throw new Refused(`${quote(path)} in ${file} does not name a module; a module's file ends in .ko`, line);
  }
  return stem;
}

function isName(text: string): boolean {
  return text !== '' && text.length < 256 && /^[\x21-\x7e]+$/.test(text);
}

function whole(text: string): number | undefined {
  return text.length <= 15 && /^-?[0-9]+$/.test(text) ? Number(text) : undefined;
}
