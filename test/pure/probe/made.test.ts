/** What is said where a rule or a route of a test does not go, by the words of iproute2 and of busybox where there is none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../../../src/host/host.ts';
import { NOTHING, unmake } from '../../../src/probe/record/made.ts';

const made = suite('what a test has made');

const RULE = ['to', '192.0.2.36/30', 'iif', 'br-lan', 'lookup', '190', 'priority', '51'];
const ROUTE = ['192.0.2.37/32', 'dev', 'wanb', 'table', '190'];

/** @returns what could not be taken away, and which commands were run */
async function taken(ended: { state: string; code?: number; stderr?: string }): Promise<[left: string[], run: string[]]> {
  const run: string[] = [];
  const host = {
    process: () => ({ pid: 7, uid: 0 }),
    remove: async () => undefined,
    run: async (argv: readonly string[]) => {
      run.push(argv.join(' '));
      return { command: argv.join(' '), stdout: '', stderr: '', ...ended };
    },
  } as unknown as Host;
  return [await unmake(host, { ...NOTHING, rules: [RULE], routes: [ROUTE] }), run];
}

made('goes, the rule before the route that it leads to', async () => {
  const commands = [`ip rule del ${RULE.join(' ')}`, `ip route del ${ROUTE.join(' ')}`];
  assert.equal(await taken({ state: 'exited', code: 0 }), [[], commands]);
});

made('is no trouble where it is gone', async () => {
  for (const stderr of [
    'RTNETLINK answers: No such file or directory',
    'RTNETLINK answers: No such process',
    'Error: FIB table does not exist.',
    'Cannot find device "wanb"',
    "ip: can't find device 'wanb'",
  ])
    assert.equal((await taken({ state: 'exited', code: 2, stderr }))[0], [], stderr);
  assert.equal((await taken({ state: 'absent' }))[0], [], 'without `ip` none was made');
});

made('is named where it stays, with what takes it away', async () => {
  const both = [
    `The rule ${RULE.join(' ')} could not be taken away: \`ip rule del ${RULE.join(' ')}\` does it.`,
    `The route ${ROUTE.join(' ')} could not be taken away: \`ip route del ${ROUTE.join(' ')}\` does it.`,
  ];
  assert.equal((await taken({ state: 'exited', code: 2, stderr: 'RTNETLINK answers: Operation not permitted' }))[0], both);
  assert.equal((await taken({ state: 'failed' }))[0], both);
});

made.run();
