/** /etc/config/sipalg over the page's own mount: what is asked and answered. The rights are rpcd's for the package, as in LuCI. */
import type { Logins } from './logins.ts';
import { json, refusal } from './message.ts';
import type { Answer } from './message.ts';
import type { Session } from './sessions.ts';
import { say } from '../words/say.ts';
import type { Coded } from '../words/say.ts';

/** A section as a form shows it, and a change to one: see wish/edit.ts. */
export interface ConfigurationSection {
  type: string;
  section: string;
  values: Record<string, string | string[]>;
}

/** Something that the program refuses, and at which field. */
export interface Refusal extends Partial<Coded> {
  /** As uci names it, `sipalg.main`. */
  section: string;
  option: string;
  text: string;
}

export interface ConfigurationReply {
  /** Names what was read: who writes says on which it builds. */
  revision: string;
  sections: ConfigurationSection[];
}

export type Written =
  | { done: ConfigurationReply }
  /** Somebody else has written meanwhile; nothing was. */
  | { stale: true }
  /** Nothing was written. */
  | { refused: Refusal[] };

/** What a daemon hands in. Both reject with an Error, a sentence. */
export interface ConfigurationDoor {
  /** @param secrets with what only who may write it is shown */
  read(secrets: boolean): Promise<ConfigurationReply>;
  /** @param changes as they came, to be checked */
  write(revision: string, changes: readonly unknown[]): Promise<Written>;
}

/** Changes in one request; a form has fewer fields. */
const MOST_CHANGES = 500;

/** @returns null where the session may; `over` where rpcd knows it no more */
async function barred(session: Session, right: 'read' | 'write', logins: Logins): Promise<Answer | 'over' | null> {
  if (session.rpcd === null) return null;
  const access = await logins.configuration(session.rpcd, right);
  if (typeof access === 'object') return refusal(503, access.unavailable);
  if (access === 'over') return 'over';
  if (access === 'granted') return null;
  return refusal(
    403,
    right === 'write'
      ? say('http-no-uci-write', 'This session may not change the configuration: the user lacks the right to write the package sipalg.')
      : say('http-no-uci-read', 'This session may not see the configuration: the user lacks the right to read the package sipalg.'),
  );
}

/** Answers a request whose session is known. @returns `over` where that has ended meanwhile */
export async function answerConfiguration(
  door: ConfigurationDoor,
  session: Session,
  logins: Logins,
  write: boolean,
  { revision, changes }: { readonly [name: string]: unknown },
): Promise<Answer | 'over'> {
  const no = await barred(session, write ? 'write' : 'read', logins);
  if (no !== null) return no;
  try {
    if (!write) return json(200, { result: await door.read((await barred(session, 'write', logins)) === null) });
    if (typeof revision !== 'string' || !Array.isArray(changes) || changes.length > MOST_CHANGES)
      return refusal(400, `A change says on which revision it builds, and has at most ${MOST_CHANGES} changes.`);
    const written = await door.write(revision, changes as unknown[]);
    return json('done' in written ? 200 : 'stale' in written ? 409 : 422, { result: written });
  } catch (error) {
    return refusal(500, (error as Error).message);
  }
}
