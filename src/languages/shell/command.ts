/** Commands in a form one could type into a POSIX shell. */

/** One word, quoted where a shell would see more in it than it is. */
export function word(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function line(argv: readonly string[]): string {
  return argv.map(word).join(' ');
}

/** nft takes several commands in one argument, as one transaction. */
export function nftLine(script: string): string {
  return `nft ${word(script.trimEnd().split('\n').join('; '))}`;
}

/** What iptables-restore would read, line by line. */
export function restoreLine(restore: string, script: string): string {
  return `printf '%s\\n' ${script.trimEnd().split('\n').map(word).join(' ')} | ${restore} --noflush`;
}

/** A file of more lines than this is printed as a whole where it changes. */
const MOST_LINES = 2000;

/** For each line of `to`, the line of `from` it is (longest common subsequence); -1 for a new one. */
function kept(from: readonly string[], to: readonly string[]): number[] {
  const width = to.length + 1;
  const length = new Uint16Array((from.length + 1) * width);
  for (let at = from.length - 1; at >= 0; at--) {
    for (let by = to.length - 1; by >= 0; by--) {
      length[at * width + by] =
        from[at] === to[by]
          ? (length[(at + 1) * width + by + 1] as number) + 1
          : Math.max(length[(at + 1) * width + by] as number, length[at * width + by + 1] as number);
    }
  }
  let at = 0;
  return to.map((text, by) => {
    while (at < from.length && from[at] !== text && (length[(at + 1) * width + by] as number) >= (length[at * width + by + 1] as number))
      at++;
    return from[at] === text ? at++ : -1;
  });
}

/**
 * An edit of a file's lines with sed, which GNU's and busybox's read alike:
 * lines that go are deleted, new ones are put behind the line they follow.
 */
export function editLine(path: string, before: string, after: string): string {
  // Both end in a newline where it matters below, and nothing is behind that.
  const [from, to] = [before, after].map((text) => text.replace(/\n$/, '').split('\n')) as [string[], string[]];
  const whole = `printf %s ${word(after)} > ${path}`;
  // sed can neither fill an empty file nor leave a last line open.
  if (from.length > MOST_LINES || to.length > MOST_LINES || !before.endsWith('\n') || !after.endsWith('\n')) return whole;
  const places = kept(from, to);
  const stays = new Set(places);
  const first: string[] = [];
  const edits: string[] = [];
  for (let at = 0; at < from.length; at++) {
    if (stays.has(at)) continue;
    const start = at;
    while (at + 1 < from.length && !stays.has(at + 1)) at++;
    edits.push(start === at ? `${at + 1}d` : `${start + 1},${at + 1}d`);
  }
  let last = -1;
  for (const [by, place] of places.entries()) {
    if (place >= 0) {
      last = place;
    } else {
      const text = (to[by] as string).replaceAll('\\', '\\\\');
      const put = last < 0 ? '1i\\' : `${last + 1}a\\`;
      const where = last < 0 ? first : edits; // a line that is deleted is done with: what goes before it goes first
      // Right behind "a\", nothing and a backslash are taken for something else; on a line of its own any text is text.
      if (text === '') where.push(put, '', '');
      else if (text.startsWith('\\')) where.push(put, text);
      else where.push(put + text);
    }
  }
  return `sed -i ${[...first, ...edits].map((edit) => `-e ${word(edit)}`).join(' ')} ${path}`;
}
