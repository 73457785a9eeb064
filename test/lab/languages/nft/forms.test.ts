/** What is taken out of nftables and given back, against the real nft in a network namespace of this process. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { perform, takeBack } from '../../../../src/apply/perform.ts';
import type { Host } from '../../../../src/host/host.ts';
import { nodeHost } from '../../../../src/engines/node/host.ts';
import type { TakenNft } from '../../../../src/journal/taken.ts';
import { chainKey, observeNft } from '../../../../src/observe/nft.ts';
import type { Facts, NftFacts } from '../../../../src/observe/facts.ts';
import { observe } from '../../../../src/observe/observe.ts';
import { giveBackNft } from '../../../../src/plan/give-back-nft.ts';
import { planRules } from '../../../../src/plan/nft.ts';
import type { Step } from '../../../../src/plan/step.ts';
import { comparable } from '../../listing.ts';
import { recordedRouter } from '../../../routers.ts';
import { FORMS } from './forms.ts';

/** A namespace that is gone when this process is: its only inhabitant reads from a pipe of ours. */
async function namespace(): Promise<{ host: Host; holder: ChildProcess }> {
  const holder = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; read -r _'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((ready, failed) => {
    holder.once('error', failed);
    holder.stdout.once('data', ready);
  });
  const host: Host = {
    ...nodeHost,
    run: (argv, options) => nodeHost.run(['nsenter', `--net=/proc/${holder.pid}/ns/net`, ...argv], options),
  };
  return { host, holder };
}

const forms = suite<{ host: Host; holder: ChildProcess; facts: Facts }>('nft as it is');

forms.before(async (context) => {
  Object.assign(context, await namespace());
  context.facts = await observe(recordedRouter('stock-alg-on'));
});

forms.after(({ holder }) => {
  holder.stdin?.end();
});

async function nft(host: Host, argv: string[], input?: string): Promise<string> {
  const outcome = await host.run(['nft', ...argv], input === undefined ? {} : { input });
  if (outcome.state !== 'exited' || outcome.code !== 0) throw new Error(`nft ${argv.join(' ')}: ${JSON.stringify(outcome)}`);
  return outcome.stdout;
}

const listing = async (host: Host): Promise<unknown[]> =>
  comparable((JSON.parse(await nft(host, ['-j', 'list', 'ruleset'])) as { nftables: unknown[] }).nftables);

async function load(host: Host, ruleset: string): Promise<void> {
  await nft(host, ['flush', 'ruleset']);
  await nft(host, ['-f', '-'], ruleset);
}

async function seen(host: Host, wanted: readonly string[] = []): Promise<NftFacts> {
  const reading = await observeNft(host, wanted);
  if (reading.state !== 'present') throw new Error(JSON.stringify(reading));
  return reading.value;
}

async function planned(context: { host: Host; facts: Facts }): Promise<{ steps: Step[]; taken: TakenNft }> {
  const part = planRules({ ...context.facts, nft: { state: 'present', source: 'nft', value: await seen(context.host) } }, true);
  assert.equal(part.refused, []);
  return { steps: part.steps, taken: part.takes[0] as TakenNft };
}

/** The listing less what has to do with the kernel's SIP helper. */
function withoutSip(entries: readonly unknown[], names: ReadonlySet<string>): string[] {
  return entries
    .filter((entry) => !('ct helper' in (entry as object) && (entry as { 'ct helper': { type: string } })['ct helper'].type === 'sip'))
    .map((entry) => JSON.stringify(entry))
    .filter((text) => ![...names].some((name) => text.includes(`"ct helper":"${name}"`)));
}

