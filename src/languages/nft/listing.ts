/**
 * What `nft -a list ruleset` prints (nft(8), "LIST"). It is nft's own lossless
 * form of a rule: what stands between the indentation and `# handle N` can be
 * given back to nft as it is. The JSON says what a rule means; this says how to
 * write it again.
 */

/** The rules of one chain, in order. */
export interface ListedChain {
  family: string;
  table: string;
  chain: string;
  rules: { handle: number; text: string }[];
}

/** Reads a listing with handles. Lines that are no rule are passed over. */
export function parseListing(text: string): ListedChain[] {
  const reader = createListingReader(() => true);
  for (const line of text.split('\n')) reader.take(line);
  return reader.end();
}

export interface ListingReader {
  /** The next line, without its newline. */
  take(line: string): void;
  end(): ListedChain[];
  /** Tables of which nothing is in force until they are woken ("flags dormant"), as `family table`. */
  readonly dormant: ReadonlySet<string>;
}

/** The same line by line. @param keep says which chains are wanted */
export function createListingReader(keep: (chain: { family: string; table: string; chain: string }) => boolean): ListingReader {
  const chains: ListedChain[] = [];
  const dormant = new Set<string>();
  let family = '';
  let table = '';
  let current: ListedChain | null = null;
  function take(line: string): void {
    // Most lines are of chains that nobody asks for.
    if (current === null && line.startsWith('\t\t')) return;
    const opensTable = /^table (\S+) (\S+) \{/.exec(line);
    if (opensTable) {
      family = opensTable[1] as string;
      table = opensTable[2] as string;
      current = null;
      return;
    }
    const opensChain = /^\tchain (\S+) \{/.exec(line);
    if (opensChain) {
      const chain = { family, table, chain: opensChain[1] as string, rules: [] };
      current = keep(chain) ? chain : null;
      if (current !== null) chains.push(current);
      return;
    }
    // nft 1.0.6 has no word for it in its JSON that would be right.
    if (/^\tflags (\S+ *, *)*dormant\b/.test(line)) dormant.add(`${family} ${table}`);
    if (line === '\t}' || line === '}') {
      current = null;
      return;
    }
    if (current === null) return;
    // The handle is what stands last: a comment may well hold "# handle 3" itself.
    const at = line.lastIndexOf(' # handle ');
    if (at < 0 || !line.startsWith('\t\t')) return;
    const handle = line.slice(at + ' # handle '.length);
    if (/^\d+$/.test(handle)) current.rules.push({ handle: Number(handle), text: line.slice(2, at) });
  }
  return { take, end: () => chains, dormant };
}

/** A rule's text without what counts while it stands there: two listings of one rule compare equal. */
export function withoutCounters(text: string): string {
  return text
    .replace(/\bcounter packets \d+ bytes \d+/g, 'counter')
    .replace(/\bquota( over| until)? (\d+ \w+) used \d+ \w+/g, 'quota$1 $2');
}

/**
 * Takes elements out of the anonymous map with which a rule sets helpers:
 * `ct helper set udp dport map { 21 : "ftp", 5060 : "sip" }`.
 * @param goes says for an object's name whether its elements go
 * @returns the rule's new text; null when no element would be left, and so no rule
 */
export function withoutMapElements(text: string, goes: (object: string) => boolean): string | null {
  const set = text.indexOf('ct helper set ');
  const open = set < 0 ? -1 : text.indexOf(' map {', set);
  if (open < 0) return text;
  const start = open + ' map {'.length;
  const elements: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = start;
  let end = -1;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') quoted = !quoted;
    if (quoted) continue;
    if (char === '{') depth++;
    if (char === '}' && depth-- === 0) {
      end = at;
      break;
    }
    if (char === ',' && depth === 0) {
      elements.push(text.slice(from, at));
      from = at + 1;
    }
  }
  if (end < 0) return text;
  elements.push(text.slice(from, end));
  const kept = elements.filter((element) => {
    const value = /:\s*"([^"]*)"\s*$/.exec(element);
    return !(value && goes(value[1] as string));
  });
  if (kept.length === elements.length) return text;
  if (kept.length === 0) return null;
  return `${text.slice(0, start)} ${kept.map((element) => element.trim()).join(', ')} ${text.slice(end)}`;
}
