/** What to say where a chunk of the program is not there: engines say it with a path and no advice. */
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { Command, Given } from './command.ts';

/** @returns null: it is another error */
export function missing(
  { message }: Error,
  { command, given }: { command: Pick<Command, 'name' | 'options' | 'package'>; given: Given },
  version: string,
): Said | null {
  const [, path] = /^(?:Cannot find module|could not load module filename|could not load module) '([^']+)'/.exec(message) ?? [];
  if (path === undefined) return null;
  // Chunks have other names in another version, so one that is there but older is none.
  const lacking = command.options.find((option) => option.package !== undefined && given.has(option.name))?.package ?? command.package;
  return lacking === undefined
    ? say('missing-file', 'a file of this program is missing ({file}); install sipalg again.', { file: path })
    : say('missing-package', '`sipalg {command}` is in a package of its own; install {package}, of this version ({version}).', {
        command: command.name,
        package: lacking,
        version,
      });
}
