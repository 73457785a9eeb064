/**
 * Apply: brings a router to a wish, under a lock of our own and the firewall's,
 * with the journal written before anything changes, and verifies by looking
 * again. On failure everything done is taken back.
 */
import type { Host, Lock } from '../host/host.ts';
import { JOURNAL_PATH, renderJournal, withTaken } from '../journal/journal.ts';
import type { Journal } from '../journal/journal.ts';
import { fingerprint } from '../judge/reach.ts';
import type { Facts } from '../observe/facts.ts';
import { observe } from '../observe/observe.ts';
import { observeSystem } from '../observe/system.ts';
import { plan } from '../plan/plan.ts';
import type { Towards } from '../plan/plan.ts';
import type { Plan, Step } from '../plan/step.ts';
import { perform, StepFailed, takeBack } from './perform.ts';
import type { Echo } from './perform.ts';

/** Two runs at once: the second waits so long, then says who holds it. */
export const OWN_LOCK = '/var/run/sipalg.lock';
const FIREWALL_LOCKS = { fw4: '/var/run/fw4.lock', fw3: '/var/run/fw3.lock' };

export interface ApplyOptions {
  /** The version of this program, for the journal. */
  program: string;
  /** Whether the wish is to be written down first. */
  writeDown: boolean;
  echo: Echo;
  /** false once a person wants it to stop: then everything is taken back. */
  goOn: () => boolean;
  /** Milliseconds to wait for each lock. Default 30,000. */
  patience?: number;
}

export interface Applied {
  /** reached: verified. held: what could be done is done, and what speaks against the rest is in the plan. */
  outcome: 'reached' | 'held' | 'failed';
  /** Why it failed, in sentences; empty otherwise. */
  because: string[];
  /** Whether anything was changed on the way. */
  changed: boolean;
  /** The last look, and what would still be to do. */
  facts: Facts;
  plan: Plan;
}

/** A run that could not even begin, in one sentence. */
export class NotBegun extends Error {}

/** Each pass looks, plans and acts; a second may be needed after a reload or when SIP turned out to be held. */
const PASSES = 4;

async function take(host: Host, path: string, patience: number, who: string, what: string): Promise<Lock> {
  const got = await host.lock(path, patience, who);
  if ('lock' in got) return got.lock;
  throw new NotBegun(`${what} is locked (${path})${got.busy === '' ? '' : ` by ${got.busy}`}, for longer than ${patience / 1000} s. Nothing was changed; try again when it has ended.`);
}

async function lockFirewall(host: Host, patience: number): Promise<Lock | null> {
  const { firewall } = await observeSystem(host);
  return firewall.state === 'present' ? take(host, FIREWALL_LOCKS[firewall.value], patience, '', 'The firewall') : null;
}

async function writeJournal(host: Host, journal: Journal | null): Promise<void> {
  if (journal === null) await host.remove(JOURNAL_PATH);
  else await host.write(JOURNAL_PATH, renderJournal(journal));
}

/** The run itself, both locks permitting. */
class Run {
  readonly host: Host;
  readonly towards: Towards;
  readonly options: ApplyOptions;
  readonly done: Step[] = [];
  private reloaded = false;
  changed = false;

  constructor(host: Host, towards: Towards, options: ApplyOptions) {
    this.host = host;
    this.towards = towards;
    this.options = options;
  }

  async look(): Promise<{ facts: Facts; plan: Plan }> {
    const facts = await observe(this.host);
    const planned = plan(facts, this.towards, this.options.writeDown);
    // A reload is asked of the firewall once: if the chain is not there then, its owner no longer wants it.
    const steps = planned.steps.filter((step) => !(step.unlocked && this.reloaded));
    return { facts, plan: { ...planned, steps } };
  }

  private journalOf(facts: Facts): Journal | null {
    return facts.journal.state === 'present' ? facts.journal.value : null;
  }

  /** What is written before the first step: at least what is going to be missing. */
  private async begin(facts: Facts, planned: Plan): Promise<void> {
    const before = this.journalOf(facts);
    if (this.towards === 'enabled') {
      if (before !== null) await writeJournal(this.host, { ...before, state: 'giving back' });
      return;
    }
    if (before === null && planned.takes.length === 0) return;
    const fresh: Journal = { format: 1, program: this.options.program, since: this.host.now(), state: 'taking', taken: [], held: null };
    await writeJournal(this.host, withTaken({ ...(before ?? fresh), state: 'taking' }, planned.takes));
  }

