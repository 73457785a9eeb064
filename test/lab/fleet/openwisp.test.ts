/** The template of the README, held to NetJSON's rules, written as OpenWISP's agent writes UCI, and taken by a reload. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { SCHEMA } from '../../../src/wish/schema.ts';
import { openLab } from '../lab.ts';
import type { Lab } from '../lab.ts';

const ROOT = 'test/machine/qemu/root';

type Section = Record<string, unknown>;

const template = (): Record<string, Section[]> => {
  const [, text = ''] = /OpenWISP[^]*?```json\n([^]*?)```/m.exec(readFileSync('README.md', 'utf8')) ?? [];
  return JSON.parse(text) as Record<string, Section[]>;
};

/** As netjsonconfig writes what it has no schema of its own for: a package a file, a member a section, a list of texts a list. */
function uci(sections: readonly Section[]): string {
  return sections
    .map(({ config_name: type, config_value: name, ...options }) => {
      const rows = Object.entries(options).flatMap(([option, value]) =>
        Array.isArray(value) ? value.map((one) => `\tlist ${option} '${String(one)}'`) : [`\toption ${option} '${String(value)}'`],
      );
      return [`config ${String(type)} '${String(name)}'`, ...rows, ''].join('\n');
    })
    .join('\n');
}

const openwisp = suite<{ lab: Lab }>('OpenWISP');

openwisp.before(async (context) => {
  const files: Record<string, string> = {};
  for (const path of ['/lib/functions.sh', '/lib/functions/procd.sh', '/etc/rc.common']) files[path] = readFileSync(ROOT + path, 'utf8');
  files['/etc/init.d/sipalg'] = readFileSync('files/etc/init.d/sipalg', 'utf8');
  context.lab = await openLab({ ruleset: 'stock-alg-on', files });
  await context.lab.router.must([
    'sh',
    '-c',
    'chmod a+x /etc/rc.common /etc/init.d/sipalg; mkdir -p /tmp/log; ln -sf busybox "$(command -v sh)"',
  ]);
});

openwisp.after(({ lab }) => lab.close());

openwisp('is given NetJSON: packages that are arrays of sections with a type, a name, and texts', () => {
  const packages = template();
  assert.equal(Object.keys(packages), ['sipalg']);
  for (const section of packages['sipalg'] ?? []) {
    assert.type(section['config_name'], 'string');
    assert.type(section['config_value'], 'string');
    for (const [option, value] of Object.entries(section)) {
      assert.match(option, /^[a-z0-9_]+$/);
      assert.ok(typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string')), option);
      if (option.startsWith('config_')) continue;
      // Nothing but what is in the schema, in the form that it has there.
      const { options } = SCHEMA[section['config_name'] as keyof typeof SCHEMA];
      const known = (options as Record<string, { takes: 'option' | 'list' }>)[option];
      assert.is(known?.takes, Array.isArray(value) ? 'list' : 'option', option);
    }
  }
});

openwisp('is rendered as netjsonconfig 1.3 renders it', () => {
  assert.is(
    `package sipalg\n\n${uci(template()['sipalg'] ?? [])}`,
    [
      'package sipalg',
      '',
      "config sipalg 'main'",
      "\toption alg 'disabled'",
      "\toption policy '1'",
      '',
      "config provider 'example'",
      "\toption enabled '1'",
      "\tlist host 'sip.example.com'",
      "\tlist signalling '203.0.113.0/24'",
      '',
    ].join('\n'),
  );
});

openwisp('has it reached by writing UCI and a reload', async ({ lab: { router, files } }) => {
  files.write('/etc/resolv.conf', '');
  files.write('/etc/config/sipalg', uci(template()['sipalg'] ?? []));
  assert.is((await router.run(['sipalg', 'status'], { timeout: 60_000 })).status, 1);
  await router.run(['/etc/init.d/sipalg', 'reload'], { timeout: 120_000 });
  const { stdout } = await router.run(['sipalg', 'status', '--json'], { timeout: 60_000 });
  const { verdict, facts } = JSON.parse(stdout) as {
    verdict: { alg: string };
    facts: { wish: { problems: unknown[]; wish: { alg: string } }; policy: { state: string } };
  };
  assert.equal([verdict.alg, facts.wish.wish.alg, facts.wish.problems, facts.policy.state], ['off', 'disabled', [], 'present']);
});

openwisp.run();
