/** Routers whose texts are damaged: what could not be read is told from what is not there, and nothing is an error. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statusText } from '../../../src/cli/text.ts';
import type { Host } from '../../../src/host/host.ts';
import { unread } from '../../../src/judge/questions.ts';
import { planAll, reportOn } from '../../../src/survey/report.ts';
import { createVoice } from '../../../src/voice/voice.ts';
import { recordedRouter } from '../../routers.ts';
import { damage, seeded } from '../../seeded.ts';
import { look as observe, VERSION } from '../../survey.ts';
import { spoilt } from './spoilt.ts';

const voice = createVoice(null);

const damaged = suite('a router whose texts are damaged');

for (const name of ['lan-explicit-helpers', 'disabled', 'fw3-21.02', 'foreign-table', 'voice-inbound', 'voice-fw3']) {
  damaged(`${name}: takes damaged texts the same way`, async () => {
    const random = seeded(20261001);
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
    for (const [place, text] of places) {
      for (let times = name.startsWith('voice-') ? 1 : 0; times < 2; times++) {
        const facts = await observe(spoilt(name, place, damage(text, random)));
        const report = reportOn(VERSION, facts, voice);
        statusText(report);
        if (unread(facts).length > 0) assert.ok(planAll(facts, voice, 'disabled', true).refused.length > 0, place);
        planAll(facts, voice, 'enabled', true);
      }
    }
  });
}

damaged.run();
