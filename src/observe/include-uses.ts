/** What files of somebody's own that the firewall loads or runs do with the SIP helper: read where there are any. */
import type { Host } from '../host/host.ts';
import { commandsOf } from '../languages/shell/script.ts';
import type { ScriptCommand, Word } from '../languages/shell/script.ts';
import { scanSource } from '../languages/nft/source.ts';
import type { SourceUse } from '../languages/nft/source.ts';
import type { FirewallUci, IncludeUse } from './facts.ts';
import { expand, Unreadable } from './include-files.ts';
import { isSipHelper } from './nft.ts';
import { orElse } from './reading.ts';

const MOST_FILES = 200;

/** Names that mean SIP without any file having said so: the firewall's own object. */
const OWN_OBJECT = 'sip';

/** @param sources files of the firewall's own transaction @throws Unreadable */
export async function usesIn(host: Host, sources: readonly string[], uci: FirewallUci): Promise<IncludeUse[]> {
  const scanned: { file: string; uses: SourceUse[] }[] = [];
  const waiting = [...sources];
  const seen = new Set<string>();
  while (waiting.length > 0 && seen.size < MOST_FILES) {
    const file = waiting.shift() as string;
    if (seen.has(file)) continue;
    seen.add(file);
    const text = await sourceOf(host, file);
    if (text === null) continue;
    const uses = scanSource(text);
    scanned.push({ file, uses });
    for (const use of uses) if (use.kind === 'includes') waiting.push(...(await expand(host, use.pattern)));
  }
  if (waiting.some((file) => !seen.has(file)))
    throw new Unreadable(waiting[0] as string, `more than ${MOST_FILES} files are included, and it was not looked at any more`);
  const declared = scanned.flatMap(({ uses }) => uses.flatMap((use) => (use.kind === 'declares' && use.type !== null ? [use] : [])));
  const sip = new Set(declared.filter(({ type }) => isSipHelper(type as string)).map(({ name }) => name));
  // fw4 declares `sip` itself, unless a file declares that name for another helper.
  if (!declared.some(({ name }) => name === OWN_OBJECT)) sip.add(OWN_OBJECT);
  const found = scanned.flatMap(({ file, uses }) =>
    uses.flatMap((use): IncludeUse[] => {
      const { line, text } = use;
      if (use.kind === 'declares' && isSipHelper(use.type ?? '')) return [{ file, line, text, kind: 'declares', name: use.name }];
      const name = use.kind === 'assigns' ? use.objects.find((object) => sip.has(object)) : undefined;
      return name === undefined ? [] : [{ file, line, text, kind: 'assigns', name }];
    }),
  );
  const scripts = uci.includes.filter(({ type }) => type !== 'nftables').map(({ path }) => path);
  const run = new Scripts(host);
  for (const file of scripts) await run.file(file);
  return [...found, ...run.found];
}

/** A file's text; null where it is not there, or is no file: a directory cannot be run or loaded. */
async function sourceOf(host: Host, file: string): Promise<string | null> {
  const text = await host.read(file);
  if (text.state === 'present') return text.value;
  if (text.state === 'absent' || orElse(await host.kind(file), 'file') === 'directory') return null;
  throw new Unreadable(file, text.because);
}

