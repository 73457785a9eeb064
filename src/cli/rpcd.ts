/**
 * `sipalg rpcd call METHOD` answers a call of /usr/libexec/rpcd/sipalg; `sipalg rpcd run TOWARDS ID` is the run that a call
 * has started and does not wait for to its end.
 */
import type { Doors, Given, Terminal } from './command.ts';

export async function rpcd({ host, surveyor, clock }: Doors, given: Given, terminal: Terminal): Promise<0 | 2> {
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
  terminal.err('sipalg: `sipalg rpcd` is called by /usr/libexec/rpcd/sipalg: call METHOD, or run disabled|enabled ID.\n');
  return 2;
}
