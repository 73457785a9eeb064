/**
 * Apply: brings a router to a wish, under a lock of our own and the firewall's,
 * with the journal written before anything changes, and verifies by looking
 * again. On failure everything done is taken back.
 */
import { UNFINISHED, unfinishedAmong } from '../host/host.ts';
import type { Host, Lock } from '../host/host.ts';
import { JOURNAL_MODE, JOURNAL_PATH, withTaken } from '../journal/journal.ts';
import type { Journal } from '../journal/journal.ts';
import { registration } from '../judge/evidence.ts';
import { assignmentsOf, fingerprint, heldByLoad, unread } from '../judge/questions.ts';
import { MODULES_CONF } from '../observe/boot.ts';
import type { Facts } from '../observe/facts.ts';
import { FIREWALL_CONFIG } from '../observe/firewall.ts';
import { WISH_CONFIG } from '../observe/observe.ts';
import { orElse } from '../observe/reading.ts';
import { putFile } from '../plan/files.ts';
import { planLine, planStale } from '../plan/kernel.ts';
import { planAlg } from '../plan/plan.ts';
import { isLasting, RANK } from '../plan/step.ts';
import type { Plan, Step } from '../plan/step.ts';
import type { RouterFacts, Surveyor } from '../survey/survey.ts';
import { POLICY_FILE } from '../voice/paths.ts';
import { Interrupted } from './interrupted.ts';
import { fresh, writeJournal } from './journal.ts';
import { lockFirewall, OWN_LOCK, take } from './locks.ts';
import type { Patience } from './locks.ts';
import { limitWaiting } from './waiting.ts';
import type { Waiting } from './waiting.ts';
import { perform, settle, StepFailed, takeBack } from './perform.ts';
import type { Echo } from './perform.ts';
import { coded, say, Trouble } from '../words/say.ts';
import type { Line } from '../words/say.ts';
import { codedAs, notBegun, NotBegun, saidOf, together, unheld, WishChanged } from './ends.ts';
import type { Applied } from './ends.ts';

export interface ApplyOptions extends Patience {
  /** What the run may wait in all, where it began before; of its own otherwise. */
  waiting?: Waiting;
  /** Whether the wish is to be written down first. */
  writeDown: boolean;
  echo: Echo;
}

/** Milliseconds that asking for names may take. */
const ASKING = 10_000;

const patienceOf = ({ patience = 30_000, goOn }: Patience, waiting: Waiting): Patience => ({
  patience: Math.min(patience, waiting.left()),
  goOn,
});

const NOTHING_CHANGED = say('failed-nothing-changed', 'Nothing was changed.');

/** Each pass looks, plans and acts; a second may be needed after a reload or when SIP turned out to be held. */
const PASSES = 4;

export { NotBegun, WishChanged };
export type { Applied };

/** `unmanaged`: the voice firewall rules alone. */
export type Direction = Plan['towards'];

/** The run itself, under our own lock: towards a state of the ALG, or of the voice rules. */
class Run {
  readonly host: Host;
  readonly surveyor: Surveyor;
  readonly towards: Direction;
  readonly options: ApplyOptions;
  private readonly waiting: Waiting;
  /** What has been done and not taken back. */
  private readonly done: Step[] = [];
  /** What could not be taken back, in sentences. */
  private readonly left: Line[] = [];
  /** The journal's text as this run found it, null where there was none; undefined as long as nothing has begun. */
  private found: string | null | undefined;
  /** The firewall's lock, while it is held. */
  private lock: Lock | null = null;
  private reloaded = false;
  /** Whether rules that set the helper were there again after the firewall was loaded; null: it was not. */
  private back: boolean | null = null;
  /** What fw4 said of what it would load, before anything was done. */
  private checked: Facts['firewall']['check'];

  constructor(waiting: Waiting, surveyor: Surveyor, towards: Direction, options: ApplyOptions) {
    this.host = waiting.host;
    this.waiting = waiting;
    this.surveyor = surveyor;
    this.towards = towards;
    this.options = options;
  }

