/** `probe --provider` and `probe --mirror`: what happens to SIP between here and another host. */
import { noteProbe } from '../probe/last.ts';
import type { ExitCode } from '../survey/survey.ts';
import { published } from '../words/published.ts';
import { say, Trouble } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { Doors, Given, Terminal } from './command.ts';

const MOST_SILENCE = 3600;
const MOST_TRIES = 8;

/** @returns seconds in rising order, or what is wrong */
function readSilence(text: string): number[] | { wrong: Said } {
  const all = text.split(',').map((word) => word.trim());
  const good = all.every((word) => /^\d{1,4}$/.test(word) && Number(word) >= 1 && Number(word) <= MOST_SILENCE);
  if (!good || all.length > MOST_TRIES) {
    return {
      wrong: say(
        'probe-silence-given',
        '`sipalg probe --silence` was given {given}; it takes seconds from 1 to {most}, '
          + 'up to {tries} of them with commas between, such as 30,60,120,300.',
        { given: JSON.stringify(text.slice(0, 60)), most: MOST_SILENCE, tries: MOST_TRIES },
      ),
    };
  }
  return [...new Set(all.map(Number))].sort((one, other) => one - other);
}

/** @throws Error in a sentence, where nothing could be asked */
export async function probeFar(doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const [provider, mirror, silence] = ['--provider', '--mirror', '--silence'].map((name) => given.get(name));
  const seconds = silence === undefined ? [] : readSilence(silence);
  if ('wrong' in seconds) throw new Trouble(seconds.wrong);
  const [{ readTarget }, { hereOf, namesOf }] = await Promise.all([
    import('../probe/provider/target.ts'),
    import('../probe/provider/here.ts'),
  ]);
  const target = readTarget((provider ?? mirror)!);
  if ('wrong' in target) throw new Trouble(target.wrong);
  const { host, surveyor, clock } = doors;
  if (doors.network === undefined || clock === undefined)
    throw new Trouble(say('probe-no-network', 'this build has no way to other hosts.'));
  const network = await doors.network();
  const here = await hereOf(host, surveyor);
  const quiet = given.has('--json');
  const { put } = terminal;
  const shared = {
    network,
    clock,
    names: await namesOf(host, network),
    here,
    version: surveyor.version,
    goOn: terminal.goOn,
    ...(terminal.progress === undefined ? {} : { progress: (said: Said) => terminal.progress?.(said) }),
  };
  const { probed, text } = await (provider !== undefined
    ? import('../probe/provider/probe.ts').then(async ({ probeProvider }) => {
        const result = await probeProvider(shared, target, seconds);
        return { probed: result, text: async () => (await import('./probe-far-text.ts')).providerText(result, put, terminal.width) };
      })
    : import('../probe/mirror/probe.ts').then(async ({ probeMirror }) => {
        const result = await probeMirror(shared, target);
        return { probed: result, text: async () => (await import('./probe-far-text.ts')).mirrorText(result, put, terminal.width) };
      }));
  if (quiet) terminal.json(`${ascii(JSON.stringify({ version: surveyor.version, ...published(probed) }, null, 2))}\n`);
  else terminal.out(await text());
  if (!terminal.goOn())
    terminal.err(
      `sipalg: ${put(say('probe-stopped', 'it was stopped before its end; what had not come by then counts as unanswered.'))}\n`,
    );
  const { verdict } = probed;
  const code: ExitCode = !terminal.goOn() ? 2 : verdict === 'unchanged' ? 0 : verdict === 'inconclusive' ? 2 : 1;
  const changed =
    'tried' in probed
      ? probed.tried.filter(({ fate }) => fate === 'rewritten' || fate === 'dropped').length
      : probed.looks.filter(({ outcome }) => outcome.state === 'answered' && outcome.answer.alterations.length > 0).length;
  const complain = (text: string): void => terminal.err(`sipalg: ${text}\n`);
  // On a PC nobody reads it.
  if (terminal.goOn() && here.kind === 'router')
    await noteProbe(host, complain, provider === undefined ? 'mirror' : 'provider', code, probed.messages, changed);
  return code;
}

/** A server's words are anybody's bytes: a terminal that shows the JSON obeys none of them. */
const ascii = (text: string): string => text.replace(/[\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
