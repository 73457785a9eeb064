/** The way from a router to a plan, with nothing of an engine in it: what quickjs.test.ts packs and runs twice. */
import { createSurveyor } from '../../src/survey/survey.ts';
import { createVoice } from '../../src/voice/voice.ts';
import type { Recording } from './recording.ts';
import { recorded } from './recording.ts';

/** Facts, verdict and both plans, as one JSON text. */
export async function core(recording: Recording): Promise<string> {
  const surveyor = createSurveyor('0.0.0-test', async () => createVoice(null));
  const facts = await surveyor.look(recorded(recording));
  const { verdict } = await surveyor.report(facts);
  return JSON.stringify({
    facts,
    verdict,
    disable: await surveyor.plan(facts, 'disabled', true),
    enable: await surveyor.plan(facts, 'enabled', true),
  });
}
