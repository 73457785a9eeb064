/**
 * What /etc/config/firewall must not say any more.
 *
 * Always: rules that set the SIP helper (without the module fw4's whole ruleset
 * is refused because of them) and zones that list it. Where the module cannot be
 * kept out (built in, held, or a release without a blacklist) also the zones'
 * automatic helpers, every other helper kept.
 */
import type { Facts } from '../observe/facts.ts';
import { FIREWALL_CONFIG, helperNamed } from '../observe/firewall.ts';
import { TRACKER } from '../observe/modules.ts';
import { addToList, deleteOption, removeFromList, setOption } from '../languages/uci/edit.ts';
import { describeSection, parseUci } from '../languages/uci/parse.ts';
import type { UciPackage, UciSection } from '../languages/uci/parse.ts';
import { fileStep, NOTHING } from './files.ts';
import type { Part } from './files.ts';
import { settingEdits } from './options.ts';
import { word } from '../languages/shell/command.ts';
import { RANK } from './step.ts';
import { say } from '../words/say.ts';

/** A text being edited: sections are looked up anew after each edit, for their offsets move. */
class Editing {
  text: string;
  readonly commands: string[] = [];

  constructor(text: string) {
    this.text = text;
  }

  edit(section: string, commands: readonly string[], change: (pkg: UciPackage, found: UciSection) => string): void {
    const pkg = parseUci(this.text);
    const found = pkg.sections.find((one) => describeSection(one, 'firewall') === section);
    if (found === undefined) throw new Error(`${FIREWALL_CONFIG} has no section ${section} any more`);
    const text = change(pkg, found);
    if (text !== this.text) this.commands.push(...commands);
    this.text = text;
  }

  set(section: string, option: string, value: string): void {
    this.edit(section, [`uci set ${section}.${option}=${word(value)}`], (pkg, found) => setOption(pkg, found, option, value));
  }

  takeFromList(section: string, option: string, value: string): void {
    this.edit(section, [`uci del_list ${section}.${option}=${word(value)}`], (pkg, found) => removeFromList(pkg, found, option, value));
  }

  addToList(section: string, option: string, values: readonly string[]): void {
    const commands = values.map((value) => `uci add_list ${section}.${option}=${word(value)}`);
    this.edit(section, commands, (pkg, found) => addToList(pkg, found, option, ...values));
  }

  drop(section: string, option: string): void {
    this.edit(section, [`uci delete ${section}.${option}`], (pkg, found) => deleteOption(pkg, found, option));
  }
}

/** @param stays the module stays in the kernel, or may come back to it */
export function planConfiguration(facts: Facts, stays: boolean): Part {
  const { uci } = facts.firewall;
  if (uci.state !== 'present') return NOTHING;
  const definitions = facts.firewall.definitions.state === 'present' ? facts.firewall.definitions.value : [];
  const isSip = (name: string): boolean =>
    definitions.length === 0
      ? name === 'sip'
      : definitions.some((one) => one.module === TRACKER && one.name.toLowerCase() === name.toLowerCase());
  const editing = new Editing(uci.value.text);
  const why = new Set<string>();

  for (const rule of uci.value.setHelper) {
    if (!rule.enabled) continue;
    editing.set(rule.section, 'enabled', '0');
    why.add('uci-set-helper');
  }
  for (const zone of uci.value.zones) {
    if (zone.sip === 'listed') {
      takeSipFrom(editing, zone.section, isSip);
      // An empty list would mean every helper there is.
      if (zone.helpers.every(isSip) && zone.autoHelper) editing.set(zone.section, 'auto_helper', '0');
      why.add('uci-list-helper');
    } else if (zone.sip === 'automatic' && stays) {
      // A helper whose module is not there would only make the firewall warn at each load.
      const others = new Set(definitions.filter((one) => one.available && !isSip(one.name)).map(({ name }) => name));
      editing.addToList(zone.section, 'helper', [...others]);
      // LuCI's zone dialog shows and keeps the list only beside this (zones.js), and the firewall makes the same of it.
      editing.set(zone.section, 'auto_helper', '0');
      why.add('uci-automatic');
    }
  }
  const part = fileStep({
    rank: RANK.configuration,
    why: [...why].join(' '),
    said: say('step-configuration', "Take the SIP helper out of the firewall's configuration, every other helper kept."),
    path: FIREWALL_CONFIG,
    before: uci.value.text,
    after: editing.text,
    commands: [...editing.commands, 'uci commit firewall'],
  });
  const settings = settingEdits(uci.value.text, editing.text);
  return { ...part, takes: part.takes.map((entry) => (entry.kind === 'file' ? { ...entry, settings } : entry)) };
}

function takeSipFrom(editing: Editing, section: string, isSip: (name: string) => boolean): void {
  const pkg = parseUci(editing.text);
  const found = pkg.sections.find((one) => describeSection(one, 'firewall') === section);
  const values = (found?.options ?? []).filter(({ name }) => name === 'helper');
  if (values.some(({ kind }) => kind === 'list')) {
    for (const value of new Set(values.map((one) => one.value)))
      if (isSip(helperNamed(value))) editing.takeFromList(section, 'helper', value);
    return;
  }
  // `option helper 'ftp sip'`: split at blanks, as both firewalls do.
  const last = values.at(-1)?.value ?? '';
  const kept = last.split(/\s+/).filter((value) => value !== '' && !isSip(helperNamed(value)));
  if (kept.length === 0) editing.drop(section, 'helper');
  else editing.set(section, 'helper', kept.join(' '));
}