for (const { what, finds, ruleset } of FORMS) {
  forms(`${what}: found, taken, and given back at once`, async (context) => {
    const { host } = context;
    await load(host, ruleset);
    const before = await listing(host);
    assert.is((await seen(host)).assignments.length, finds);
    const { steps } = await planned(context);
    const done: Step[] = [];
    await perform(
      host,
      steps,
      done,
      () => {},
      () => true,
    );
    const now = await seen(host);
    assert.equal([now.assignments, now.helpers], [[], []]);
    assert.equal(await takeBack(host, done, () => {}), []);
    assert.equal(await listing(host), before);
    assert.equal(await takeBack(host, done, () => {}), [], 'taking back twice');
    assert.equal(await listing(host), before, 'taking back twice');
  });

  forms(`${what}: given back later from the journal, and nothing else was touched`, async (context) => {
    const { host, facts } = context;
    await load(host, ruleset);
    const before = await listing(host);
    const { steps, taken } = await planned(context);
    await perform(
      host,
      steps,
      [],
      () => {},
      () => true,
    );
    const after = await listing(host);
    assert.is(JSON.stringify(after).includes('"type":"sip"'), false);
    const names = new Set(taken.helpers.map(({ name }) => name));
    const maps = (entries: readonly unknown[]): string[] => withoutSip(entries, names).filter((text) => !text.includes('"map"'));
    assert.equal(
      maps(after),
      maps(before).filter((text) => !isTaken(text, taken)),
    );
    const journal = JSON.parse(JSON.stringify(taken)) as TakenNft;
    const value = await seen(host, journal.rules.map(chainKey));
    const back = giveBackNft({ ...facts, nft: { state: 'present', source: 'nft', value } }, journal);
    await perform(
      host,
      back.steps,
      [],
      () => {},
      () => true,
    );
    assert.equal(await listing(host), before);
    const again = await seen(host, journal.rules.map(chainKey));
    assert.equal(giveBackNft({ ...facts, nft: { state: 'present', source: 'nft', value: again } }, journal).steps, []);
    assert.is((await planned(context)).steps.length, steps.length);
  });
}

/** Rules of the same name in another table are told apart by the table; names alone are not enough there. */
function isTaken(text: string, taken: TakenNft): boolean {
  const { rule } = JSON.parse(text) as { rule?: { family: string; table: string; expr: unknown[] } };
  return (
    rule !== undefined
    && taken.helpers.some(
      (one) => one.family === rule.family && one.table === rule.table && JSON.stringify(rule.expr).includes(`"ct helper":"${one.name}"`),
    )
  );
}

forms('every ruleset that fw4 rendered: taken and given back', async (context) => {
  const { host } = context;
  for (const name of [
    'stock-alg-on',
    'lan-explicit-helpers',
    'set-helper-rule',
    'port-forward-5060',
    'global-auto-helper-off',
    'user-include',
    'stock-alg-absent',
  ]) {
    const text = readFileSync(`test/fixtures/fw4/${name}.print.nft`, 'utf8').replace(
      'include "/etc/nftables.d/*.nft"',
      name === 'user-include' ? readFileSync('test/fixtures/fw4/user-include.nftables.d-20-user.nft', 'utf8') : '',
    );
    await load(host, text);
    const before = await listing(host);
    const { steps } = await planned(context);
    assert.is(steps.length, name === 'stock-alg-absent' ? 0 : 1, name);
    const done: Step[] = [];
    await perform(
      host,
      steps,
      done,
      () => {},
      () => true,
    );
    assert.not.match(JSON.stringify(await listing(host)), /"sip"/, name);
    assert.equal(await takeBack(host, done, () => {}), []);
    assert.equal(await listing(host), before, name);
  }
});

forms('each change is one transaction: what nft refuses leaves everything as it was', async (context) => {
  const { host } = context;
  await load(host, FORMS[2]!.ruleset);
  const { steps } = await planned(context);
  // Between the plan and the step somebody takes one of the rules away.
  const { chains } = await seen(host);
  await nft(host, ['delete', 'rule', 'inet', 't', 'c', 'handle', String(chains[0]!.rules[1]!.handle)]);
  const before = await listing(host);
  try {
    await perform(
      host,
      steps,
      [],
      () => {},
      () => true,
    );
    assert.unreachable('It worked.');
  } catch (error) {
    assert.match((error as Error).message, /That did not work: `.*nft -c -f -` ended with exit code 1/);
  }
  assert.equal(await listing(host), before);
});

forms('the echoed command, typed into a shell, does what the step does', async (context) => {
  const { host } = context;
  for (const { what, ruleset } of FORMS) {
    await load(host, ruleset);
    const { steps } = await planned(context);
    await perform(
      host,
      steps,
      [],
      () => {},
      () => true,
    );
    const after = await listing(host);
    await load(host, ruleset);
    for (const command of steps.flatMap(({ commands }) => commands)) {
      const outcome = await host.run(['sh', '-c', command]);
      assert.is(outcome.state === 'exited' ? outcome.code : outcome.state, 0, `${what}: ${command}: ${JSON.stringify(outcome)}`);
    }
    assert.equal(await listing(host), after, what);
  }
});

forms.run();
