/**
 * A process that has nothing of a router: it judges the documents it is given on standard input, and whoever asks the machine
 * for anything ends it. Reads a JSON list of documents, writes a JSON list of what was said of each.
 */
import { cli } from '../../../src/cli/cli.ts';
import type { Host } from '../../../src/host/host.ts';
import { createSurveyor } from '../../../src/survey/survey.ts';
import { createVoice } from '../../../src/voice/voice.ts';

export interface Said {
  code: number;
  out: string;
  err: string;
}

const nothing = new Proxy({} as Host, {
  get: (_, what) => {
    throw new Error(`the machine was asked: ${String(what)}`);
  },
});

async function main(): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const { version, documents, ways } = JSON.parse(Buffer.concat(chunks).toString()) as {
    version: string;
    documents: string[];
    ways: string[][];
  };
  const surveyor = createSurveyor(version, async () => createVoice(null));
  const said: Said[][] = [];
  for (const document of documents) {
    const each: Said[] = [];
    for (const way of ways) {
      const one: Said = { code: -1, out: '', err: '' };
      const terminal = {
        out: (text: string): void => void (one.out += text),
        err: (text: string): void => void (one.err += text),
        input: async () => ({ state: 'present', value: document, source: 'standard input' }) as const,
        goOn: () => true,
      };
      one.code = await cli([...way, '--from', '-'], { host: nothing, surveyor }, terminal);
      each.push(one);
    }
    said.push(each);
  }
  process.stdout.write(JSON.stringify(said));
}

void main();