  /** One pass, under the firewall's lock where `locked` steps are run. */
  private async pass(): Promise<{ facts: Facts; plan: Plan; again: boolean }> {
    const lock = await lockFirewall(this.host, this.options.patience ?? 30_000);
    let seen: { facts: Facts; plan: Plan };
    try {
      seen = await this.look();
      if (seen.plan.steps.length === 0) return { ...seen, again: false };
      const { facts } = seen;
      const before = this.journalOf(facts);
      if (facts.journal.state === 'failed') throw new NotBegun(`The journal ${JOURNAL_PATH} could not be read: ${facts.journal.because}. It holds what can be given back, so nothing is changed; mend it, or move it away to start anew.`);
      await this.begin(facts, seen.plan);
      try {
        this.done.push(...await perform(this.host, seen.plan.steps.filter(({ unlocked }) => !unlocked), this.options.echo, this.options.goOn));
        this.changed = true;
      } catch (error) {
        await this.undoEarlier(before, error as Error);
        // Found out by trying: this firewall does not load without the module.
        if (!(error instanceof StepFailed) || !error.firewall) throw error;
        const held = { because: `without the SIP modules the firewall would not load (\`fw4 check\`): ${error.message}`, of: fingerprint(facts) };
        const fresh: Journal = { format: 1, program: this.options.program, since: this.host.now(), state: 'taking', taken: [], held: null };
        await writeJournal(this.host, { ...(before ?? fresh), held });
      }
    } finally {
      await lock?.release();
    }
    await this.reload(seen.plan.steps.filter(({ unlocked }) => unlocked));
    return { ...seen, again: true };
  }

  private async reload(steps: readonly Step[]): Promise<void> {
    if (steps.length === 0 || this.reloaded) return;
    this.reloaded = true;
    try {
      await perform(this.host, steps, this.options.echo, this.options.goOn);
    } catch (error) {
      await takeBack(this.host, this.done, this.options.echo);
      throw error;
    }
  }

  /** A later pass failed: what earlier ones did goes back too, and the journal says what it said. */
  private async undoEarlier(journal: Journal | null, cause: Error): Promise<void> {
    const failures = await takeBack(this.host, this.done, this.options.echo);
    this.done.length = 0;
    // While something could not be taken back, what the journal holds is still needed.
    if (failures.length > 0 || (cause instanceof StepFailed && !cause.undone)) {
      throw new Error([cause.message, ...failures].join(' '));
    }
    try {
      await writeJournal(this.host, journal);
    } catch (error) {
      throw new Error(`${cause.message} The journal could not be put back either: ${(error as Error).message}`);
    }
  }

  async run(): Promise<Applied> {
    let seen = await this.look();
    for (let passes = 0; passes < PASSES && seen.plan.refused.length === 0 && seen.plan.steps.length > 0; passes++) {
      const passed = await this.pass();
      seen = passed.again ? await this.look() : passed;
    }
    const { facts, plan: left } = seen;
    if (left.refused.length > 0) return { outcome: 'failed', because: left.refused, changed: this.changed, facts, plan: left };
    if (left.steps.length > 0) {
      const failures = await takeBack(this.host, this.done, this.options.echo);
      const still = left.steps.map(({ text }) => text).join(' ');
      throw new Error(`It did not hold: looking again, there was still to do: ${still} ${failures.length > 0 ? failures.join(' ') : 'What was done has been taken back.'}`);
    }
    return { ...await this.finish(facts), changed: this.changed, plan: left };
  }

  /** Verified: the journal says so, or goes when everything has been given back. */
  private async finish(facts: Facts): Promise<Pick<Applied, 'outcome' | 'because' | 'facts'>> {
    const journal = this.journalOf(facts);
    const held = this.towards === 'disabled' && plan(facts, 'disabled', false).held !== null;
    if (journal !== null) {
      if (this.towards === 'enabled') await writeJournal(this.host, null);
      else if (journal.state !== 'taken') await writeJournal(this.host, { ...journal, state: 'taken' });
    }
    const settled = journal === null || journal.state === 'taken' ? facts : await observe(this.host);
    return { outcome: held ? 'held' : 'reached', because: [], facts: settled };
  }
}

/**
 * Brings the router to `disabled` or `enabled`.
 * @throws NotBegun when it could not begin (not root, a lock is held); nothing was changed then.
 *   StepFailed, or another Error, when it began and did not work; what was done has been taken back.
 */
export async function apply(host: Host, towards: Towards, options: ApplyOptions): Promise<Applied> {
  const { pid, uid } = host.process();
  if (uid !== 0) throw new NotBegun('Only root may change what is asked here. Nothing was changed; run it as root.');
  const lock = await take(host, OWN_LOCK, options.patience ?? 30_000, `process ${pid} (sipalg, towards "${towards}")`, 'sipalg');
  try {
    return await new Run(host, towards, options).run();
  } finally {
    await lock.release();
  }
}
