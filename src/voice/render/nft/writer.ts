/** The parts of a text for nft: what it matches in packets, and its lines by kind and name. */

/** Of all hooks: see table.ts. */
export const PRIORITY = -140;

/** ASCII as nft matches it in a payload. */
const bytes = (text: string): string => `0x${[...text].map((char) => char.charCodeAt(0).toString(16)).join('')}`;
/** What a UDP payload holds `at` so many bytes: @th counts bits from the UDP header, which has 64. */
export const begins = (text: string, at = 0): string => `@th,${64 + 8 * at},${text.length * 8} ${bytes(text)}`;

export const FAMILIES = [
  { family: 'ipv4', number: 4, ip: 'ip', type: 'ipv4_addr', source: 'ip saddr' },
  // Who has one IPv6 address has 2^64 of them.
  { family: 'ipv6', number: 6, ip: 'ip6', type: 'ipv6_addr', source: 'ip6 saddr & ffff:ffff:ffff:ffff::' },
] as const;
export type FamilyNames = (typeof FAMILIES)[number];

/** Neighbouring ports as ranges: one range is compared, more are looked up. */
export function portMatch(ports: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const port of [...new Set(ports)].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === port - 1) last[1] = port;
    else ranges.push([port, port]);
  }
  const texts = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return texts.length === 1 ? (texts[0] as string) : `{ ${texts.join(', ')} }`;
}

/**
 * A port of ours at one side of a packet. Every packet is put to this test: a pair that differs in its last bit, as 5060 and
 * 5061, costs less under a mask than as a range.
 */
export function portTest(side: 'sport' | 'dport', ports: readonly number[]): string {
  const [first = 0, second, ...more] = [...new Set(ports)].sort((one, other) => one - other);
  return first % 2 === 0 && second === first + 1 && more.length === 0 ? `th ${side} & 65534 == ${first}` : `th ${side} ${portMatch(ports)}`;
}

/** Lines of the table, by kind and name. */
export class Writer {
  readonly declared = new Set<string>();
  private readonly lines: string[] = [];

  private block(kind: string, name: string, body: readonly string[]): void {
    this.declared.add(`${kind} ${name}`);
    this.lines.push(`\t${kind} ${name} {`, ...body.map((line) => `\t\t${line}`), '\t}');
  }

  counter(name: string): string {
    if (!this.declared.has(`counter ${name}`)) this.block('counter', name, []);
    return `counter name "${name}"`;
  }

  timeout(name: string, l3: string, unreplied: number, replied: number): void {
    this.block('ct timeout', name, ['protocol udp', `l3proto ${l3}`, `policy = { unreplied : ${unreplied}, replied : ${replied} }`]);
  }

  /** A set that the rules fill. */
  dynamic(name: string, type: string, seconds: number, size: number): void {
    this.block('set', name, [`type ${type}`, 'flags dynamic,timeout', `timeout ${seconds}s`, `size ${size}`]);
  }

  networks(name: string, type: string, prefixes: readonly string[]): void {
    this.block('set', name, [
      `type ${type}`,
      'flags interval',
      ...(prefixes.length === 0 ? [] : [`elements = { ${prefixes.join(',\n\t\t\t')} }`]),
    ]);
  }

  chain(name: string, rules: readonly string[], hook?: string): void {
    this.block('chain', name, [...(hook === undefined ? [] : [`type filter hook ${hook} priority ${PRIORITY}; policy accept;`]), ...rules]);
  }

  text(): string {
    return this.lines.join('\n');
  }
}

/** For each family the rule that `make` gives. */
export function each(make: (family: FamilyNames) => string | readonly string[]): string[] {
  return FAMILIES.flatMap(make);
}
