import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readdirSync, readFileSync } from 'node:fs';
import { METHODS } from '../../../src/object/object.ts';

const APP = 'package/luci-app-sipalg/root/usr/share';
const read = (path: string): Record<string, Record<string, unknown>> => JSON.parse(readFileSync(path, 'utf8')) as never;

/** The methods of a right in the object itself. */
const methods = (right: 'read' | 'write'): string[] =>
  Object.entries(METHODS)
    .filter(([, method]) => method.right === right)
    .map(([name]) => name)
    .sort();

/** The page's source, both mounts and what they share. */
const sources = (): string =>
  (readdirSync('src/page', { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(`src/page/${file}`, 'utf8'))
    .join('\n');

const rights = suite('rights');

rights(
  "of the access group are the object's methods, each under its own right, its configuration read and written apart, and nothing else",
  () => {
    const acl = read(`${APP}/rpcd/acl.d/luci-app-sipalg.json`);
    assert.equal(Object.keys(acl), ['luci-app-sipalg']);
    const { description, ...granted } = acl['luci-app-sipalg'] as Record<string, unknown>;
    assert.type(description, 'string');
    const sorted = JSON.parse(JSON.stringify(granted), (_key, value: unknown) =>
      Array.isArray(value) ? [...value].sort() : value,
    ) as object;
    assert.equal(sorted, {
      read: { ubus: { sipalg: methods('read') }, uci: ['sipalg'] },
      write: {
        ubus: { sipalg: methods('write'), file: ['exec'] },
        // The whole command lines, and no others (rpcd's file.c, rpc_file_exec_run).
        file: { '/etc/init.d/sipalg start': ['exec'], '/etc/init.d/rpcd reload': ['exec'] },
        uci: ['sipalg'],
      },
    });
    assert.equal([methods('read').length, methods('write').length].includes(0), false);
  },
);

rights('are what the page asks for: no method is granted that it does not call', () => {
  const source = sources();
  const unasked = Object.entries(METHODS)
    .filter(([name, method]) => !('as' in method) && !source.includes(`'${name}'`))
    .map(([name]) => name);
  assert.equal(unasked, []);
});

rights('of the menu entry are those of the access group, and it leads to the view', () => {
  const menu = read(`${APP}/luci/menu.d/luci-app-sipalg.json`);
  assert.equal(Object.keys(menu), ['admin/services/sipalg']);
  const entry = menu['admin/services/sipalg'] as { title: string; action: object; depends: object };
  assert.equal(
    [entry.title, entry.action, entry.depends],
    ['SIP ALG', { type: 'view', path: 'sipalg/overview' }, { acl: ['luci-app-sipalg'] }],
  );
});

rights.run();
