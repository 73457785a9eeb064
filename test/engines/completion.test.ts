/** What bash completes after `sipalg`, asked of bash itself, against the table of commands. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { COMMANDS } from '../../src/cli/commands.ts';
import { NAMES } from '../../src/diagnose/symptoms.ts';

const FILE = 'files/usr/share/bash-completion/completions/sipalg';
const OWNERS = COMMANDS.filter(({ internal }) => internal !== true);

const completion = suite('completion in bash');

/** @param words behind `sipalg`; the last one is being typed */
function completed(...words: string[]): string[] {
  const script = `. ${FILE}; COMP_WORDS=(sipalg "$@"); COMP_CWORD=$#; _sipalg; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p sipalg >&2`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8', timeout: 20_000 });
  assert.equal([status, stderr], [0, 'complete -F _sipalg sipalg\n']);
  return stdout.split('\n').filter((line) => line !== '');
}

completion('has every command, and no other', () => {
  assert.equal(
    completed(''),
    OWNERS.map(({ name }) => name),
  );
  assert.equal(completed('di'), ['diagnose', 'disable']);
  assert.equal(completed('help', 'pro'), ['probe']);
});

completion('has the options of each, and no other', () => {
  for (const { name, options } of OWNERS)
    assert.equal(
      completed(name, '-'),
      options.map((option) => option.name),
      name,
    );
});

completion('has symptoms, and files where a file is wanted', () => {
  assert.equal(completed('diagnose', ''), NAMES);
  assert.equal(completed('diagnose', 'no'), ['not-received', 'no-audio']);
  assert.equal(completed('status', '--from', 'READ'), ['README.md']);
  assert.equal(completed('compare', 'READ'), ['README.md']);
  // A number of seconds is nobody's to guess.
  assert.equal(completed('watch', '--for', ''), []);
});

completion.run();