  /**
   * The machine for a look. It is broken off once it is wanted to stop, as long as nothing has been done: the look that
   * verifies what is done comes to its end, or all of it would be taken back for nothing.
   */
  private get looking(): Host {
    if (this.done.length > 0) return this.host;
    return { ...this.host, run: (argv, options) => this.host.run(argv, { ...options, goOn: this.options.goOn }) };
  }

  /** @throws Interrupted */
  private async look(): Promise<{ facts: RouterFacts; plan: Plan }> {
    const facts = await this.surveyor.look(this.looking, this.checked);
    if (this.done.length === 0 && !this.options.goOn()) throw new Interrupted();
    this.checked = facts.firewall.check;
    const { journal } = facts;
    // Who asks for it once more may have taken away what had brought it back.
    const anew = this.options.writeDown && !this.reloaded && journal.state === 'present' && journal.value.shown?.back === true;
    const known = anew ? { ...facts, journal: { ...journal, value: { ...journal.value, shown: null } } } : facts;
    const planned =
      this.towards === 'unmanaged' ? await this.surveyor.planVoice(facts) : planAlg(known, this.towards, this.options.writeDown);
    // Where voice is looked after at all, also under an unmanaged wish; planAlg has them otherwise.
    if (this.towards === 'unmanaged') {
      if (facts.wish.wish.policy) planned.steps.push(...planStale(facts).steps);
      planned.steps.push(...planLine(facts).steps);
    }
    // A reload is asked of the firewall once: if the chain is not there then, its owner no longer wants it.
    // Stale flows are ended once: a phone may bring one back in the same moment.
    const asked = (step: Step): boolean => step.unlocked === true && this.reloaded;
    const open = planned.steps.some((step) => isLasting(step) && !step.last);
    const steps = planned.steps.filter((step) => !asked(step) && !(step.last && open) && (isLasting(step) || this.done.every(isLasting)));
    const lacking = planned.steps.filter((step) => asked(step) && step.of === 'policy').map(unheld);
    const lackingCoded = [...(planned.lackingCoded ?? []), ...lacking.map(coded)];
    return {
      facts,
      plan: {
        ...planned,
        steps,
        lacking: [...planned.lacking, ...lacking.map(({ text }) => text)],
        ...(lackingCoded.length === 0 ? {} : { lackingCoded }),
      },
    };
  }

  private journalOf(facts: Facts): Journal | null {
    return facts.journal.state === 'present' ? facts.journal.value : null;
  }

  /** What is written before the first step: at least what is going to be missing. */
  private async begin(facts: Facts, planned: Plan): Promise<void> {
    if (!planned.steps.some(isLasting)) return;
    if (facts.journal.state === 'failed')
      throw new Trouble(
        say(
          'failed-journal',
          'The journal {file} could not be read: {because}. It holds what can be given back: mend it, or move it away to start anew.',
          { file: JOURNAL_PATH, because: facts.journal.because },
        ),
      );
    if (this.found === undefined) {
      const text = await this.host.read(JOURNAL_PATH);
      this.found = text.state === 'present' ? text.value : null;
    }
    // What the voice rules are made of bears our mark, and needs no memory.
    if (this.towards === 'unmanaged') return;
    const before = this.journalOf(facts);
    if (this.towards === 'enabled') {
      if (before !== null) await writeJournal(this.host, { ...before, state: 'giving back' });
      return;
    }
    if (before === null && planned.takes.length === 0) return;
    const began = before ?? fresh(this.surveyor.version, this.host.now());
    const registered = registration(facts)?.seconds ?? 0;
    await writeJournal(this.host, withTaken({ ...began, state: 'taking', ...(registered > 0 ? { registered } : {}) }, planned.takes));
  }

