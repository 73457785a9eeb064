/**
 * What /etc/config/sipalg asks for beside the ALG: the sections `timeouts`,
 * `marking`, `limit` and `provider`. A bad value is a problem with its sentence,
 * and the default (or nothing, for a network or a name) is in force instead.
 */
import { Refused, quote } from '../languages/refused.ts';
import { booleanOf } from './alg.ts';
import type { Problem } from './alg.ts';
import { describeSection, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciSection } from '../languages/uci/parse.ts';
import { readPrefix, writePrefix } from '../languages/address/prefixes.ts';

/** A DSCP class (RFC 2474): its name as the firewall writes it (`EF`, `CS3`, or the number), and its six bits, 0..63. */
export interface Dscp {
  name: string;
  value: number;
}

/** Seconds a UDP flow lives without a packet. */
export interface Timeouts {
  /** A SIP flow from the internet that has not been answered; a phone's lives as one that has, see nft.ts. */
  signallingUnreplied: number;
  signallingReplied: number;
  media: number;
}

/** null: nothing is marked. */
export type Marking = { media: Dscp; signalling: Dscp } | null;

/** Requests per minute and source address; null: nothing is limited. */
export type Limit = { register: number; invite: number; options: number } | null;

/** A section `provider` that is enabled. */
export interface Provider {
  /** The section's name. */
  name: string;
  /** Names to resolve, as given; `port` where one was given with it. */
  hosts: { name: string; port: number | null }[];
  /** Networks in canonical text. */
  signalling: string[];
  media: string[];
  /** A PBX this provider may open calls to; null for none. */
  inbound: { pbx: string[]; ports: number[]; mediaPorts: string | null } | null;
}

/** /etc/config/sipalg beside the ALG: what is in force of it. */
export interface PolicyWish {
  timeouts: Timeouts;
  marking: Marking;
  limit: Limit;
  providers: Provider[];
}

/** A day: no registration is longer, and a flow that is forgotten later only fills the table. */
const TIMEOUTS = { least: 30, most: 86_400 };
const RATES = { least: 1, most: 6000 };
/** Below are other programs' ports, whose traffic must not be taken for voice. */
const PORTS = { least: 1024, most: 65_535 };

/** Names of classes (RFC 2474, 2597, 3246, 5865, 8622) as nft and iptables know them. */
const CLASSES: Readonly<Record<string, number>> = {
  ...Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((each) => [`CS${each}`, each * 8])),
  ...Object.fromEntries([1, 2, 3, 4].flatMap((each) => [1, 2, 3].map((drop) => [`AF${each}${drop}`, each * 8 + drop * 2]))),
  EF: 46,
};
/** Names that not every nft knows, and so are written as numbers. */
const NUMBERED: Readonly<Record<string, number>> = { BE: 0, DF: 0, LE: 1, VA: 44 };

/** @returns null where it is none */
export function readDscp(text: string): Dscp | null {
  const name = text.toUpperCase();
  if (Object.hasOwn(CLASSES, name)) return { name, value: CLASSES[name] as number };
  const value = Object.hasOwn(NUMBERED, name) ? (NUMBERED[name] as number) : /^(\d{1,2}|0X[0-9A-F]{1,2})$/.test(name) ? Number(name) : 64;
  const known = Object.keys(CLASSES).find((each) => CLASSES[each] === value);
  return value > 63 ? null : { name: known ?? String(value), value };
}

/** A section being read: each option once, and what is left over is unknown. */
class Reader {
  readonly where: string;
  private readonly settings: Map<string, { kind: 'option' | 'list'; values: string[] }>;
  private readonly problems: Problem[];
  private readonly known: string[] = [];

  constructor(section: UciSection, problems: Problem[]) {
    this.where = describeSection(section, 'sipalg');
    this.settings = settingsOf(section);
    this.problems = problems;
  }

  bad(option: string, given: string, allowed: string, instead: string): void {
    this.problems.push({
      section: this.where,
      option,
      given,
      allowed,
      text: `${this.where}: the option ${option} is ${quote(given)}; it may be ${allowed}. ${instead}`,
    });
  }

  wrong(option: string, given: string, sentence: string): void {
    this.problems.push({ section: this.where, option, given, allowed: '', text: `${this.where}: ${option}: ${sentence}` });
  }

