/** Recorded routers whose files and commands say too much, garbage, or less than they did. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusText } from '../../src/cli/text.ts';
import { planText } from '../../src/cli/plan-text.ts';
import type { Host, Reading } from '../../src/host/host.ts';
import { filterLines } from '../../src/host/lines.ts';
import { decode } from '../../src/host/text.ts';
import { unread } from '../../src/judge/questions.ts';
import { createSurveyor } from '../../src/survey/survey.ts';
import { planAll, reportOn } from '../../src/survey/report.ts';
import { createVoice } from '../../src/voice/voice.ts';
import { recordedRouter, Unanswered } from '../routers.ts';
import { damage, seeded } from '../seeded.ts';
import { VERSION } from '../survey.ts';

const voice = createVoice(null);
const surveyor = createSurveyor(VERSION, async () => voice);
const observe = (host: Host): ReturnType<typeof surveyor.look> => surveyor.look(host);

const floods = suite('a router that says too much');

floods('finds the flows of the helper among a hundred thousand others', async () => {
  const recorded = recordedRouter('lan-explicit-helpers');
  const one =
    'ipv4     2 udp      17 29 src=192.168.1.10 dst=203.0.113.98 sport=6000 dport=7001 packets=1 bytes=245 [UNREPLIED] src=203.0.113.98 dst=203.0.113.20 sport=7001 dport=6000 packets=0 bytes=0 mark=0 use=2\n';
  const block = new TextEncoder().encode(one.repeat(1000));
  const host: Host = {
    ...recorded,
    async run(argv, options = {}) {
      if (argv[0] !== 'conntrack' || !options.select) return recorded.run(argv, options);
      const own = await recorded.run(argv, {});
      if (own.state !== 'exited') return own;
      const filter = filterLines(options.select.holding);
      for (let blocks = 0; blocks < 50; blocks++) filter.push(block);
      filter.push(new TextEncoder().encode(own.stdout));
      for (let blocks = 0; blocks < 50; blocks++) filter.push(block);
      return { ...own, stdout: decode(filter.end()) };
    },
  };
  const { flows } = await observe(host);
  assert.is(flows.state === 'present' && flows.value.flows.length, 5);
  assert.equal(flows, (await observe(recorded)).flows);
});

/** The router, but for one place that holds something else. Garbage leads to places nobody could have recorded: they are absent. */
function spoilt(name: string, place: string, text: string): Host {
  const recorded = recordedRouter(name);
  const tried = async <T>(path: string, look: Promise<Reading<T>>): Promise<Reading<T>> => {
    try {
      return await look;
    } catch (error) {
      if (error instanceof Unanswered) return { state: 'absent', source: path };
      throw error;
    }
  };
  return {
    ...recorded,
    async read(path, options) {
      const reading = await tried(path, recorded.read(path, options));
      return path === place && reading.state === 'present' ? { ...reading, value: text } : reading;
    },
    kind: (path) => tried(path, recorded.kind(path)),
    list: (path) => tried(path, recorded.list(path)),
    async run(argv, options) {
      const outcome = await recorded.run(argv, options);
      return argv.join(' ') === place && outcome.state === 'exited' ? { ...outcome, stdout: text } : outcome;
    },
  };
}

/** Places of one router that held garbage: another one shows what it has beyond them. */
const tried = new Set<string>();

for (const name of ['lan-explicit-helpers', 'built-in']) {
  floods(`${name}: takes garbage in every place for what could not be read, or for nothing, and never for an error`, async () => {
    const garbage = ['', '\0', 'null', '{"nftables":[{"rule":{}}]}', '\udcff\udc80', '*raw\n', 'a'.repeat(100_000)];
    const base = recordedRouter(name);
    await observe(base);
    const places = [...new Set(base.asked)].filter((place) => !tried.has(place));
    assert.ok(places.length > 3, `${places.length} places`);
    for (const place of places) {
      tried.add(place);
      for (const text of garbage) {
        const facts = await observe(spoilt(name, place, text));
        const report = reportOn(VERSION, facts, voice);
        statusText(report);
        planText(report.plan);
        planText(planAll(facts, voice, 'enabled', true));
        // Whoever could not read says what; and who is blind plans nothing.
        const where = `${place} holding ${JSON.stringify(text.slice(0, 20))}`;
        if (report.verdict.alg === 'unknown') assert.ok(report.verdict.unread.length > 0, where);
        if (unread(facts).length > 0) assert.ok(planAll(facts, voice, 'disabled', true).refused.length > 0, where);
      }
    }
  });
}

for (const name of ['lan-explicit-helpers', 'disabled', 'fw3-21.02', 'foreign-table']) {
  floods(`${name}: takes damaged texts the same way`, async () => {
    const random = seeded(20261001 + name.length);
    const base = recordedRouter(name);
    const places = new Map<string, string>();
    const listening: Host = {
      ...base,
      async read(path, options) {
        const reading = await base.read(path, options);
        if (reading.state === 'present') places.set(path, reading.value);
        return reading;
      },
      async run(argv, options) {
        const outcome = await base.run(argv, options);
        if (outcome.state === 'exited') places.set(argv.join(' '), outcome.stdout);
        return outcome;
      },
    };
    await observe(listening);
    assert.ok(places.size > 15, `${places.size} places`);
    for (const [place, text] of places) {
      const facts = await observe(spoilt(name, place, damage(text, random)));
      const report = reportOn(VERSION, facts, voice);
      statusText(report);
      if (unread(facts).length > 0) assert.ok(planAll(facts, voice, 'disabled', true).refused.length > 0, place);
      planAll(facts, voice, 'enabled', true);
    }
  });
}

floods.run();
