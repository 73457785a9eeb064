/** docs/causes.md is the table of causes: it is written from it (UPDATE=1), and says nothing else. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { fixSaid } from '../../../src/cli/diagnosis.ts';
import { folded } from '../../../src/cli/fold.ts';
import type { Cause } from '../../../src/diagnose/cause.ts';
import { NAMES, SYMPTOMS } from '../../../src/diagnose/symptoms.ts';
import { CAUSES } from '../../../src/diagnose/table.ts';

const DOCUMENT = 'docs/causes.md';
const WIDTH = 120;

const HEAD = `# Symptoms, causes, and what tells them

What \`sipalg diagnose\` knows: for every cause what on the router tells it from its neighbours, the fix, where that is known from, and
the test that makes it with real flows and peers and holds that it is named, and nothing else. Written from the table in \`src/diagnose/\`
(\`UPDATE=1 node test/run.mjs pure/diagnose/document\`).
`;

const symptom = (name: (typeof NAMES)[number]): string => {
  const codes = CAUSES.filter(({ symptoms }) => symptoms.includes(name)).map(({ code }) => `\`${code}\``);
  return folded(`- **${SYMPTOMS[name].text}** (\`${name}\`): ${codes.join(', ')}`, WIDTH);
};

const item = (text: string): string => folded(`- ${text}`, WIDTH);

function section({ code, weight, symptoms, what, observable, alike, fix, source, made }: Cause): string {
  return [
    `### \`${code}\``,
    '',
    folded(`${what.text} Weight ${weight}; ${symptoms.map((one) => `\`${one}\``).join(', ')}.`, WIDTH),
    '',
    item(`Seen by: ${observable}`),
    ...(alike === undefined
      ? []
      : [item(`Looks like ${alike.codes.map((one) => `\`${one}\``).join(', ')}; what would tell: ${alike.tell.text}`)]),
    item(fixSaid(fix).text),
    item(`Source: ${source}`),
    item(`Made with real flows by \`${made}\`, ${made.startsWith('test/lab/') ? 'in namespaces' : 'on virtual machines (Linux 6.1 and 6.12)'}`),
    '',
  ].join('\n');
}

const document = suite('docs/causes.md');

document('is the table of causes', () => {
  const text = [HEAD, '## Symptoms', '', ...NAMES.map(symptom), '', '## Causes, worst first', '', ...CAUSES.map(section)].join('\n');
  if (process.env['UPDATE'] === '1') writeFileSync(DOCUMENT, text);
  assert.is(readFileSync(DOCUMENT, 'utf8'), text);
});

document.run();
