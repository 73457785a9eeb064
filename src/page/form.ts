/** The form of the mount without LuCI: what was read, what is entered, what is wrong with it. Pure. */
import type { ConfigurationReply, ConfigurationSection, Refusal, Written } from '../http/configuration.ts';
import type { Change } from '../wish/edit.ts';
import type { TypeName } from '../wish/schema.ts';
import { SCHEMA } from '../wish/schema.ts';
import { flagOf, itemsOf, unsetOf, wrongOf } from './check.ts';
import { GROUPS, keyOf } from './fields.ts';
import type { Field, Group, Kind } from './fields.ts';
import type { TabName } from './state.ts';
import { codeOf } from './blocks.ts';
import { fill } from './words.ts';
import type { FormWords, Words } from './words.ts';

type Value = string | readonly string[];

export type Edit =
  | { do: 'enter'; section: string; option: string; value: Value }
  | { do: 'add'; type: TypeName; section: string }
  | { do: 'remove'; section: string }
  | { do: 'save' }
  /** What was entered is forgotten, and the file read again. */
  | { do: 'read' };

export type Work = 'saving' | 'reading';

export interface FormState {
  /** null: not read yet. */
  file: ConfigurationReply | null;
  /** What a person has entered, by section and option. */
  entered: Readonly<Record<string, Readonly<Record<string, Value>>>>;
  added: readonly { type: TypeName; section: string }[];
  removed: readonly string[];
  /** What the program refused at the last Save. */
  refused: readonly Refusal[];
  /** What is under way: fields are held meanwhile, for what is typed then would be lost with the answer. */
  busy: Work | null;
  /** How the last Save went, or why the file was not read. */
  said: { tone: 'success' | 'danger' | 'warning'; text: string } | null;
  /** Grows when what was entered is forgotten: fields are drawn anew then. */
  reads: number;
}

export const EMPTY: FormState = { file: null, entered: {}, added: [], removed: [], refused: [], busy: null, said: null, reads: 0 };

export function entered(form: FormState, edit: Edit): FormState {
  switch (edit.do) {
    case 'enter': {
      const section = { ...form.entered[edit.section], [edit.option]: edit.value };
      const refused = form.refused.filter((one) => one.section !== `sipalg.${edit.section}` || one.option !== edit.option);
      return { ...form, entered: { ...form.entered, [edit.section]: section }, refused };
    }
    case 'add':
      return sectionsOf(form).some(({ section }) => section === edit.section)
        ? form
        : { ...form, added: [...form.added, { type: edit.type, section: edit.section }] };
    case 'remove':
      return form.added.some(({ section }) => section === edit.section)
        ? { ...form, added: form.added.filter(({ section }) => section !== edit.section) }
        : { ...form, removed: [...form.removed, edit.section] };
    default:
      return form;
  }
}

export function read(form: FormState, file: ConfigurationReply): FormState {
  return { ...EMPTY, file, reads: form.reads + 1 };
}

/**
 * The file has been read again by a session that follows on one that is over, perhaps another person's. What was entered stays;
 * where the file has been changed meanwhile the next Save is told so, for it still builds on the old one.
 */
export function resumed(form: FormState, file: ConfigurationReply): FormState {
  if (form.file === null || changesOf(form).length === 0) return read(form, file);
  return { ...form, busy: null, file: { ...file, revision: form.file.revision } };
}

/** A Save has been answered. */
export function saved(form: FormState, written: Written, words: Words): FormState {
  const calm = { ...form, busy: null };
  if ('done' in written) return { ...read(calm, written.done), said: { tone: 'success', text: words.form.saved } };
  if ('stale' in written) return { ...calm, said: { tone: 'warning', text: words.form.changed } };
  const [first] = written.refused;
  const text = first === undefined ? '' : words.put(codeOf(first), first.text);
  return { ...calm, refused: written.refused, said: { tone: 'danger', text: fill(words.form.notSaved, text) } };
}

const sectionsOf = ({ file, added, removed }: FormState): ConfigurationSection[] => [
  ...(file?.sections ?? []).filter(({ section }) => !removed.includes(section)),
  ...added.map(({ type, section }) => ({ type, section, values: {} })),
];

/** A section as it would be. */
const givenOf = (form: FormState, { section, values }: ConfigurationSection): Record<string, Value> => ({
  ...values,
  ...form.entered[section],
});

