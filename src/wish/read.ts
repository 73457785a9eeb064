/**
 * Reads and writes /etc/config/sipalg by its schema. What is bad there is a problem with its sentence, and never
 * passed over: a value, an option or a section type that is not known, a second section where one is read.
 */
import { nearestOf } from '../languages/nearest.ts';
import { Refused, quote } from '../languages/refused.ts';
import { describeSection, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { Setting, UciSection } from '../languages/uci/parse.ts';
import { lacksOf } from './lacks.ts';
import { SCHEMA } from './schema.ts';
import type { Options, SectionType, TypeName, Values } from './schema.ts';
import type { Configuration, Problem, Provider, Site } from './wish.ts';
import { say, textOf } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';

const PACKAGE = 'sipalg';
const TYPES: Readonly<Record<string, SectionType>> = SCHEMA;

export const namesOf = (section: UciSection): string => describeSection(section, PACKAGE);
/** `a, b and c` */
const listed = (names: readonly string[]): Said => say('list', '{names}', { names });

/** What somebody may have meant, behind a sentence. */
function withHint(sentence: Said, word: string, known: readonly string[]): Said {
  const meant = nearestOf(word, known);
  return meant === null ? sentence : say('problem-meant', '{problem} Did you mean "{meant}"?', { problem: sentence, meant });
}

/** The section that is read of a type that has one: the one of its name, else the first. */
export function sectionOf(sections: readonly UciSection[], type: TypeName): UciSection | undefined {
  const all = sections.filter((section) => section.type === type);
  return all.find(({ name }) => name === TYPES[type]?.name) ?? all[0];
}

/** A file being read. */
class Reader {
  readonly problems: Problem[] = [];
  private readonly sections: readonly UciSection[];

  constructor(sections: readonly UciSection[]) {
    this.sections = sections;
    for (const section of sections) this.stray(section);
  }

  private say(section: UciSection, option: string, given: string, allowed: Line, sentence: Said): void {
    this.problems.push({ section: namesOf(section), option, given, allowed: textOf(allowed), ...sentence });
  }

  /** A section that is not read at all. */
  private stray(section: UciSection): void {
    const { type, name, line } = section;
    const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
    if (known === undefined) {
      const types = Object.keys(TYPES);
      const meant = types.find((one) => name !== null && TYPES[one]?.name === name);
      const values = { section: namesOf(section), type: quote(type) };
      const sentence =
        meant === undefined
          ? withHint(
              say(
                'problem-type',
                '{section}: there is no section type {type} (line {line}), so nothing in it is read; the types are {types}.',
                { ...values, line, types },
              ),
              type,
              types,
            )
          : say(
              'problem-type-of',
              '{section}: the section {name} is of type {type}, so nothing in it is read; it must be of type {meant} ({statement}).',
              { ...values, name: name ?? '', meant, statement: `config ${meant} '${name}'` },
            );
      return this.say(section, '', type, meant ?? listed(types), sentence);
    }
    const read = known.name === null ? section : sectionOf(this.sections, type as TypeName);
    if (read === undefined || read === section) return;
    const [option = ''] = section.options.map((one) => one.name);
    const values = { section: namesOf(section), type, line, read: namesOf(read) };
    const sentence =
      option === ''
        ? say(
            'problem-second',
            '{section}: a second section of type {type} (line {line}) is not read; set what it is for in {read}.',
            values,
          )
        : say('problem-second-options', '{section}: a second section of type {type} (line {line}) is not read; set {options} in {read}.', {
            ...values,
            options: [...new Set(section.options.map((one) => one.name))],
          });
    this.say(section, option, section.options[0]?.value ?? '', say('allowed-one', 'one section of type {type}', { type }), sentence);
  }

  one<T extends TypeName>(type: T): Values<(typeof SCHEMA)[T]['options']> {
    return this.values(sectionOf(this.sections, type), SCHEMA[type].options);
  }

  /** What is in force of a section; null: there is none. */
  private values<O extends Options>(section: UciSection | undefined, options: O): Values<O> {
    const values: Record<string, unknown> = {};
    for (const [name, option] of Object.entries(options)) values[name] = option.takes === 'option' ? option.unset : [];
    if (section === undefined) return values as Values<O>;
    const settings = settingsOf(section);
    for (const name of new Set(section.options.map((one) => one.name))) {
      const setting: Setting = settings.get(name) ?? { kind: 'option', values: [''], statements: [] };
      const option = Object.hasOwn(options, name) ? options[name] : undefined;
      if (option === undefined) this.unknown(section, name, setting, Object.keys(options));
      else if (option.takes === 'list') values[name] = this.list(section, name, setting, option.read, option.allowed);
      else {
        const given = setting.kind === 'option' ? (setting.values[0] ?? '') : `list ${setting.values.join(' ')}`;
        const value = setting.kind === 'option' ? option.read(given) : undefined;
        values[name] = value ?? option.bad(given);
        if (value === undefined) this.bad(section, name, option.secret ? '...' : given, option.allowed, option.until);
      }
    }
    return values as Values<O>;
  }

  private list(section: UciSection, name: string, { kind, values }: Setting, read: (given: string) => unknown, allowed: Line): unknown[] {
    const given = values.flatMap((value) => (kind === 'list' ? [value.trim()] : value.split(/\s+/))).filter((value) => value !== '');
    return given.flatMap((each) => {
      const value = read(each);
      if (value === undefined) this.bad(section, name, each, allowed, say('left-out', 'It is left out.'));
      else if (typeof value === 'object' && value !== null && 'wrong' in value)
        this.say(
          section,
          name,
          each,
          allowed,
          say('problem-value', '{section}: {option}: {because}. It is left out.', {
            section: namesOf(section),
            option: name,
            because: value.wrong as string | Said,
          }),
        );
      else return [value];
      return [];
    });
  }

  private bad(section: UciSection, option: string, given: string, allowed: Line, until: Said): void {
    const values = { section: namesOf(section), option, given: quote(given), allowed, until };
    this.say(
      section,
      option,
      given,
      allowed,
      say('problem-option', '{section}: the option {option} is {given}; it may be {allowed}. {until}', values),
    );
  }

  /** What the section lacks as a whole. */
  private lacks(section: UciSection, type: TypeName, values: Parameters<typeof lacksOf>[2]): void {
    for (const { option, said } of lacksOf(type, namesOf(section), values))
      this.say(section, option, option === 'inbound' ? '1' : '', '', said);
  }

  private unknown(section: UciSection, name: string, { values }: Setting, options: readonly string[]): void {
    const sentence = withHint(
      say('problem-no-option', '{section}: there is no option {option}; the options are {options}.', {
        section: namesOf(section),
        option: quote(name),
        options,
      }),
      name,
      options,
    );
    this.say(section, name, values.join(' '), options.join(', '), sentence);
  }

  providers(): Provider[] {
    return this.named('provider').flatMap(([section, name]) => this.provider(section, name));
  }

  sites(): Site[] {
    return this.named('site').flatMap(([section, name]) => {
      const { enabled, network } = this.values(section, SCHEMA.site.options);
      if (!enabled) return [];
      this.lacks(section, 'site', { enabled, network });
      return [{ name, networks: [...new Set(network)] }];
    });
  }

  /** Sections of a type there may be many of, each with a name: its own, or one that no section has. */
  private named(type: 'provider' | 'site'): [UciSection, string][] {
    const names = new Set(this.sections.flatMap(({ name }) => (name === null ? [] : [name])));
    return this.sections
      .filter((section) => section.type === type)
      .map((section) => {
        let name = section.name ?? `${type}${section.index}`;
        while (section.name === null && names.has(name)) name += '_';
        names.add(name);
        return [section, name];
      });
  }

  private provider(section: UciSection, name: string): Provider[] {
    const { enabled, host, signalling, media, marking, inbound, pbx, port, media_ports } = this.values(section, SCHEMA.provider.options);
    if (!enabled) return [];
    this.lacks(section, 'provider', { enabled, host, signalling, media, inbound, pbx });
    const sorted = (ports: readonly number[]): number[] => [...new Set(ports)].sort((a, b) => a - b);
    const ports = port.length === 0 ? [5060] : sorted(port);
    const servers = host.flatMap((each) => ('address' in each ? [each] : []));
    const own = sorted([...port, ...servers.flatMap((each) => each.port ?? [])]);
    return [
      {
        name,
        hosts: host.flatMap((each) => ('name' in each ? [each] : [])),
        signalling: [...new Set([...signalling, ...servers.map(({ address }) => address)])],
        media: [...new Set(media)],
        ...(own.length > 0 ? { ports: own } : {}),
        ...(marking ? {} : { marking: false }),
        inbound: inbound && pbx.length > 0 ? { pbx: [...new Set(pbx)], ports, mediaPorts: media_ports } : null,
      },
    ];
  }
}

function read(sections: readonly UciSection[]): Configuration {
  const reader = new Reader(sections);
  const { failback, lang, ...wish } = reader.one('sipalg');
  const timeouts = reader.one('timeouts');
  const { enabled: marked, overwrite, ...marks } = reader.one('marking');
  const { enabled: limited, ...limits } = reader.one('limit');
  const providers = reader.providers();
  const sites = reader.sites();
  const main = sectionOf(sections, 'sipalg');
  const bad = main !== undefined && reader.problems.some(({ section, option }) => option === 'alg' && section === namesOf(main));
  return {
    wish: { ...wish, ...(failback ? { failback } : {}) },
    lang,
    said: !bad,
    voice: {
      timeouts: {
        signallingUnreplied: timeouts.signalling_unreplied,
        signallingReplied: timeouts.signalling_replied,
        media: timeouts.media,
      },
      marking: marked ? { ...marks, ...(overwrite ? { overwrite } : {}) } : null,
      limit: limited ? limits : null,
      providers,
      sites,
    },
    serve: reader.one('serve'),
    metrics: reader.one('metrics'),
    hep: reader.one('hep'),
    problems: reader.problems,
  };
}

function unreadable(text: string, { line, message }: Refused): Problem {
  const given = text.split('\n')[line - 1]?.trim().slice(0, 80) ?? '';
  const sentence = say(
    'problem-file',
    '{file}, line {line}: {because}. Nothing in the file is in force until that is put right; the ALG is left as it is (unmanaged).',
    { file: '/etc/config/sipalg', line, because: message },
  );
  return { section: PACKAGE, option: '', given, allowed: 'a UCI file', ...sentence };
}

function configurationOf(text: string): Configuration {
  try {
    return read(parseUci(text).sections);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const nothing = read([]);
    return { ...nothing, said: false, wish: { ...nothing.wish, policy: null }, problems: [unreadable(text, error)] };
  }
}

/** The file is read by several at each look, and seldom changes. */
let last: { text: string; configuration: Configuration } | null = null;

/**
 * Reads the file.
 * @param text null when there is none, which is as good as the one a package installs
 * @returns what is in force, and what is not and why: the same value for the same text, for reading only
 */
export function readConfiguration(text: string | null): Configuration {
  if (last === null || last.text !== (text ?? '')) last = { text: text ?? '', configuration: configurationOf(text ?? '') };
  return last.configuration;
}
