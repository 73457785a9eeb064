/** The fields of /etc/config/sipalg: which options there are, in which tab, and what kind of field each is. Both mounts draw by it. */
import type { SCHEMA, TypeName } from '../wish/schema.ts';
import type { TabName } from './state.ts';

export type Kind = 'flag' | 'choice' | 'text' | 'list';

export interface Field {
  option: string;
  kind: Kind;
  /** What may be chosen; of a `text` it is proposed. */
  choices?: readonly string[];
  /** Where there are many sections of the type: it is a column. */
  column?: true;
  /** A flag of the same section without which it means nothing. */
  needs?: string;
  /** Not to be read over a shoulder. */
  secret?: true;
}

export interface Group {
  name: string;
  tab: TabName;
  type: TypeName;
  /** There may be any number of such sections, each with a name. */
  many: boolean;
  /** They mean nothing while voice rules are off. */
  voice: boolean;
  fields: readonly Field[];
}

type OptionOf<T extends TypeName> = keyof (typeof SCHEMA)[T]['options'] & string;

function group<T extends TypeName>(
  tab: TabName,
  type: T,
  fields: readonly (Field & { option: OptionOf<T> })[],
  { name = type as string, many = false, voice = false } = {},
): Group {
  return { name, tab, type, many, voice, fields };
}

/** Those that the page was built with, besides English (package/page.mjs). */
declare const SIPALG_LANGUAGES: readonly string[] | undefined;
const LANGUAGES = typeof SIPALG_LANGUAGES === 'undefined' ? [] : SIPALG_LANGUAGES;

const CLASSES = ['EF', 'VA', 'AF41', 'CS5', 'CS3', 'CS0'];

export const GROUPS: readonly Group[] = [
  group(
    'voice',
    'sipalg',
    [
      { option: 'policy', kind: 'flag' },
      { option: 'failback', kind: 'flag' },
    ],
    { name: 'rules' },
  ),
  group(
    'voice',
    'timeouts',
    [
      { option: 'signalling_replied', kind: 'text' },
      { option: 'signalling_unreplied', kind: 'text' },
      { option: 'media', kind: 'text' },
    ],
    { voice: true },
  ),
  group(
    'voice',
    'marking',
    [
      { option: 'enabled', kind: 'flag' },
      { option: 'media', kind: 'text', choices: CLASSES, needs: 'enabled' },
      { option: 'signalling', kind: 'text', choices: CLASSES, needs: 'enabled' },
      { option: 'overwrite', kind: 'flag', needs: 'enabled' },
    ],
    { voice: true },
  ),
  group(
    'voice',
    'limit',
    [
      { option: 'enabled', kind: 'flag' },
      { option: 'register', kind: 'text', needs: 'enabled' },
      { option: 'invite', kind: 'text', needs: 'enabled' },
      { option: 'options', kind: 'text', needs: 'enabled' },
      { option: 'other', kind: 'text', needs: 'enabled' },
      { option: 'kilobytes', kind: 'text', needs: 'enabled' },
    ],
    { voice: true },
  ),
  group(
    'providers',
    'provider',
    [
      { option: 'enabled', kind: 'flag', column: true },
      { option: 'host', kind: 'list', column: true },
      { option: 'signalling', kind: 'list', column: true },
      { option: 'media', kind: 'list' },
      { option: 'marking', kind: 'flag' },
      { option: 'inbound', kind: 'flag', column: true },
      { option: 'pbx', kind: 'list', needs: 'inbound' },
      { option: 'port', kind: 'list' },
      { option: 'media_ports', kind: 'text', needs: 'inbound' },
    ],
    { many: true },
  ),
  group(
    'providers',
    'site',
    [
      { option: 'enabled', kind: 'flag', column: true },
      { option: 'network', kind: 'list', column: true },
    ],
    { many: true },
  ),
  group(
    'settings',
    'sipalg',
    [
      { option: 'alg', kind: 'choice', choices: ['unmanaged', 'disabled', 'enabled'] },
      { option: 'lang', kind: 'text', choices: ['auto', 'en', ...LANGUAGES] },
    ],
    { name: 'general' },
  ),
  group('settings', 'serve', [
    { option: 'enabled', kind: 'flag' },
    { option: 'page', kind: 'flag', needs: 'enabled' },
    { option: 'listen', kind: 'text', needs: 'enabled' },
    { option: 'cert', kind: 'text', needs: 'enabled' },
    { option: 'key', kind: 'text', needs: 'enabled' },
    { option: 'every', kind: 'text', needs: 'enabled' },
    { option: 'log', kind: 'choice', choices: ['info', 'warning', 'error'] },
  ]),
  group('settings', 'metrics', [
    { option: 'enabled', kind: 'flag' },
    { option: 'every', kind: 'text', needs: 'enabled' },
  ]),
  group('settings', 'hep', [
    { option: 'enabled', kind: 'flag' },
    { option: 'server', kind: 'text', needs: 'enabled' },
    { option: 'node', kind: 'text', needs: 'enabled' },
    { option: 'password', kind: 'text', needs: 'enabled', secret: true },
    { option: 'calls', kind: 'flag', needs: 'enabled' },
  ]),
];

/** A field's key among the words: its type and option. */
export const keyOf = (type: TypeName, option: string): string => `${type}_${option}`;