  /** The values of a list, or the words of an option. */
  list(option: string): string[] {
    this.known.push(option);
    const setting = this.settings.get(option);
    if (setting === undefined) return [];
    return setting.values
      .flatMap((value) => (setting.kind === 'list' ? [value.trim()] : value.split(/\s+/)))
      .filter((value) => value !== '');
  }

  private one(option: string): string | null {
    this.known.push(option);
    const setting = this.settings.get(option);
    return setting === undefined ? null : setting.kind === 'list' ? `list ${setting.values.join(' ')}` : (setting.values[0] ?? '');
  }

  flag(option: string, otherwise: boolean): boolean {
    const given = this.one(option);
    const value = given === null ? otherwise : (booleanOf(given) ?? null);
    if (value === null) this.bad(option, given ?? '', '1 or 0', `Until it is, it is ${otherwise ? 1 : 0}.`);
    return value ?? otherwise;
  }

  number(option: string, { least, most }: { least: number; most: number }, unit: string, otherwise: number): number {
    const given = this.one(option);
    const value = given !== null && /^\d{1,6}$/.test(given) ? Number(given) : given === null ? otherwise : -1;
    if (value >= least && value <= most) return value;
    this.bad(option, given ?? '', `${least} to ${most}${unit}`, `Until it is, it is ${otherwise}.`);
    return otherwise;
  }

  dscp(option: string, otherwise: string): Dscp {
    const given = this.one(option);
    const value = readDscp(given ?? otherwise);
    if (value === null)
      this.bad(option, given ?? '', 'CS0 to CS7, AF11 to AF43, EF, VA, LE or 0 to 63', `Until it is, it is ${otherwise}.`);
    return value ?? (readDscp(otherwise) as Dscp);
  }

  /** `16384-32768`; null where there is none, or a bad one. */
  range(option: string): string | null {
    const given = this.one(option);
    if (given === null) return null;
    const [, from, to] = /^(\d{4,5})[-:](\d{4,5})$/.exec(given) ?? [];
    if (from !== undefined && Number(from) >= PORTS.least && Number(to) <= PORTS.most && Number(from) <= Number(to))
      return `${Number(from)}-${Number(to)}`;
    this.bad(option, given, 'two ports, the first below the second, such as 10000-20000', 'Until it is, no audio ports are opened.');
    return null;
  }

  ports(option: string, otherwise: number[]): number[] {
    const given = this.list(option);
    const good = given.filter((port) => {
      const fits = /^\d{1,5}$/.test(port) && Number(port) >= PORTS.least && Number(port) <= PORTS.most;
      if (!fits) this.bad(option, port, `${PORTS.least} to ${PORTS.most}`, 'It is left out.');
      return fits;
    });
    return good.length === 0 ? otherwise : [...new Set(good.map(Number))].sort((one, other) => one - other);
  }

  /** Networks in canonical text; the bad ones are left out. */
  networks(option: string): string[] {
    return this.list(option).flatMap((given) => {
      const prefix = readPrefix(given);
      if (!('wrong' in prefix)) return [writePrefix(prefix)];
      this.wrong(option, given, `${prefix.wrong}. It is left out.`);
      return [];
    });
  }

  /** The options that nobody asked for do not exist. */
  end(): void {
    for (const option of this.settings.keys()) {
      if (this.known.includes(option)) continue;
      const allowed = this.known.join(', ');
      const given = this.settings.get(option)?.values.join(' ') ?? '';
      this.problems.push({
        section: this.where,
        option,
        given,
        allowed,
        text: `${this.where}: there is no option ${quote(option)}; the options are ${allowed}.`,
      });
    }
  }
}

/** A DNS name (RFC 1123, and "_" for what people do), with a port if one is given; or null. */
function hostOf(given: string): { name: string; port: number | null } | null {
  const [, name = '', port] = /^([A-Za-z0-9_.-]{1,254})(?::(\d{1,5}))?$/.exec(given) ?? [];
  const plain = name.replace(/\.$/, '');
  const labels = plain.split('.');
  if (
    plain.length > 253
    || !labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
    || !/[A-Za-z]/.test(labels.at(-1) as string)
  )
    return null;
  if (port !== undefined && (Number(port) < PORTS.least || Number(port) > PORTS.most)) return null;
  return { name: plain, port: port === undefined ? null : Number(port) };
}

