import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive } from '../../machine/qemu/debian.ts';

const test = suite("the machine's Debian archive");
let folder: string;
const put = (name: string, text: string): void => writeFileSync(`${folder}/${name}`, text);

test.before.each(() => {
  folder = mkdtempSync(`${tmpdir()}/sipalg-apt-`);
  mkdirSync(`${folder}/sources.list.d`);
});
test.after.each(() => rmSync(folder, { recursive: true }));

test('is read from stanzas, past those of others and of the security archive', () => {
  put('sources.list.d/a-others.sources', 'Types: deb\nURIs: http://others.test/node\nSuites: nodistro\nComponents: main\n');
  put(
    'sources.list.d/debian.sources',
    `Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian.gpg
`,
  );
  assert.equal(archive(folder), { uri: 'http://mirror.test/debian', key: '/keys/debian.gpg' });
});

test('is read from lines, with and without options', () => {
  put('sources.list', '# deb http://old.test/debian bookworm main\ndeb http://mirror.test/debian trixie main contrib\n');
  assert.is(archive(folder)?.uri, 'http://mirror.test/debian');
  put('sources.list', 'deb [arch=amd64 signed-by=/keys/mine.gpg] http://signed.test/debian bookworm main\n');
  assert.equal(archive(folder), { uri: 'http://signed.test/debian', key: '/keys/mine.gpg' });
});

test('is not there where only other distributions are named', () => {
  put('sources.list', 'deb http://mirror.test/ubuntu noble main\n');
  assert.is(archive(folder), undefined);
});

test.run();
