/**
 * `sipalg rpcd call METHOD` answers a call of /usr/libexec/rpcd/sipalg; `sipalg rpcd run TOWARDS ID` is the run that a call
 * has started and does not wait for to its end; `sipalg rpcd watch SECONDS` is the watch that a page has asked for.
 */
import type { Summary as WatchSummary } from '../watch/watching.ts';
import type { Listener } from '../rpcd/watch-calls.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { errorText } from './errors.ts';
import { coded } from '../words/say.ts';

/** The command `watch`, whose words go to a listener instead of a terminal. */
async function watching(doors: Doors, seconds: string, terminal: Terminal, { told, remark, each }: Listener): Promise<void> {
  // It is in a package of its own.
  const parts = await Promise.all([import('./watch.ts'), import('./watch-text.ts'), import('../watch/said.ts')]).catch(() => null);
  if (parts === null)
    throw new Error(`Watching calls is in a package of its own; install sipalg-calls, of this version (${doors.surveyor.version}).`);
  const [{ watch }, { toldLine }, { CAUSES }] = parts;
  const heard = (line: string): void => {
    const { what, ...one } = JSON.parse(line) as { what: string; at: number; cause: string | null; text?: string };
    if (what === 'remark') remark(one.text ?? '');
    else if (what !== 'watching' && what !== 'summary') {
      const said = toldLine({ what, ...one } as Parameters<typeof toldLine>[0]);
      told({ at: one.at, cause: one.cause, text: said.text, coded: { text: coded(said) } });
    }
  };
  const given = new Map([
    ['--for', seconds],
    ['--json', ''],
  ]);
  const summing = (summary: WatchSummary): Promise<void> => {
    const causes = Object.entries(summary.causes).map(([code, times]) => {
      const said = CAUSES[code as keyof typeof CAUSES];
      return { code, times, text: said.text, coded: { text: coded(said) } };
    });
    return each({ ...summary, causes });
  };
  await watch(doors, given, { ...terminal, json: heard, err: (text) => remark(text.trim()) }, summing).catch((error: Error) => {
    throw new Error(errorText(error, terminal.put));
  });
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
