/** What a test writes and what it sees: the table of nft, the ping that is written over, and what comes of it. */
import type { Clock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import type { Made } from './record/made.ts';
import type { Recorded } from './record/recorded.ts';
import { startRecorder, tableOf } from './record/recorder.ts';
import type { Recorder } from './record/recorder.ts';
import { NARROW, recordable } from './record/taps.ts';
import type { Tap } from './record/taps.ts';
import { pingScript, pingSize, writingChains } from './write.ts';
import type { Writing } from './write.ts';
import { say, Trouble } from '../words/say.ts';

/** Milliseconds: until a ping has to have started; until what was sent has to have come out; and what is beside it, after that. */
const STARTING = 8000;
const PATIENCE = 1200;
const BESIDE = 250;
/** Milliseconds between two looks. Messages alone are looked at as a rule; every so often all of the table, which is slow. */
const LOOK = 25;
const ALL_EVERY = 4;

export class Wire {
  private readonly host: Host;
  private readonly clock: Clock;
  private readonly goOn: () => boolean;
  private readonly isWide: boolean;
  private readonly to: Pick<Writing, 'device' | 'trigger'>;
  private readonly kernel: string;
  private readonly pings: string[] = [];
  private recorder: Recorder | null = null;

  /** @param to the phone's device, and the address that is pinged through it */
  constructor(host: Host, clock: Clock, goOn: () => boolean, kernel: string, to: Pick<Writing, 'device' | 'trigger'>) {
    this.host = host;
    this.clock = clock;
    this.goOn = goOn;
    this.kernel = kernel;
    this.isWide = recordable(kernel) > NARROW;
    this.to = to;
  }

  /** `netdev NAME` */
  get table(): string {
    return tableOf(this.host, 'probe');
  }

  /** @param more further lines of the table @throws CannotRecord */
  async start(first: Writing, taps: readonly Tap[], made: Made, more: readonly string[]): Promise<void> {
    this.recorder = await startRecorder(this.host, 'probe', taps, {
      messages: 64,
      seconds: 60,
      kernel: this.kernel,
      made,
      more: [...writingChains(first, this.isWide), ...more],
    });
  }

  /** A ping that has not ended. */
  async stop(): Promise<void> {
    if (this.pings.length > 0) await this.host.run(['sh', '-c', `kill ${this.pings.join(' ')} 2>/dev/null; :`]);
  }

  writing(name: string, frames: number[][]): Writing {
    return { name, ...this.to, frames };
  }

  /** Puts other frames in place of those that were sent. @returns whether nft took them */
  async replace(before: Writing, now: Writing): Promise<boolean> {
    const { table } = this;
    const script = [`flush chain ${table} ${before.name}`, `table ${table} {`, ...writingChains(now, this.isWide), '}', ''];
    const outcome = await this.host.run(['nft', '-f', '-'], { input: script.join('\n') });
    return outcome.state === 'exited' && outcome.code === 0;
  }

  private async ping(frames: readonly (readonly number[])[]): Promise<void> {
    const outcome = await this.host.run(['sh', '-c', pingScript(this.to.device, this.to.trigger, pingSize(frames))]);
    if (outcome.state === 'exited' && /^\d+$/.test(outcome.stdout.trim())) this.pings.push(outcome.stdout.trim());
  }

  /**
   * Sends, and looks until all has come that is to come last, or for as long as it may take once it was sent.
   * @param last   IP ids that have to come
   * @param beside those that are waited for a moment longer
   * @throws Error with the end of a sentence where it was not sent
   */
  async send({ name, frames }: Writing, last: readonly number[], beside: readonly number[] = []): Promise<readonly Recorded[]> {
    const asked = this.clock.now();
    await this.ping(frames);
    let since: number | null = null;
    let whole: number | null = null;
    const ids = new Set([...last, ...beside]);
    for (let look = 1; ; look++) {
      // Messages alone as a rule; all of the table now and then, which is slow, and says whether anything was sent at all.
      const quick = look % ALL_EVERY === 0 ? null : await this.recorder!.glance();
      const { messages, counted } = quick ?? (await this.recorder!.read());
      const came = (ids: readonly number[]): boolean => ids.every((id) => messages.some((one) => one.id === id));
      if ((came(last) && came(beside)) || !this.goOn()) return messages;
      const now = this.clock.now();
      if (since === null && (messages.some(({ id }) => ids.has(id)) || (counted.get(`${name}_all`) ?? 0) > 0)) since = now;
      if (whole === null && came(last)) whole = now;
      if ((since !== null && now > since + PATIENCE) || (whole !== null && now > whole + BESIDE)) return messages;
      if (since === null && now > asked + STARTING)
        throw new Trouble(
          say(
            'probe-unsent',
            'the test messages could not be sent: `ping` is not installed, or rules of the firewall keep this ' +
              'router from sending anything',
          ),
        );
      await new Promise<void>((resolve) => {
        this.clock.after(LOOK, resolve);
      });
    }
  }
}
