/**
 * An edit of a UCI file by what it means: which option of which section was set
 * to what. Needed where the file's text cannot be given back, because a program
 * has written the whole file anew since (`uci commit`, LuCI's Save): comments and
 * formatting are gone, and sections may have moved.
 */
import type { SettingEdit, SettingValue } from '../journal/taken.ts';
import { addToList, deleteOption, setOption } from '../languages/uci/edit.ts';
import { optionOf, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciOption, UciPackage, UciSection } from '../languages/uci/parse.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

function valueOf(section: UciSection | undefined, option: string): SettingValue | null {
  const setting = section === undefined ? undefined : settingsOf(section).get(option);
  return setting === undefined ? null : { kind: setting.kind, values: [...setting.values] };
}

const same = (one: SettingValue | null, other: SettingValue | null): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Whether two sections hold the same statements: of most sections nothing needs to be made out. */
const isWritten = ({ options }: UciSection, old: UciSection): boolean =>
  options.length === old.options.length
  && options.every(({ kind, name, value }, at) => {
    const other = old.options[at] as UciOption;
    return kind === other.kind && name === other.name && value === other.value;
  });

/** What an edit changed, section by section; the texts hold the same sections in the same order. */
export function settingEdits(before: string, after: string): SettingEdit[] {
  if (before === after) return [];
  const [from, to] = [parseUci(before), parseUci(after)];
  return to.sections.flatMap((section, at): SettingEdit[] => {
    const old = from.sections[at];
    if (old !== undefined && isWritten(section, old)) return [];
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
function named(ofType: readonly UciSection[], edit: SettingEdit): UciSection | null {
  if (edit.name !== null) return ofType.find(({ name }) => name === edit.name) ?? null;
  if (edit.label === null) return ofType[edit.index] ?? null;
  const labelled = ofType.filter((section) => optionOf(section, 'name') === edit.label);
  if (labelled.length === 1) return labelled[0] as UciSection;
  return labelled.find(({ index }) => index === edit.index) ?? null;
}

/** Whether an option still holds what the edit made of it, and what its owner may have added or taken since. */
function holds(edit: SettingEdit, now: SettingValue | null): boolean {
  if (same(now, edit.after)) return true;
  return now?.kind === 'list' && edit.after?.kind === 'list' && edit.after.values.some((value) => now.values.includes(value));
}

const isSameSection = (one: SettingEdit, other: SettingEdit): boolean =>
  one.type === other.type && one.name === other.name && one.label === other.label && one.index === other.index;

/**
 * The section of an edit; where its owner has renamed it since, the one that holds what we left there. null: it is gone;
 * 'many': more than one might be it.
 */
function find(pkg: UciPackage, edit: SettingEdit, edits: readonly SettingEdit[]): UciSection | null | 'many' {
  const ofType = pkg.sections.filter(({ type }) => type === edit.type);
  const known = named(ofType, edit);
  if (known !== null) return known;
  const group = edits.filter((one) => isSameSection(one, edit) && one.after !== null);
  // Sections that other edits know by their names are none that were renamed.
  const others = new Set(edits.filter((one) => !isSameSection(one, edit)).map((one) => named(ofType, one)));
  const like = ofType.filter(
    (section) => group.length > 0 && !others.has(section) && group.every((one) => holds(one, valueOf(section, one.option))),
  );
  const here = like.find(({ index }) => index === edit.index);
  return here ?? (like.length > 1 ? 'many' : (like[0] ?? null));
}

function words(value: SettingValue | null): string | Said {
  return value === null ? say('not-set', 'not set') : value.values.map((one) => `"${one}"`).join(', ');
}

/** What an option is to be: null to leave it, undefined where the owner has made something else of it. */
function wanted(edit: SettingEdit, now: SettingValue | null): SettingValue | null | 'as it is' | undefined {
  if (same(now, edit.before)) return 'as it is';
  if (same(now, edit.after)) return edit.before;
  const { before, after } = edit;
  // A list of ours, to which its owner has added, or from which taken: what is ours goes, and what is theirs stays.
  if (before === null && after?.kind === 'list' && (now === null || now.kind === 'list')) {
    const values = (now?.values ?? []).filter((value) => !after.values.includes(value));
    return values.length === 0 ? null : { kind: 'list', values };
  }
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
export function undoSettings(text: string, edits: readonly SettingEdit[]): { text: string } | { conflict: Said[] } {
  const conflict: Said[] = [];
  const whole = parseUci(text);
  // Places are told once: what makes a renamed section known goes with the first option that is undone, and no section moves.
  const places = edits.map((edit) => {
    const found = find(whole, edit, edits);
    return found === null || found === 'many' ? found : whole.sections.indexOf(found);
  });
  let edited = text;
  for (const [nth, edit] of [...edits.entries()].reverse()) {
    const place = places[nth] ?? null;
    if (place === null) continue; // its owner has taken the whole section away
    const name = edit.label ?? edit.name;
    const called =
      name === null
        ? say('the-section-number', 'the {type} number {number}', { type: edit.type, number: edit.index + 1 })
        : say('the-section', 'the {type} {name}', { type: edit.type, name });
    if (place === 'many') {
      conflict.push(
        say(
          'conflict-renamed',
          '{section} has another name now, and more than one could be it; sipalg had left its option "{option}" {after}, and it was '
            + '{before} before.',
          { section: called, option: edit.option, after: words(edit.after), before: words(edit.before) },
        ),
      );
      continue;
    }
    const now = valueOf(parseUci(edited).sections[place], edit.option);
    const value = wanted(edit, now);
    if (value === 'as it is') continue;
    if (value === undefined) {
      conflict.push(
        say('conflict-changed', 'option "{option}" of {section} is {now} now; it was {before} before, and sipalg had left it {after}.', {
          option: edit.option,
          section: called,
          now: words(now),
          before: words(edit.before),
          after: words(edit.after),
        }),
      );
      continue;
    }
    edited = put(edited, place, edit.option, value);
  }
  return conflict.length > 0 ? { conflict } : { text: edited };
}

function put(text: string, place: number, option: string, value: SettingValue | null): string {
  const section = (now: string): [UciPackage, UciSection] => {
    const pkg = parseUci(now);
    return [pkg, pkg.sections[place] as UciSection];
  };
  if (value?.kind === 'option') return setOption(...section(text), option, value.values[0] ?? '');
  const edited = deleteOption(...section(text), option);
  return value === null ? edited : addToList(...section(edited), option, ...value.values);
}
