/** Languages that somebody adds: a folder with one file, only partly translated, and all the rest comes of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packer } from './made.ts';

interface Context {
  /** A copy of the project with two more languages. */
  project: string;
  packages: { name: string; files: Map<string, { bytes: Buffer }> }[];
}

const HEADING = 'Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=n > 1;\\n';

/** A translation of a few sentences: of the program, of the page, and of the menu. */
const po = (name: string, mark: string): string =>
  [
    ['', `${HEADING}X-Language-Name: ${name}\\n`],
    ['SIP ALG', `${mark} ALG`],
    ['Looking at the router...', `${mark} looking`],
    ['No SIP ALG touches calls on this router.', `${mark} no ALG`],
    ['For example:', `${mark} example:`],
    ['Contents', `${mark} contents`],
  ]
    .map(([id, text]) => `msgid "${id}"\nmsgstr "${text}"\n`)
    .join('\n');

/** As LuCI finds the language of a browser, among those that packages have listed (luci-base, dispatcher.uc). */
function luciFinds(accept: string, defaults: readonly string[]): string | undefined {
  const listed = defaults.flatMap((text) => /luci\.languages\.(\w+)=/.exec(text)?.[1] ?? []);
  for (const tag of accept.split(',')) {
    const [language = '', more] = (tag.split(';')[0] ?? '').trim().split('-');
    const found = [...(more === undefined ? [] : [`${language}_${more.toLowerCase()}`]), language].find((one) => listed.includes(one));
    if (found !== undefined) return found.replace('_', '-');
  }
  return undefined;
}

const added = suite<Context>('a language that is added');

added.before(async (context) => {
  const project = mkdtempSync(join(tmpdir(), 'l-'));
  for (const name of ['build.mjs', 'files', 'package', 'package.json', 'src', 'tsconfig.json'])
    cpSync(name, join(project, name), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(project, 'node_modules'));
  for (const [language, name, mark] of [
    ['eo', 'Esperanto', 'EO'],
    ['pt_BR', "Portugu\u00eas do 'Brasil'", 'BR'],
  ] as const) {
    mkdirSync(join(project, 'package/luci-app-sipalg/po', language));
    writeFileSync(join(project, 'package/luci-app-sipalg/po', language, 'sipalg.po'), po(name, mark));
  }
  const load = <T>(path: string): Promise<T> => import(pathToFileURL(join(project, path)).href) as Promise<T>;
  await (await load<{ packAll(folder: string): Promise<unknown> }>('build.mjs')).packAll(join(project, 'dist'));
  const { packages } = await load<{ packages(): Context['packages'] }>('package/contents.mjs');
  Object.assign(context, { project, packages: packages() });
});

added.after(({ project }) => rmSync(project, { recursive: true, force: true }));

const filesOf = ({ packages }: Context, name: string): string[] => [...(packages.find((one) => one.name === name)?.files.keys() ?? [])];

added('is two packages, named as LuCI names them', (context) => {
  const names = context.packages.map(({ name }) => name);
  assert.equal(
    names.filter((name) => name.includes('i18n')),
    ['de', 'eo', 'pt-br'].flatMap((code) => [`sipalg-i18n-${code}`, `luci-i18n-sipalg-${code}`]),
  );
  for (const code of ['eo', 'pt-br']) {
    assert.equal(filesOf(context, `luci-i18n-sipalg-${code}`), [
      `/usr/lib/lua/luci/i18n/sipalg.${code}.lmo`,
      `/etc/uci-defaults/luci-i18n-sipalg-${code}`,
    ]);
    assert.is(filesOf(context, `sipalg-i18n-${code}`).length, 3, 'what is said by most commands, of calls, and on the page');
  }
});

