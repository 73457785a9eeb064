/**
 * `sipalg rpcd call METHOD` answers a call of /usr/libexec/rpcd/sipalg; `sipalg rpcd run TOWARDS ID` is the run that a call
 * has started and does not wait for to its end; `sipalg rpcd watch SECONDS` is the watch that a page has asked for.
 */
import type { Summary as WatchSummary } from '../watch/watching.ts';
import type { Listener } from '../rpcd/watch-calls.ts';
import type { Told } from '../watch/told.ts';
import { Trouble } from '../words/say.ts';
import type { Coded } from '../words/say.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { missing } from './missing.ts';

const WATCH = { name: 'watch', options: [], package: 'sipalg-calls' };

const watchParts = () =>
  Promise.all([import('./watch.ts'), import('../watch/said.ts'), import('./watch-causes.ts'), import('../rpcd/watch-calls.ts')]);

/**
 * The command `watch`, whose words go to a listener instead of a terminal. Rejects with Trouble where its package is missing.
 * @param load its parts of the program
 */
export async function watching(
  doors: Doors,
  seconds: string,
  terminal: Terminal,
  { told, remark, each, goOn }: Listener,
  load = watchParts,
): Promise<void> {
  const parts = await load().catch((error: Error) => {
    const said = missing(error, { command: WATCH, given: new Map() }, doors.surveyor.version);
    throw said === null ? error : new Trouble(said);
  });
  const [{ watch }, { toldSaid }, { causeSaid, fixesOf, namedIn }, { sentenceOf }] = parts;
  const heard = (line: string): void => {
    const { what } = JSON.parse(line) as { what: string };
    if (what === 'remark') {
      const { text, code, parameters } = JSON.parse(line) as { text: string } & Partial<Coded>;
      remark(code === undefined ? { text } : { text, coded: { text: parameters === undefined ? { code } : { code, parameters } } });
    } else if (what !== 'watching' && what !== 'summary') {
      const one = JSON.parse(line) as Told;
      const { at, cause, phone, call } = one;
      told({ at, cause, phone, call, ...sentenceOf(toldSaid(one)) });
    }
  };
  const given = new Map([
    ['--for', seconds],
    ['--json', ''],
  ]);
  const summing = (summary: WatchSummary): Promise<void> => {
    const causes = namedIn(summary.causes).map(({ code, times, cause }) => ({
      code,
      times,
      ...sentenceOf(causeSaid(cause)),
      fixes: fixesOf(cause).map(sentenceOf),
    }));
    return each({ ...summary, causes });
  };
  const listening: Terminal = {
    ...terminal,
    json: heard,
    err: (text) => remark({ text: text.trim() }),
    goOn: () => terminal.goOn() && goOn(),
  };
  await watch(doors, given, listening, summing);
}

export async function rpcd(doors: Doors, given: Given, terminal: Terminal): Promise<0 | 2> {
  const { host, surveyor, clock } = doors;
  const verb = given.get('VERB') ?? '';
  const what = given.get('WHAT') ?? '';
  if (verb === 'call' && clock !== undefined) {
    const { answer, WrongArgument } = await import('../rpcd/plugin.ts');
    const input = await terminal.input();
    try {
      terminal.json(`${await answer({ host, surveyor, clock }, what, input.state === 'present' ? input.value : '')}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof WrongArgument)) throw error;
      // What is no JSON rpcd answers with the status for a wrong argument, as the daemon does.
      terminal.out(`${error.message}\n`);
      return 2;
    }
  }
  if (verb === 'run' && (what === 'disabled' || what === 'enabled')) {
    const { carryOut } = await import('../rpcd/carry-out.ts');
    await carryOut({
      host,
      surveyor,
      towards: what,
      id: given.get('[ID]') ?? '',
      goOn: terminal.goOn,
      say: (line) => terminal.err(`${line}\n`),
    });
    return 0;
  }
  if (verb === 'watch') {
    const { watchCalls } = await import('../rpcd/watch-calls.ts');
    await watchCalls({ host, seconds: Number(what), watch: (listener) => watching(doors, what, terminal, listener) });
    return 0;
  }
  terminal.err('sipalg: `sipalg rpcd` is called by /usr/libexec/rpcd/sipalg: call METHOD, run disabled|enabled ID, or watch SECONDS.\n');
  return 2;
}