function provider(section: UciSection, name: string, problems: Problem[]): Provider | null {
  const reader = new Reader(section, problems);
  const enabled = reader.flag('enabled', true);
  const media = reader.networks('media');
  const signalling = reader.networks('signalling');
  const hosts = reader.list('host').flatMap((given) => {
    const address = readPrefix(given);
    const host = hostOf(given);
    // An address needs no asking.
    if (!('wrong' in address) && !given.includes('/')) signalling.push(writePrefix(address));
    else if (host !== null) return [host];
    else
      reader.bad(
        'host',
        given,
        `a name such as sip.example.com, or one with a port from ${PORTS.least} to ${PORTS.most}, such as sip.example.com:5080`,
        'It is left out.',
      );
    return [];
  });
  const inbound = reader.flag('inbound', false);
  const pbx = reader.list('pbx').flatMap((given) => {
    const address = readPrefix(given);
    if (!('wrong' in address) && !given.includes('/')) return [writePrefix(address)];
    reader.bad('pbx', given, 'the address of a PBX, such as 192.168.1.20', 'It is left out.');
    return [];
  });
  const ports = reader.ports('port', [5060]);
  const mediaPorts = reader.range('media_ports');
  reader.end();
  if (inbound && enabled && pbx.length === 0)
    reader.wrong('inbound', '1', 'calls of this provider may come in, but no `option pbx` says to which address. Nothing is opened.');
  if (!enabled) return null;
  if (hosts.length + signalling.length + media.length === 0)
    reader.wrong(
      'host',
      '',
      'no name and no network of this provider is known, so it stands for nobody. Give it a `list host` or a `list signalling`.',
    );
  return {
    name,
    hosts,
    signalling: [...new Set(signalling)],
    media: [...new Set(media)],
    inbound: inbound && pbx.length > 0 ? { pbx: [...new Set(pbx)], ports, mediaPorts } : null,
  };
}

/** The file is read at each look, and seldom changes. */
let last: { text: string | null; read: ReturnType<typeof read> } | null = null;

/**
 * @param text the file; null where there is none
 * @returns what is in force, and what is not and why: the same value for the same text, for reading only. A file that is no UCI is readWish's to complain of
 */
export function readPolicyWish(text: string | null): ReturnType<typeof read> {
  if (last?.text !== text || last === null) last = { text, read: read(text) };
  return last.read;
}

function read(text: string | null): { wish: PolicyWish; problems: Problem[] } {
  const problems: Problem[] = [];
  let sections: UciSection[] = [];
  try {
    sections = parseUci(text ?? '').sections;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  const reader = (type: string): Reader => {
    const [first, ...more] = sections.filter((section) => section.type === type);
    for (const section of more) {
      const where = describeSection(section, 'sipalg');
      problems.push({
        section: where,
        option: '',
        given: '',
        allowed: `one section of type ${type}`,
        text: `${where}: a second section of type ${type} (line ${section.line}) is not read.`,
      });
    }
    return new Reader(first ?? { type, name: type, index: 0, line: 0, start: 0, end: 0, options: [] }, problems);
  };
  const timeouts = reader('timeouts');
  const marking = reader('marking');
  const limit = reader('limit');
  const seconds = (option: string, otherwise: number): number => timeouts.number(option, TIMEOUTS, ' (seconds)', otherwise);
  const rate = (option: string, otherwise: number): number => limit.number(option, RATES, ' (requests per minute)', otherwise);
  const marked = marking.flag('enabled', true);
  const limited = limit.flag('enabled', true);
  const classes = { media: marking.dscp('media', 'EF'), signalling: marking.dscp('signalling', 'CS3') };
  const rates = { register: rate('register', 5), invite: rate('invite', 10), options: rate('options', 10) };
  const wish: PolicyWish = {
    timeouts: {
      signallingUnreplied: seconds('signalling_unreplied', 120),
      signallingReplied: seconds('signalling_replied', 620),
      media: seconds('media', 300),
    },
    marking: marked ? classes : null,
    limit: limited ? rates : null,
    providers: [],
  };
  for (const each of [timeouts, marking, limit]) each.end();
  const names = new Set(sections.flatMap(({ name }) => (name === null ? [] : [name])));
  for (const section of sections.filter(({ type }) => type === 'provider')) {
    let name = section.name ?? `provider${section.index}`;
    while (section.name === null && names.has(name)) name += '_';
    names.add(name);
    const read = provider(section, name, problems);
    if (read !== null) wish.providers.push(read);
  }
  return { wish, problems };
}