  /** One pass, under the firewall's lock but for the steps that take it themselves. On failure the lock stays held. */
  private async pass(): Promise<{ facts: RouterFacts; plan: Plan; again: boolean }> {
    this.lock = await lockFirewall(this.host, this.patience());
    const seen = await this.look();
    if (seen.plan.steps.length === 0) {
      await this.unlock();
      return { ...seen, again: false };
    }
    const { echo, goOn } = this.options;
    await this.begin(seen.facts, seen.plan);
    try {
      await perform(
        this.host,
        seen.plan.steps.filter(({ unlocked }) => !unlocked),
        this.done,
        echo,
        goOn,
      );
    } catch (error) {
      // Found out by trying: this firewall does not load without the module.
      if (!(error instanceof StepFailed) || !error.firewall) throw error;
      this.left.push(...(await takeBack(this.host, this.done.splice(0), this.options.echo)));
      if (this.left.length > 0) throw error;
      const held = { because: heldByLoad(error.why).text, of: fingerprint(seen.facts) };
      await writeJournal(this.host, { ...(this.journalOf(seen.facts) ?? fresh(this.surveyor.version, this.host.now())), held });
    }
    await this.unlock();
    const unlocked = seen.plan.steps.filter((step) => step.unlocked);
    this.reloaded ||= unlocked.length > 0;
    await perform(this.host, unlocked, this.done, echo, goOn);
    if (this.towards === 'disabled' && unlocked.some(({ rank }) => rank === RANK.reload)) {
      const { nft, iptables } = assignmentsOf(await this.surveyor.look(this.host, this.checked));
      this.back = nft.length + iptables.length > 0;
    }
    return { ...seen, again: true };
  }

  private patience(): Patience {
    return patienceOf(this.options, this.waiting);
  }

  private async unlock(): Promise<void> {
    await this.lock?.release();
    this.lock = null;
  }

  /** Everything this run has done, and the journal as it was found. Says what could not be taken back. */
  private async takeAllBack(): Promise<Line[]> {
    this.left.push(...(await takeBack(this.host, this.done.splice(0), this.options.echo)));
    // While something could not be taken back, what the journal holds is still needed.
    if (this.left.length > 0 || this.found === undefined) return this.left;
    try {
      await settle(this.host, putFile(JOURNAL_PATH, this.found, JOURNAL_MODE));
    } catch (error) {
      this.left.push(
        say('failed-journal-back', 'The journal could not be put back as it was: {because}.', { because: (error as Error).message }),
      );
    }
    return this.left;
  }

  /** What went wrong, and what has become of what was done before it. */
  private async undone(cause: Error): Promise<Error> {
    if (cause instanceof NotBegun) return cause;
    if (this.found === undefined) return notBegun(cause);
    this.waiting.takeBack();
    const began = this.done.length > 0;
    if (began && this.lock === null) {
      // Without it, rather than not at all.
      this.lock = await lockFirewall(this.host, { patience: 5000, goOn: () => true }).catch(() => null);
    }
    const failures = await this.takeAllBack();
    const back: Line[] =
      failures.length > 0
        ? [...failures, say('failed-left', '`sipalg enable` gives back what the journal {file} still holds.', { file: JOURNAL_PATH })]
        : [began ? say('failed-taken-back', 'Everything done before it has been taken back.') : NOTHING_CHANGED];
    return together([saidOf(cause), ...back, ...(cause instanceof StepFailed && cause.remedy !== null ? [cause.remedy] : [])]);
  }

  /** @throws Error in sentences, after everything done has been taken back, or with what could not be */
  async run(): Promise<Applied> {
    try {
      return await this.reach();
    } catch (error) {
      throw await this.undone(error as Error);
    } finally {
      await this.unlock();
    }
  }

