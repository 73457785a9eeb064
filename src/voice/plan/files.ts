/** Our own files on a router. */
import { word } from '../../languages/shell/command.ts';
import { changeFile, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { RANK } from '../../plan/step.ts';
import type { Action } from '../../plan/step.ts';
import type { PolicyFacts } from '../facts.ts';
import { POLICY_FILE } from '../paths.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

/** A longer text is not echoed: it is in the file. */
const MOST_ECHOED = 2000;

export function textOf(policy: PolicyFacts, path: string): string | null {
  const file = policy.files[path];
  return file?.state === 'present' ? file.value : null;
}

function commandOf(path: string, after: string | null): string {
  if (after === null) return `rm ${path}`;
  if (after.length > MOST_ECHOED) return `# write ${path}, ${after.length} bytes`;
  // A line of its own for each would be no command that can be typed.
  return `printf '%s\\n' ${after.trimEnd().split('\n').map(word).join(' ')} > ${path}`;
}

export const removal = (file: string): Said => say('step-remove', 'Remove {file}.', { file });

/** What could not be read keeps the voice rules as they are. */
export const leftAsTheyAre = (source: string, because: string): Said =>
  say('refused-voice-unread', 'The voice firewall rules are left as they are: {source} could not be read: {because}.', { source, because });

/**
 * A file of ours becomes `after`; null: it goes. One that could not be read is left as it is. `/etc/sipalg.policy` comes first
 * and goes last, for without it nothing of the rest is looked for.
 */
export function changeOwn(policy: PolicyFacts, path: string, after: string | null, said: Said, checks: Action[] = []): Part {
  const file = policy.files[path];
  if (file?.state === 'failed')
    return refuse([
      say('refused-own-unread', '{file} could not be read, so it is left as it is: {because}.', { file: path, because: file.because }),
    ]);
  const trace = path === POLICY_FILE;
  const { steps, ...part } = changeFile({
    rank: after === null ? (trace ? RANK.trace : RANK.policyOff) : trace ? RANK.policy : RANK.policyFiles,
    why: after === null ? 'policy-unwanted' : 'policy-missing',
    said,
    path,
    before: textOf(policy, path),
    after,
    checks,
    commands: [commandOf(path, after)],
  });
  return { ...part, steps: trace && after === null ? steps.map((step) => ({ ...step, last: true as const })) : steps };
}
