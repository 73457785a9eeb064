/** The survey as the program makes it, with the voice rules linked in; what tests of every face look through. */
import type { Host } from '../src/host/host.ts';
import { createSurveyor } from '../src/survey/survey.ts';
import type { Report, RouterFacts } from '../src/survey/survey.ts';
import { createVoice } from '../src/voice/voice.ts';

export const VERSION = '0.0.0-test';

/** Asks no name server. */
export const surveyor = createSurveyor(VERSION, async () => createVoice(null));

export const look = (host: Host): Promise<RouterFacts> => surveyor.look(host);

export const reportOf = async (host: Host): Promise<Report> => surveyor.report(await look(host));