  /** A run that was killed while it wrote a file has left the new text beside the old one. */
  private async sweep(facts: RouterFacts): Promise<void> {
    const taken = (this.journalOf(facts)?.taken ?? []).flatMap((entry) => (entry.kind === 'file' ? [entry.path] : []));
    for (const path of new Set([JOURNAL_PATH, WISH_CONFIG, FIREWALL_CONFIG, MODULES_CONF, POLICY_FILE, ...taken])) {
      const cut = path.lastIndexOf('/');
      await this.sweepIn(path.slice(0, cut), (names) => unfinishedAmong(names, path.slice(cut + 1)));
    }
    if (facts.policy.state === 'present')
      for (const folder of ['/etc', '/etc/sysctl.d', '/var/run'])
        await this.sweepIn(folder, (names) => {
          const ours = names.filter((name) => /^(99-)?sipalg\b/.test(name) && name.endsWith(UNFINISHED));
          return ours.flatMap((name) => unfinishedAmong([name], name.replace(/(\.\d+\.\d+)?\.sipalg-new$/, '')));
        });
    // Up to 0.1.0 everybody could read it, and so what of a private file it holds.
    if (facts.journal.state === 'present') await this.host.narrow(JOURNAL_PATH, JOURNAL_MODE);
  }

  /** Of a process that is there it may be being written. */
  private async sweepIn(folder: string, found: (names: readonly string[]) => ReturnType<typeof unfinishedAmong>): Promise<void> {
    for (const { name, process } of found(orElse(await this.host.list(folder), [])))
      if (process === null || (await this.host.kind(`/proc/${process}`)).state === 'absent') await this.host.remove(`${folder}/${name}`);
  }

  private async reach(): Promise<Applied> {
    let seen = await this.look();
    const before = seen.facts;
    const { alg } = before.wish.wish;
    if (!this.options.writeDown && (this.towards === 'disabled' ? alg !== 'disabled' : this.towards === 'enabled' && alg === 'disabled')) {
      throw new WishChanged(
        say('not-begun-wish', '{file} does not wish for "{towards}" any more, or cannot be read. Nothing was changed.', {
          file: WISH_CONFIG,
          towards: this.towards,
        }),
      );
    }
    await this.sweep(before);
    // What was seen without the firewall's lock may have changed while it was looked at: two listings
    // that do not agree are no reason to refuse. What could not be read will not be read a moment later.
    const again = seen.plan.refused.length > 0 && unread(seen.facts).length === 0;
    for (let passes = 0; passes < PASSES && (seen.plan.steps.length > 0 || (passes === 0 && again)); passes++) {
      const passed = await this.pass();
      seen = passed.again ? await this.look() : passed;
    }
    const { facts, plan: left } = seen;
    const changed = this.done.length > 0;
    const acted = this.done.some(({ why }) => why !== 'wish');
    if (left.refused.length > 0) {
      if (changed) throw together(left.refused.map((text, at) => ({ code: 'refused', ...left.refusedCoded?.[at], text })));
      return { outcome: 'failed', because: left.refused, ...codedAs(left.refusedCoded), changed, acted, before, facts, plan: left };
    }
    if (left.steps.length > 0)
      throw new Trouble(
        say('failed-unheld', 'It did not hold: looking again, there was still to do: {steps}', {
          steps: together(left.steps.map(({ code, parameters, text }) => ({ code, ...(parameters && { parameters }), text }))).said,
        }),
      );
    return { ...(await this.finish(facts)), changed, acted, before, plan: left };
  }

  private settled(journal: Journal, facts: Facts): Journal {
    return { ...journal, state: 'taken', ...(this.back === null ? {} : { shown: { back: this.back, of: fingerprint(facts) } }) };
  }