/** Commands that only say something, and programs whose words are no files to be run. */
const SILENT = /^(echo|printf|logger|test|\[|:|true|false|exit|return|uci|grep|sed|awk|rm|cat|touch|mkdir|sleep|insmod|rmmod|modprobe)$/;

/** Scripts that the firewall runs, and what they run and load in their turn; each file once. */
class Scripts {
  readonly found: IncludeUse[] = [];
  private readonly host: Host;
  private readonly seen = new Set<string>();
  /** Objects that were declared for SIP on the way; `sip` is the firewall's own. */
  private readonly objects = new Set([OWN_OBJECT]);

  constructor(host: Host) {
    this.host = host;
  }

  async file(file: string): Promise<void> {
    if (this.seen.has(file)) return;
    if (this.seen.size >= MOST_FILES)
      throw new Unreadable(file, `more than ${MOST_FILES} files are included, and it was not looked at any more`);
    this.seen.add(file);
    const text = await sourceOf(this.host, file);
    if (text !== null) await this.script(text, file);
  }

  /** @param line for a text that a line of the file holds */
  private async script(text: string, file: string, line: number | null = null): Promise<void> {
    for (const command of commandsOf(text)) await this.command({ ...command, line: line ?? command.line }, file);
  }

  private async command(command: ScriptCommand, file: string): Promise<void> {
    const { words, input } = command;
    const name = (words[0]?.texts[0] ?? '').replace(/^.*\//, '');
    const known = (at: number): string[] => (words[at]?.open === false ? words[at].texts : []);
    if (SILENT.test(name)) return;
    if (name === '.' || name === 'source') for (const path of known(1)) await this.other(path, file);
    else if (/^(ba|a|da|)sh$/.test(name)) {
      const at = words.findIndex((word, place) => place > 0 && !word.texts[0]?.startsWith('-'));
      if (words.some(({ texts }) => texts.includes('-c'))) for (const text of known(at)) await this.script(text, file, command.line);
      else for (const path of known(at)) await this.other(path, file);
      if (at < 0 && input !== null) await this.script(input, file, command.line);
    } else if (name === 'eval') await this.script(textsOf(words.slice(1)).join('\n'), file, command.line);
    else if (name === 'nft') await this.nft(command, file);
    else if (/tables(-legacy|-nft)?-restore$/.test(name)) {
      const at = words.findIndex(({ texts }) => texts.includes('<'));
      const saved = at < 0 ? [] : await Promise.all(known(at + 1).map((path) => sourceOf(this.host, path)));
      if ([input, ...saved].some((text) => /-j CT [^\n]*--helper[ =]"?sip/.test(text ?? ''))) this.use(command, file);
    } else if (setsByIptables(words)) this.use(command, file);
    else if (!/^\/(usr\/)?s?bin\//.test(words[0]?.texts[0] ?? ''))
      for (const path of known(0)) if (path.startsWith('/')) await this.other(path, file);
  }

  /** A name without a slash is looked for in the folder of who names it, as far as that can be told. */
  private async other(path: string, from: string): Promise<void> {
    await this.file(path.startsWith('/') ? path : `${from.slice(0, from.lastIndexOf('/'))}/${path.replace(/^\.\//, '')}`);
  }

  private async nft(command: ScriptCommand, file: string): Promise<void> {
    const { words, input } = command;
    const isFile = ({ texts }: Word): boolean => texts.some((text) => /^-[a-z]*f$|^--file$|^<$/.test(text));
    const files = words.flatMap((word, at) => (isFile(word) ? [words[at + 1]] : []));
    if (files.length === 0)
      this.rules(
        textsOf(words.slice(1)).join('\n'),
        command,
        file,
        words.some(({ open }) => open),
      );
    for (const path of files.flatMap((word) => (word?.open === false ? word.texts : [])))
      if (path !== '-' && path !== '/dev/stdin') await this.source(path, command, file);
    if (input !== null) this.rules(input, command, file, false);
  }

  private async source(path: string, command: ScriptCommand, file: string): Promise<void> {
    if (this.seen.has(path) || this.seen.size >= MOST_FILES) return;
    this.seen.add(path);
    const text = await sourceOf(this.host, path);
    if (text === null) return;
    this.rules(text, command, file, false);
    for (const use of scanSource(text))
      if (use.kind === 'includes') for (const one of await expand(this.host, use.pattern)) await this.source(one, command, file);
  }

  /** @param open something in the text is not known */
  private rules(text: string, command: ScriptCommand, file: string, open: boolean): void {
    for (const use of scanSource(text)) {
      if (use.kind === 'declares' && isSipHelper(use.type ?? '')) this.objects.add(use.name);
      const sets = use.kind === 'assigns' && (open || use.objects.length === 0 || use.objects.some((object) => this.objects.has(object)));
      if (sets || (use.kind === 'declares' && isSipHelper(use.type ?? ''))) return this.use(command, file);
    }
  }

  private use({ line, text }: ScriptCommand, file: string): void {
    if (!this.found.some((one) => one.file === file && one.line === line)) this.found.push({ file, line, text, kind: 'runs', name: null });
  }
}

/** The texts that words come to, side by side: of those that may stand for several, the nth with the nth. */
function textsOf(words: readonly Word[]): string[] {
  const most = Math.max(1, ...words.map(({ texts }) => texts.length));
  return Array.from({ length: most }, (_, nth) => words.map(({ texts }) => texts[Math.min(nth, texts.length - 1)] ?? '').join(' '));
}

/** `-j CT --helper sip`, or a helper whose name does not show; `-m helper --helper sip` only asks. */
function setsByIptables(words: readonly Word[]): boolean {
  const target = words.findIndex(({ texts }, at) => at > 0 && texts.includes('CT') && /^(-j|--jump)$/.test(words[at - 1]?.texts[0] ?? ''));
  if (target < 0) return false;
  return words.slice(target).some(({ texts, open }, at, all) => {
    const before = all[at - 1]?.texts[0];
    if (before === '--helper') return open || texts.some((text) => isSipHelper(text.trim()));
    return texts.some((text) => text.startsWith('--helper=') && (open || isSipHelper(text.slice('--helper='.length))));
  });
}