added('is found and read by LuCI, and what is not translated stays in English', async (context) => {
  const { hash } = await packer<{ hash(data: Buffer): number }>('lmo');
  const bytes = (name: string, path: string): Buffer =>
    context.packages.find((one) => one.name === name)?.files.get(path)?.bytes ?? Buffer.alloc(0);
  const names = ['de', 'eo', 'pt-br'].map((code) => `luci-i18n-sipalg-${code}`);
  const defaults = names.map((name) => bytes(name, `/etc/uci-defaults/${name}`).toString());
  assert.is(defaults[2], "uci set luci.languages.pt_br='Portugu\u00eas do Brasil'; uci commit luci\n");
  for (const [accept, code, mark] of [
    ['pt-BR,pt;q=0.9,en;q=0.8', 'pt-br', 'BR'],
    ['eo', 'eo', 'EO'],
  ] as const) {
    const found = luciFinds(accept, defaults);
    assert.is(found, code);
    const lmo = bytes(`luci-i18n-sipalg-${found}`, `/usr/lib/lua/luci/i18n/sipalg.${found}.lmo`);
    const start = lmo.readUInt32BE(lmo.length - 4);
    const texts = new Map<number, string>();
    for (let row = start; row < lmo.length - 4; row += 16) {
      const place = lmo.readUInt32BE(row + 8);
      texts.set(lmo.readUInt32BE(row), lmo.subarray(place, place + lmo.readUInt32BE(row + 12)).toString());
    }
    const said = (text: string): string | undefined => texts.get(hash(Buffer.from(text)));
    assert.equal(
      [said('SIP ALG'), said('Looking at the router...'), said('sipalg alg-off'), said('en')],
      [`${mark} ALG`, `${mark} looking`, `${mark} no ALG`, accept.split(',')[0]],
    );
    assert.equal([said('Voice rules'), said('Contents')], [undefined, undefined], 'not translated; not of the page');
  }
});

added('is spoken by the program, by whatever locale asks for it', ({ project }) => {
  const run = (lang: string, ...words: string[]): string => {
    const { stdout } = spawnSync(process.execPath, [join(project, 'dist/router/sipalg.mjs'), ...words], {
      encoding: 'utf8',
      env: { PATH: '/nowhere', LANG: lang },
    });
    return stdout;
  };
  for (const [lang, heading] of [
    ['pt_BR.UTF-8', 'BR example:'],
    ['pt_PT', 'BR example:'],
    ['eo.UTF-8', 'EO example:'],
    ['fr_FR.UTF-8', 'For example:'],
  ] as const) {
    const said = run(lang, 'status', '--help');
    assert.ok(said.includes(`\n${heading}\n`), `${lang}: ${said}`);
    assert.match(said, 'say whether a SIP ALG touches calls here, with evidence');
  }
});

added('is offered by the page, and given to it whole with its own name', async ({ project }) => {
  const page = readFileSync(join(project, 'dist/page/page.js'), 'utf8');
  const view = readFileSync(join(project, 'dist/luci/htdocs/luci-static/resources/view/sipalg/overview.js'), 'utf8');
  for (const text of [page, view]) assert.ok(text.includes('["de","eo","pt_BR"]'));
  const { PARTS, partOf } = (await import(pathToFileURL(join(project, 'package/words.mjs')).href)) as {
    PARTS: readonly string[];
    partOf(language: string, part: string): [string, string][];
  };
  const whole = new Map(PARTS.flatMap((part) => partOf('pt_BR', part)));
  assert.equal(
    ['en', 'sipalg language', 'sipalg plural', 'sipalg report-contents', 'Looking at the router...'].map((key) => whole.get(key)),
    ['pt-BR', 'pt-BR', 'n > 1', 'BR contents', 'BR looking'],
  );
});

added('is refused by the build where its folder has no name that gettext knows', ({ project }) => {
  mkdirSync(join(project, 'package/luci-app-sipalg/po/pt-br'));
  const { status, stderr } = spawnSync(process.execPath, [join(project, 'package/page.mjs')], { encoding: 'utf8' });
  assert.is(status, 1);
  assert.match(stderr, "po/pt-br is no language's name as gettext writes it, such as de, pt_BR or zh_Hans; rename the folder.");
});

added.run();
