/** Reads and writes /etc/config/sipalg for the page's own mount: under the lock of a run, whole or not at all. */
import { OWN_LOCK, take } from '../apply/locks.ts';
import { hash } from '../host/hash.ts';
import type { Host } from '../host/host.ts';
import type { ConfigurationDoor, ConfigurationReply, Written } from '../http/configuration.ts';
import { Refused } from '../languages/refused.ts';
import { word } from '../languages/shell/command.ts';
import { WISH_CONFIG } from '../observe/observe.ts';
import { edited, newProblems, shownOf } from '../wish/edit.ts';
import type { Change } from '../wish/edit.ts';
import { SCHEMA } from '../wish/schema.ts';
import type { TypeName } from '../wish/schema.ts';
import { say, Trouble } from '../words/say.ts';

export interface ConfigurationOptions {
  host: Host;
  /** Hears every change as a command that one could type. */
  echo: (command: string) => void;
  /** It was written: the router is to be made to match. */
  onWritten: () => void;
}

/** Where there is no file yet: it may hold a password. */
const PRIVATE = 0o600;
/** Milliseconds that another run is waited for. */
const PATIENCE = 5000;

/** Values in a list: all networks that one request can bring (http/message.ts). */
const MOST_VALUES = 30_000;

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 1000;

/** A change as it came, or null where it is none. */
function changeOf(given: unknown): Change | null {
  const { do: what, type, section, option, value } = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  if (!isText(section)) return null;
  if (what === 'remove') return { do: what, section };
  if (!isText(type) || !Object.hasOwn(SCHEMA, type)) return null;
  const known = type as keyof typeof SCHEMA;
  if (what === 'add') return { do: what, type: known, section };
  const fits = isText(value) || (Array.isArray(value) && value.length <= MOST_VALUES && value.every(isText));
  return what === 'set' && isText(option) && fits ? { do: what, type: known, section, option, value: value as string | string[] } : null;
}

const isSecret = (type: string, option: string): boolean => {
  const { options } = SCHEMA[type as TypeName] ?? {};
  return (options as Record<string, { secret?: boolean }> | undefined)?.[option]?.secret === true;
};

/** As `uci` would be told. Who copies a line is to run what it says, whatever somebody has written into a field. */
function commandsOf(change: Change): string[] {
  const at = (option = ''): string => word(`sipalg.${change.section}${option === '' ? '' : `.${option}`}`);
  const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;
  if (change.do === 'remove') return [`uci delete ${at()}`];
  if (change.do === 'add') return [`uci set ${at()}=${change.type}`];
  const { type, option, value } = change;
  // The log is no place for a password.
  if (isSecret(type, option)) return [`uci set ${at(option)}=...`];
  if (typeof value === 'string') return [value === '' ? `uci delete ${at(option)}` : `uci set ${at(option)}=${quoted(value)}`];
  return [`uci delete ${at(option)}`, ...value.map((each) => `uci add_list ${at(option)}=${quoted(each)}`)];
}

/** The same without what is shown to nobody who may not write it. */
const withoutSecrets = ({ revision, sections }: ConfigurationReply): ConfigurationReply => ({
  revision,
  sections: sections.map(({ type, section, values }) => ({
    type,
    section,
    values: Object.fromEntries(Object.entries(values).filter(([option]) => !isSecret(type, option))),
  })),
});

export function createConfiguration({ host, echo, onWritten }: ConfigurationOptions): ConfigurationDoor {
  async function textNow(): Promise<string> {
    const file = await host.read(WISH_CONFIG);
    if (file.state === 'failed')
      throw new Trouble(say('form-unread', '{file} could not be read: {because}.', { file: WISH_CONFIG, because: file.because }));
    return file.state === 'present' ? file.value : '';
  }

  const replyOf = (text: string): ConfigurationReply => ({ revision: hash(text), sections: shownOf(text) });
  const refused = (error: unknown): Written => {
    if (!(error instanceof Refused)) throw error;
    const because = say('form-refused', '{file}: {because}.', { file: WISH_CONFIG, because: error.message });
    return { refused: [{ section: 'sipalg', option: '', ...because }] };
  };

  async function writeNow(revision: string, changes: readonly Change[]): Promise<Written> {
    const before = await textNow();
    if (hash(before) !== revision) return { stale: true };
    let after: string;
    try {
      after = edited(before, changes);
    } catch (error) {
      return refused(error);
    }
    const problems = newProblems(before, after);
    if (problems.length > 0) return { refused: problems };
    if (after === before) return { done: replyOf(before) };
    for (const command of [...changes.flatMap(commandsOf), 'uci commit sipalg']) echo(command);
    await host.write(WISH_CONFIG, after, PRIVATE);
    if ((await textNow()) !== after)
      throw new Trouble(
        say('form-raced', '{file} is not as it was written; somebody else writes it too. Read it again.', { file: WISH_CONFIG }),
      );
    onWritten();
    return { done: replyOf(after) };
  }

  return {
    async read(secrets) {
      const text = await textNow();
      try {
        return secrets ? replyOf(text) : withoutSecrets(replyOf(text));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const { line, message: because } = error;
        throw new Trouble(say('form-line', '{file}, line {line}: {because}.', { file: WISH_CONFIG, line, because }));
      }
    },
    async write(revision, given) {
      const changes = given.map(changeOf);
      if (changes.some((change) => change === null)) throw new Error('One of the changes is none that this program knows.');
      // A run reads and writes the same file.
      const who = `process ${host.process().pid} (a change of the configuration)`;
      const lock = await take(host, OWN_LOCK, { patience: PATIENCE, goOn: () => true }, who, 'sipalg');
      try {
        return await writeNow(revision, changes as Change[]);
      } finally {
        await lock.release();
      }
    },
  };
}
