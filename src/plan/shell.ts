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