  /** Verified: the journal says so, or goes when everything has been given back. */
  private async finish(facts: RouterFacts): Promise<Pick<Applied, 'outcome' | 'because' | 'facts'>> {
    const journal = this.journalOf(facts);
    const held = this.towards === 'disabled' && planAlg(facts, 'disabled', false).held !== null;
    if (journal !== null && this.towards !== 'unmanaged') {
      if (this.towards === 'enabled') await writeJournal(this.host, null);
      else if (journal.state !== 'taken' || this.back !== null) await writeJournal(this.host, this.settled(journal, facts));
    } else if (this.back !== null) await writeJournal(this.host, this.settled(fresh(this.surveyor.version, this.host.now()), facts));
    // What was done may have mended what fw4 did not take.
    const stale = this.checked?.state === 'present' && !this.checked.value.loads && this.done.length > 0;
    const same = this.back === null && (journal === null || this.towards === 'unmanaged' || journal.state === 'taken');
    const settled = same && !stale ? facts : await this.surveyor.look(this.host, stale ? undefined : this.checked);
    return { outcome: held ? 'held' : 'reached', because: [], facts: settled };
  }
}

/** The voice rules, after the ALG: what goes wrong with them undoes nothing of it. */
async function applyVoice(waiting: Waiting, surveyor: Surveyor, options: ApplyOptions, alg: Applied | null): Promise<Applied> {
  const once = (): Promise<Applied> => new Run(waiting, surveyor, 'unmanaged', { ...options, writeDown: false }).run();
  try {
    // First with the last good answers: a boot is not kept waiting for a name server that is not there yet.
    let voice = await once();
    if (voice.facts.wish.wish.policy === true && options.goOn() && waiting.left() > ASKING) {
      const { changed } = await surveyor
        .voice()
        .then((rules) => rules.refresh(waiting.host))
        .catch(() => ({ changed: false })); // the look says why
      if (changed) {
        const { before, changed: already, acted } = voice;
        const again = await once();
        voice = { ...again, before, changed: already || again.changed, acted: acted || again.acted };
      }
    }
    const { lacking, lackingCoded } = voice.plan;
    const whole = {
      ...voice,
      before: alg?.before ?? voice.before,
      changed: voice.changed || alg?.changed === true,
      acted: voice.acted || alg?.acted === true,
      plan: alg === null ? voice.plan : { ...alg.plan, lacking, ...(lackingCoded === undefined ? {} : { lackingCoded }) },
    };
    return lacking.length === 0
      ? { ...whole, outcome: alg?.outcome ?? 'reached' }
      : { ...whole, outcome: 'failed', because: lacking, ...codedAs(voice.plan.lackingCoded) };
  } catch (error) {
    if (alg === null) throw error;
    const values = { cause: error instanceof Trouble ? error.said : (error as Error).message };
    const because = alg.changed
      ? say('failed-voice-alone', 'What concerns the SIP ALG is done. The voice firewall rules: {cause}', values)
      : say('failed-voice', 'The voice firewall rules: {cause}', values);
    return { ...alg, outcome: 'failed', because: [because.text], coded: { 0: coded(because) } };
  }
}

/**
 * Brings the router to `disabled` or `enabled`, and the voice firewall rules to what is wished of them.
 * @throws NotBegun when it could not begin (not root, a lock is held); nothing was changed then.
 *   Another Error when it began and did not work: what was done has been taken back, or the message says what could not be.
 */
export async function apply(host: Host, surveyor: Surveyor, towards: Direction, options: ApplyOptions): Promise<Applied> {
  const waiting = options.waiting ?? limitWaiting(host);
  const { pid, uid } = host.process();
  if (uid !== 0) throw notBegun(new Trouble(say('failed-root', 'Only root may change what is asked here; run it as root.')));
  const lock = await take(
    waiting.host,
    OWN_LOCK,
    patienceOf(options, waiting),
    `process ${pid} (sipalg, towards "${towards}")`,
    'sipalg',
  ).catch((error: Error) => {
    throw notBegun(error);
  });
  try {
    const alg = towards === 'unmanaged' ? null : await new Run(waiting, surveyor, towards, options).run();
    if (alg !== null && (alg.outcome === 'failed' || alg.facts.policy.state === 'absent')) return alg;
    return await applyVoice(waiting, surveyor, options, alg);
  } finally {
    await lock.release();
  }
}
