/** Routers that say too much, or garbage: what could not be read is told from what is not there, and nothing is an error. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusText } from '../../../src/cli/text.ts';
import { planText } from '../../../src/cli/plan-text.ts';
import type { Host } from '../../../src/host/host.ts';
import { filterLines } from '../../../src/host/lines.ts';
import { decode } from '../../../src/host/text.ts';
import { unread } from '../../../src/judge/questions.ts';
import { planAll, reportOn } from '../../../src/survey/report.ts';
import { createVoice } from '../../../src/voice/voice.ts';
import { recordedRouter } from '../../routers.ts';
import { look as observe, VERSION } from '../../survey.ts';
import { spoilt } from './spoilt.ts';

const voice = createVoice(null);

const garbage = suite('a router that says too much, or garbage');

garbage('finds the flows of the helper among a million others', async () => {
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
      for (let blocks = 0; blocks < 500; blocks++) filter.push(block);
      filter.push(new TextEncoder().encode(own.stdout));
      for (let blocks = 0; blocks < 500; blocks++) filter.push(block);
      return { ...own, stdout: decode(filter.end()) };
    },
  };
  const { flows } = await observe(host);
  assert.is(flows.state === 'present' && flows.value.flows.length, 5);
  assert.equal(flows, (await observe(recorded)).flows);
});

for (const name of ['lan-explicit-helpers', 'built-in']) {
  garbage(`${name}: takes garbage in every place for what could not be read, or for nothing, and never for an error`, async () => {
    const texts = ['', '\0', 'null', '{"nftables":[{"rule":{}}]}', '\udcff\udc80', '*raw\n', 'a'.repeat(100_000)];
    const base = recordedRouter(name);
    await observe(base);
    for (const place of new Set(base.asked)) {
      for (const text of texts) {
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

garbage.run();
