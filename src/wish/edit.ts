/** Changes to /etc/config/sipalg that a form asks for: text in, text out; every other byte stays. */
import { Refused, quote } from '../languages/refused.ts';
import { addSection, addToList, deleteOption, deleteSection, removeFromList, setOption } from '../languages/uci/edit.ts';
import { parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciPackage, UciSection } from '../languages/uci/parse.ts';
import { namesOf, readConfiguration, sectionOf } from './read.ts';
import { SCHEMA } from './schema.ts';
import type { SectionType, TypeName } from './schema.ts';
import type { Problem } from './wish.ts';

/** A section's name is as uci has it: `main`, or `@provider[0]` of one without a name. */
export type Change =
  /** '' or no value takes the option out. */
  | { do: 'set'; type: TypeName; section: string; option: string; value: string | readonly string[] }
  | { do: 'add'; type: TypeName; section: string }
  | { do: 'remove'; section: string };

/** A section as a form shows it. */
export interface Shown {
  type: string;
  section: string;
  values: Record<string, string | string[]>;
}

const TYPES: Readonly<Record<string, SectionType>> = SCHEMA;
const nameOf = (section: UciSection): string => namesOf(section).slice('sipalg.'.length);

const find = ({ sections }: UciPackage, name: string): UciSection | undefined => sections.find((section) => nameOf(section) === name);

/** The sections that are read, in the order of the file. @throws Refused when the file is no UCI file */
export function shownOf(text: string): Shown[] {
  const { sections } = parseUci(text);
  return sections
    .filter((section) => {
      const type = Object.hasOwn(TYPES, section.type) ? TYPES[section.type] : undefined;
      return type !== undefined && (type.name === null || sectionOf(sections, section.type as TypeName) === section);
    })
    .map((section) => ({
      type: section.type,
      section: nameOf(section),
      values: Object.fromEntries(
        [...settingsOf(section)].map(([name, { kind, values }]) => [name, kind === 'list' ? [...values] : (values[0] ?? '')]),
      ),
    }));
}

function setList(text: string, name: string, option: string, values: readonly string[]): string {
  const section = (from: string): [UciPackage, UciSection] => {
    const pkg = parseUci(from);
    return [pkg, find(pkg, name) as UciSection];
  };
  const setting = settingsOf(section(text)[1]).get(option);
  const had = setting?.kind === 'list' ? setting.values : [];
  if (setting?.kind === 'option') text = deleteOption(...section(text), option);
  const [before, after] = [new Set(had), new Set(values)];
  const gone = had.filter((value) => !after.has(value));
  if (gone.length > 0) text = removeFromList(...section(text), option, ...gone);
  return addToList(...section(text), option, ...values.filter((value) => !before.has(value)));
}

function changed(text: string, change: Change): string {
  const pkg = parseUci(text);
  const section = find(pkg, change.section);
  if (change.do === 'add') return addSection(pkg, change.type, change.section, []);
  if (change.do === 'remove') return section === undefined ? text : deleteSection(pkg, section);
  const { type, option, value } = change;
  if (section === undefined) {
    // Of a type of which one is read, it is made where it is first needed.
    if (TYPES[type]?.name !== change.section) throw new Refused(`there is no section ${quote(change.section)} any more`);
    return changed(addSection(pkg, type, change.section, []), change);
  }
  if (section.type !== type)
    throw new Refused(`the section ${quote(change.section)} is of type ${quote(section.type)}, not ${quote(type)}`);
  return typeof value === 'string' ? setOption(pkg, section, option, value) : setList(text, change.section, option, value);
}

/** @throws Refused where UCI, or the file as it is, does not take a change */
export const edited = (text: string, changes: readonly Change[]): string => changes.reduce(changed, text);

/** What is wrong with a configuration that was not wrong with the one before. */
export function newProblems(before: string, after: string): Problem[] {
  const key = ({ section, option, text }: Problem): string => JSON.stringify([section, option, text]);
  const known = new Set(readConfiguration(before).problems.map(key));
  return readConfiguration(after).problems.filter((problem) => !known.has(key(problem)));
}
