import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { METHODS } from '../../../src/object/object.ts';

const APP = 'package/luci-app-sipalg/root/usr/share';
const read = (path: string): Record<string, Record<string, unknown>> => JSON.parse(readFileSync(path, 'utf8')) as never;

/** The methods of a right in the object itself. */
const methods = (right: 'read' | 'write'): string[] =>
  Object.entries(METHODS)
    .filter(([, method]) => method.right === right)
    .map(([name]) => name)
    .sort();

/** What the source of a mount calls. */
function called(file: string, pattern: RegExp): string[] {
  return [...new Set([...readFileSync(file, 'utf8').matchAll(pattern)].map((match) => match[1] ?? ''))].sort();
}

const rights = suite('rights');

rights("of the access group are the object's methods, each under its own right, and nothing else", () => {
  const acl = read(`${APP}/rpcd/acl.d/luci-app-sipalg.json`);
  assert.equal(Object.keys(acl), ['luci-app-sipalg']);
  const { description, ...granted } = acl['luci-app-sipalg'] as Record<string, unknown>;
  assert.type(description, 'string');
  const sorted = JSON.parse(JSON.stringify(granted), (_key, value: unknown) =>
    Array.isArray(value) ? [...value].sort() : value,
  ) as object;
  assert.equal(sorted, { read: { ubus: { sipalg: methods('read') } }, write: { ubus: { sipalg: methods('write') } } });
  assert.equal([methods('read').length, methods('write').length].includes(0), false);
});

rights('are what both mounts of the page ask for', () => {
  const all = Object.entries(METHODS)
    .filter(([, method]) => !('as' in method) && !('beside' in method))
    .map(([name]) => name)
    .sort();
  assert.equal(called('src/page/dom/luci.ts', /object: 'sipalg', method: '(\w+)'/g), all);
  assert.equal(called('src/page/dom/own.ts', /=> call\('(\w+)'/g), all);
});

rights('name only arguments that the object takes', () => {
  assert.equal(called('src/page/dom/luci.ts', /params: \['(\w+)'\]/g), Object.keys(METHODS.plan.args));
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
