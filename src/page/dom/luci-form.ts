/** The fields as a form of LuCI: what it takes, writes and rolls back is LuCI's own; what may stand in a field is the schema's. */
import { flagOf, itemsOf, unsetOf, wrongOf } from '../check.ts';
import type { Given } from '../check.ts';
import { GROUPS, keyOf } from '../fields.ts';
import type { Field, Group } from '../fields.ts';
import type { TabName } from '../state.ts';
import { TABS } from '../tabs.ts';
import type { Words } from '../words.ts';
import { SCHEMA } from '../../wish/schema.ts';
import type { LuciForm, LuciMap, LuciOption, LuciSection, LuciUci } from './luci-classes.ts';

const CONFIG = 'sipalg';

/** Bytes of a list that LuCI can save: its web server takes 65,536 in a request (uhttpd's ubus.c), in which other changes go too. */
const MOST_SAVED = 60_000;
const isTooLong = (items: readonly string[]): boolean => JSON.stringify(items).length > MOST_SAVED;

export interface Classes {
  form: LuciForm;
  uci: LuciUci;
}

/** The section of a type of which one is read: of its name, else the first; made where there is none, and written with the first Save. */
function sectionOf(uci: LuciUci, type: string, name: string): string {
  const sections = uci.sections(CONFIG, type).map((section) => section['.name']);
  return sections.indexOf(name) >= 0 ? name : (sections[0] ?? uci.add(CONFIG, type, name));
}

function makeField({ form, uci }: Classes, add: LuciSection['option'], { type, many }: Group, field: Field, words: Words): void {
  const { option: name, kind, choices = [], needs } = field;
  const kinds = { flag: form.Flag, choice: form.ListValue, text: form.Value, list: form.DynamicList };
  const option: LuciOption = add(kinds[kind], name, (words.form.fields as Record<string, string>)[keyOf(type, name)]);
  const stored = (id: string): Given[string] => uci.get(CONFIG, id, name);
  for (const choice of choices) option.value(choice, (words.form.choices as Record<string, string>)[choice] ?? choice);
  if (kind === 'flag') {
    option.rmempty = false;
    option.default = unsetOf(type, name);
    // uci has more words for it than LuCI's boxes know.
    option.load = (id) => flagOf(type, name, stored(id));
    // A box that nobody touched writes nothing.
    option.write = (id, value) => void (flagOf(type, name, stored(id)) === value || uci.set(CONFIG, id, name, value));
  } else if (kind === 'choice') {
    option.default = unsetOf(type, name);
    option.rmempty = false;
  } else if (kind === 'text') option.placeholder = unsetOf(type, name);
  else option.load = (id) => [...itemsOf(stored(id))];
  // LuCI's dialog has copies of the options, each with the dialog's own section.
  option.validate = function (this: LuciOption, id, value) {
    const own = this.formvalue(id);
    // A list asks for what is being added, and for all of it with nothing.
    if (kind === 'list' && isTooLong(itemsOf(own)) && itemsOf(own).join(' ') !== itemsOf(stored(id)).join(' ')) return words.form.tooLong;
    const now = kind === 'list' ? [...itemsOf(own), ...(value === '' ? [] : [value])] : kind === 'flag' ? own : value;
    return wrongOf(type, id, name, { ...this.section.formvalue(id), [name]: now }, words) ?? true;
  };
  if (field.secret === true) option.password = true;
  if (needs !== undefined) {
    option.depends(needs, '1');
    // What is out of sight stays in the file.
    option.retain = true;
  }
  if (!many) return;
  // `false` would keep it out of the dialog.
  if (field.column !== true) option.modalonly = true;
  if (name === 'enabled') option.editable = true;
}

function makeGroup(classes: Classes, main: LuciSection, group: Group, words: Words): void {
  const { form, uci } = classes;
  const { name, tab, type, many, voice, fields } = group;
  const title = (words.form.groups as Record<string, string>)[name];
  const about = (words.form.abouts as Record<string, string>)[name];
  // The options of the section that holds all tabs stand in them by themselves.
  if (type === 'sipalg') {
    for (const field of fields) makeField(classes, (...given) => main.taboption(tab, ...given), group, field, words);
    return;
  }
  const kind = many ? form.GridSection : form.NamedSection;
  const where = many ? [type] : [sectionOf(uci, type, SCHEMA[type].name ?? ''), type];
  const holder = main.taboption(tab, form.SectionValue, `_${name}`, kind, ...where, title, about);
  if (voice) holder.depends('policy', '1');
  holder.retain = true;
  const section = holder.subsection;
  if (many) {
    section.addremove = true;
    section.anonymous = false;
    section.nodescriptions = true;
    section.modaltitle = (id) => `${title}: ${id}`;
  }
  for (const field of fields) makeField(classes, (...given) => section.option(...given), group, field, words);
}

/** @returns the form, and where each tab shows what is not a field */
export function makeForm(classes: Classes, words: Words): { map: LuciMap; tabs: Record<TabName, HTMLElement> } {
  const { form, uci } = classes;
  const map = new form.Map(CONFIG, words.title, words.about);
  const main = map.section(form.NamedSection, sectionOf(uci, 'sipalg', SCHEMA.sipalg.name), 'sipalg');
  const tabs = {} as Record<TabName, HTMLElement>;
  for (const { name } of TABS) {
    const root = (tabs[name] = document.createElement('div'));
    main.tab(name, words.tabs[name]);
    main.taboption(name, form.DummyValue, `_${name}`).render = () => Promise.resolve(root);
    for (const group of GROUPS) if (group.tab === name) makeGroup(classes, main, group, words);
  }
  return { map, tabs };
}
