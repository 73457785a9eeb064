/**
 * An edit of a UCI file by what it means: which option of which section was set
 * to what. Needed where the file's text can not be given back, because a program
 * has written the whole file anew since (`uci commit`, LuCI's Save): comments and
 * formatting are gone, and sections may have moved.
 */
import type { SettingEdit, SettingValue } from '../journal/taken.ts';
import { addToList, deleteOption, setOption } from '../languages/uci/edit.ts';
import { optionOf, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciPackage, UciSection } from '../languages/uci/parse.ts';

function valueOf(section: UciSection | undefined, option: string): SettingValue | null {
  const setting = section === undefined ? undefined : settingsOf(section).get(option);
  return setting === undefined ? null : { kind: setting.kind, values: [...setting.values] };
}

const same = (one: SettingValue | null, other: SettingValue | null): boolean => JSON.stringify(one) === JSON.stringify(other);

/** What an edit changed, section by section; the texts hold the same sections in the same order. */
export function settingEdits(before: string, after: string): SettingEdit[] {
  const [from, to] = [parseUci(before), parseUci(after)];
  return to.sections.flatMap((section, at): SettingEdit[] => {
    const old = from.sections[at];
    const options = new Set([...settingsOf(section).keys(), ...(old ? settingsOf(old).keys() : [])]);
    return [...options].flatMap((option): SettingEdit[] => {
      const [was, is] = [valueOf(old, option), valueOf(section, option)];
      if (same(was, is)) return [];
      return [
        { type: section.type, name: section.name, index: section.index, label: optionOf(section, 'name'), option, before: was, after: is },
      ];
    });
  });
}

/** The section an edit was made in: by its own name, else by its `option name`, else by its place. */
function find(pkg: UciPackage, edit: SettingEdit): UciSection | null {
  const ofType = pkg.sections.filter(({ type }) => type === edit.type);
  if (edit.name !== null) return ofType.find(({ name }) => name === edit.name) ?? null;
  if (edit.label === null) return ofType[edit.index] ?? null;
  const labelled = ofType.filter((section) => optionOf(section, 'name') === edit.label);
  if (labelled.length === 1) return labelled[0] as UciSection;
  return labelled.find(({ index }) => index === edit.index) ?? null;
}

function words(value: SettingValue | null): string {
  return value === null ? 'not set' : value.values.map((one) => `"${one}"`).join(', ');
}

/** What an option is to be: null to leave it, undefined where the owner has made something else of it. */
function wanted(edit: SettingEdit, now: SettingValue | null): SettingValue | null | 'as it is' | undefined {
  if (same(now, edit.before)) return 'as it is';
  if (same(now, edit.after)) return edit.before;
  const { before, after } = edit;
  // Only taken from: what was taken comes back beside whatever the owner has added since.
  if (now?.kind === 'list' && before?.kind === 'list' && (after === null || after.values.every((value) => before.values.includes(value)))) {
    return {
      kind: 'list',
      values: [...now.values, ...before.values.filter((value) => !now.values.includes(value) && !(after?.values ?? []).includes(value))],
    };
  }
  return undefined;
}

/**
 * Undoes edits in a text by their meaning.
 * @returns the new text; or why not, in sentences that name section, option and both values
 */
export function undoSettings(text: string, edits: readonly SettingEdit[]): { text: string } | { conflict: string[] } {
  const conflict: string[] = [];
  let edited = text;
  for (const edit of [...edits].reverse()) {
    const section = find(parseUci(edited), edit);
    if (section === null) continue; // its owner has taken the whole section away
    const value = wanted(edit, valueOf(section, edit.option));
    if (value === 'as it is') continue;
    if (value === undefined) {
      conflict.push(
        `option "${edit.option}" of the ${edit.type} ${edit.label ?? edit.name ?? `number ${edit.index + 1}`} is ${words(valueOf(section, edit.option))} now; `
          + `it was ${words(edit.before)} before, and sipalg had left it ${words(edit.after)}.`,
      );
      continue;
    }
    edited = put(edited, edit, value);
  }
  return conflict.length > 0 ? { conflict } : { text: edited };
}

function put(text: string, edit: SettingEdit, value: SettingValue | null): string {
  const section = (now: string): [UciPackage, UciSection] => {
    const pkg = parseUci(now);
    return [pkg, find(pkg, edit) as UciSection];
  };
  if (value?.kind === 'option') return setOption(...section(text), edit.option, value.values[0] ?? '');
  let edited = deleteOption(...section(text), edit.option);
  for (const one of value?.values ?? []) edited = addToList(...section(edited), edit.option, one);
  return edited;
}