/** What a Save sends: what is another than in the file. */
export function changesOf(form: FormState): Change[] {
  const changes: Change[] = form.removed.map((section) => ({ do: 'remove', section }));
  for (const { type, section } of form.added) changes.push({ do: 'add', type, section });
  for (const { section, options, type } of GROUPS.flatMap((group) =>
    idsOf(form, group).map((one) => ({ ...one, type: group.type, options: group.fields })),
  )) {
    const before = form.file?.sections.find((one) => one.section === section)?.values ?? {};
    const now = form.entered[section] ?? {};
    for (const { option, kind } of options) {
      const value = now[option];
      if (value === undefined) continue;
      const had = before[option];
      const same =
        kind === 'flag'
          ? flagOf(type, option, had) === value
          : kind === 'list'
            ? itemsOf(had).join('\n') === itemsOf(value).join('\n')
            : (had ?? '') === value;
      if (!same) changes.push({ do: 'set', type, section, option, value: kind === 'list' ? [...itemsOf(value)] : value });
    }
  }
  return changes;
}

/** The sections of a group: all there are, or the one that is read, whether it is there or not. */
function idsOf(form: FormState, { type, many }: Group): ConfigurationSection[] {
  const found = sectionsOf(form).filter((one) => one.type === type);
  const name = SCHEMA[type].name;
  return many || name === null || found.length > 0 ? found : [{ type, section: name, values: {} }];
}

export interface FieldView {
  /** Its id in the document, and what it is told apart by. */
  name: string;
  section: string;
  option: string;
  label: string;
  kind: Kind;
  value: string;
  placeholder: string;
  secret: boolean;
  choices: [value: string, label: string][];
  wrong: string;
}

export interface SectionView {
  section: string;
  /** '' where there is one of the type. */
  title: string;
  fields: FieldView[];
}

export interface GroupView {
  name: string;
  type: TypeName;
  title: string;
  about: string;
  many: boolean;
  /** The name of a section that is to be added, as far as it is typed. */
  typed: string;
  sections: SectionView[];
}

export interface FormView {
  groups: GroupView[];
  said: FormState['said'];
  active: boolean;
  busy: Work | null;
  changed: boolean;
  reads: number;
  words: FormWords;
}

function fieldOf(
  form: FormState,
  { type }: Group,
  one: ConfigurationSection,
  { option, kind, choices = [], needs, secret }: Field,
  words: Words,
): FieldView[] {
  const given = givenOf(form, one);
  if (needs !== undefined && flagOf(type, needs, given[needs]) !== '1') return [];
  const value = given[option];
  const refused = form.refused.find((each) => each.section === `sipalg.${one.section}` && each.option === option);
  return [
    {
      name: `${one.section}-${option}`,
      section: one.section,
      option,
      label: (words.form.fields as Record<string, string>)[keyOf(type, option)] ?? option,
      kind,
      value: kind === 'flag' ? flagOf(type, option, value) : kind === 'list' ? itemsOf(value).join('\n') : String(value ?? ''),
      secret: secret === true,
      placeholder: kind === 'list' ? '' : unsetOf(type, option),
      choices: choices.map((choice) => [choice, (words.form.choices as Record<string, string>)[choice] ?? choice]),
      wrong: refused === undefined ? (wrongOf(type, one.section, option, given, words) ?? '') : words.put(codeOf(refused), refused.text),
    },
  ];
}

/** The id of the field for the name of a new section. */
export const addingOf = (group: string): string => `sipalg-add-${group}`;

export function formOf(
  form: FormState,
  tab: TabName,
  active: boolean,
  words: Words,
  typed: Readonly<Record<string, string>> = {},
): FormView | null {
  if (form.file === null) return null;
  const main = idsOf(form, GROUPS[0] as Group)[0];
  const on = main !== undefined && flagOf('sipalg', 'policy', givenOf(form, main)['policy']) === '1';
  const groups = GROUPS.filter((group) => group.tab === tab && (!group.voice || on));
  if (groups.length === 0) return null;
  return {
    groups: groups.map((group) => ({
      name: group.name,
      type: group.type,
      title: (words.form.groups as Record<string, string>)[group.name] ?? '',
      about: (words.form.abouts as Record<string, string>)[group.name] ?? '',
      many: group.many,
      typed: typed[addingOf(group.name)] ?? '',
      sections: idsOf(form, group).map((one) => ({
        section: one.section,
        title: group.many ? one.section : '',
        fields: group.fields.flatMap((field) => fieldOf(form, group, one, field, words)),
      })),
    })),
    said: form.said,
    active,
    busy: form.busy,
    changed: changesOf(form).length > 0,
    reads: form.reads,
    words: words.form,
  };
}

/** Does a field say that something is wrong, in whatever tab? Then nothing is sent. */
export function wrongIn(form: FormState, words: Words): { tab: TabName; name: string } | null {
  for (const { tab } of GROUPS)
    for (const { sections } of formOf(form, tab, true, words)?.groups ?? [])
      for (const { fields } of sections)
        for (const { name, wrong, section, option } of fields)
          if (wrong !== '' && form.entered[section]?.[option] !== undefined) return { tab, name };
  return null;
}
