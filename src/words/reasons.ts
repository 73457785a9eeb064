/**
 * Why something could not be read or run, as doors say it (host/errno.ts, engines/): told by the text, for it comes from
 * below everything that has codes. What a tool or the kernel itself has said is nobody's to translate.
 */
import { say } from './say.ts';
import type { Coded, Said } from './say.ts';

/** Of a router. */
const REASONS: readonly Said[] = [
  say('because-denied', 'permission denied; run as root (EACCES)'),
  say('because-not-permitted', 'not permitted; run as root (EPERM)'),
  say('because-read-only', 'the file system is read-only (EROFS)'),
  say('because-no-space', 'no space is left on the device (ENOSPC)'),
  say('because-quota', 'the disk quota is used up (EDQUOT)'),
  say('because-directory', 'it is a directory (EISDIR)'),
  say('because-no-directory', 'part of its path is no directory (ENOTDIR)'),
  say('because-missing', 'no such file or directory (ENOENT)'),
  say('because-links', 'too many symbolic links (ELOOP)'),
  say('because-io', 'input/output error (EIO)'),
  say('because-value', 'the kernel takes no such value (EINVAL)'),
  say('because-root', 'only root may ask'),
  say('because-not-installed', 'it is not installed'),
  say('because-large', 'it holds more than {bytes} bytes'),
  say('because-exit', 'it ended with exit code {number}'),
  say('because-exit-said', 'it ended with exit code {number}: {said}'),
  say('because-killed', 'it was ended by {signal}'),
  say('because-uncounted', 'it ended with exit code 0 and did not say how many flows it has shown'),
  say('because-built-in', 'the kernel does not show whether nf_nat_sip is part of it'),
  say('because-no-answer', '{what}: no answer within {number} ms'),
  say('because-no-name', '{name} does not exist (NXDOMAIN)'),
  say('because-no-record', '{name} has no {type} record'),
  say('because-no-address', '{name} has no address'),
  say('because-no-server', '{name}: there is no name server'),
  say('because-address', '{given} is no address and no network, such as 203.0.113.0/24 or 2001:db8::/32'),
  say('because-prefix', '{given} is an {family} network, whose prefix has {bits} bits at most'),
  say('because-too-wide', '{given} covers too much of the internet; a prefix has {bits} bits at least'),
  say('because-nobodys', "{given} is {what}, or holds it, and that is no provider's"),
  say('because-time-out', 'it did not end within {seconds} s and was killed'),
  say('because-cut-output', 'its output was not read to the end: {because}'),
  say('because-broken-off', 'it was broken off'),
  say('because-waited', 'it was not begun: the {seconds} s for all waiting are over'),
  say('because-no-json', 'nft did not print JSON: {said}'),
  say('because-quote', 'a quote is never closed in {text}'),
  say('because-nul', 'a NUL character has no place in a UCI file'),
  say('because-before-section', '{statement} stands before the first section, in {text}'),
  say(
    'because-legacy',
    'the kernel holds a table raw of the legacy flavour of {tool}, which nothing installed here shows; install {package}',
  ),
  say(
    'because-target',
    'a rule in it has the target CT of {tool}, which may set a helper and which nothing installed here shows; install {package}',
  ),
  say('because-journal-json', 'it is no JSON; it may have been cut short'),
  say('because-journal-format', 'it is not a journal of format 1, the only one this version of sipalg reads'),
  say('because-journal-entries', 'its entries are not what sipalg writes'),
  say(
    'because-no-voice',
    'the voice firewall rules live in a file beside the program, and that could not be loaded: {why}. Install sipalg again',
  ),
  say('because-long-line', 'it is longer than {bytes} bytes'),
  say('because-form', 'it is neither "blacklist NAME" nor "options NAME ARGUMENT..."'),
  say('because-time-over', '{name}: the time was over ({seconds} s for all names)'),
  say('because-server-says', '{name}: {server} says {said}'),
  say('because-no-nslookup', '{name}: there is no nslookup here to ask with; OpenWrt has it in busybox'),
  say('because-not-there', '{source} is not there'),
  say('because-unread', '{source} could not be read: {because}'),
  say('because-tool-not-installed', '{tool} is not installed'),
  say('because-command-exit', '`{command}` ended with exit code {number}'),
  say('because-command-exit-said', '`{command}` ended with exit code {number}: {said}'),
  say('because-command', '`{command}`: {because}'),
  say('because-no-place', '{given} is no place to listen; {allowed}'),
  say('because-place', 'it must be an address and a port, such as 127.0.0.1:8061, 192.168.1.1:8061 or [::1]:8061'),
  say('left-table', 'The table {table} could not be taken away: `{command}` does it.'),
  say('left-device', 'The device {device} could not be taken away: `{command}` does it.'),
  say(
    'left-flows',
    'Flows of {address}, an address of a test, could not be ended and go by themselves within minutes: conntrack is not installed.',
  ),
  say('left-killed', 'A run of sipalg that was killed (process {process}) had left things of a test: they are taken away.'),
  say('record-gone', 'The table {table} is gone: somebody has flushed all tables meanwhile (`/etc/init.d/firewall stop` does).'),
  say('record-silent', '`{command}` did not answer.'),
  say('record-refused', 'nft did not take the table of a test: {said}'),
  say('because-no-shell', 'there is no shell'),
  say('because-script', 'the script ended with {code}'),
  say('because-no-carrier', 'nothing is connected to {device}'),
  say(
    'because-spanning-tree',
    'the bridge {bridge} does not let a new port speak at once (state {state}): with the spanning tree that takes twice its forward delay',
  ),
  say('because-in-line', 'line {line}: {because}'),
];

const pattern = (template: string): RegExp =>
  new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>.+?)')}$`, 's');

/** The reason of a text by its code; null: it is nobody's of ours. */
export type ReasonIn = (text: string) => Coded | null;

export function reasonsWith(more: readonly Said[] = []): ReasonIn {
  const all = [...REASONS, ...more];
  let patterns: RegExp[] | null = null;
  return (text) => {
    patterns ??= all.map((one) => pattern(one.text));
    for (const [at, { code }] of all.entries()) {
      const found = patterns[at]?.exec(text);
      if (found) return { code, parameters: { ...found.groups } };
    }
    return null;
  };
}
