/** Suites that hold each engine's door to the same table of tests. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../bundled.ts';
import { openDoor, type Door } from './remote.ts';

export interface Context {
  engine: Engine;
  door: Door;
  folder: string;
}

const NAMES: Readonly<Record<Engine, string>> = { node: 'Node', quickjs: 'QuickJS' };

/** A suite with a door that is open and a folder of its own; the door must have complained of nothing at the end. */
export function throughDoor(title: string, engine: Engine) {
  const made = suite<Context>(`${title} through ${NAMES[engine]}`);
  made.before(async (context) => {
    context.engine = engine;
    context.folder = fs.mkdtempSync(join(tmpdir(), 'host-'));
    context.door = await openDoor(engine);
  });
  made.after(async ({ door, folder }) => {
    await door.close();
    assert.is(door.complaints(), '');
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return made;
}

/** The message of what a promise is rejected with. */
export async function complaint(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, Error);
    return (error as Error).message;
  }
  throw new Error('It worked.');
}
