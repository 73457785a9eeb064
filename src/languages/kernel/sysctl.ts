/** sysctl.conf(5), as OpenWrt's busybox applies it at boot: `key = value`, `#` and `;` open comments. */

export interface SysctlLine {
  /** Counted from 1. */
  line: number;
  /** With dots: net.netfilter.nf_conntrack_helper */
  key: string;
  value: string;
  /** The whole line, without its newline. */
  text: string;
}

/** The settings of a file; a line that is none is passed over, as sysctl itself does. */
export function parseSysctl(text: string): SysctlLine[] {
  return text.split('\n').flatMap((written, index): SysctlLine[] => {
    const found = /^[ \t]*-?[ \t]*([^\s#;=]+)[ \t]*=[ \t]*(.*?)[ \t\r]*$/.exec(written);
    return found === null
      ? []
      : [{ line: index + 1, key: (found[1] as string).replaceAll('/', '.'), value: found[2] as string, text: written }];
  });
}

/** The text with one key set to another value wherever it is set; other bytes stay. */
export function setSysctl(text: string, key: string, value: string): string {
  const lines = text.split('\n');
  for (const one of parseSysctl(text)) {
    if (one.key !== key) continue;
    const head = /^[^=]*=[ \t]*/.exec(one.text)?.[0] ?? '';
    lines[one.line - 1] = head + value + one.text.slice(head.length + one.value.length);
  }
  return lines.join('\n');
}
