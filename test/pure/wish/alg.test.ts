import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Refused } from '../../../src/languages/refused.ts';
import { parseUci } from '../../../src/languages/uci/parse.ts';
import { readWish, writeWish } from '../../../src/wish/alg.ts';
import { readServe } from '../../../src/wish/serve.ts';
import type { Problem } from '../../../src/wish/alg.ts';
import { damage, seeded } from '../../seeded.ts';

/** The file of the design, every section that is to come included. */
const FULL = `# looked after by the fleet
config sipalg 'main'
	option alg 'disabled'          # since the phones came
	option policy '1'

config timeouts 'timeouts'
	option media '300'

config marking 'marking'
	option enabled '1'

config limit 'limit'
	option register '5'

config provider 'example'
	list host 'sip.example.com'
`;

function main(...lines: string[]): string {
  return ["config sipalg 'main'", ...lines.map((line) => `\t${line}`), ''].join('\n');
}

/** The one problem of a text that keeps the default in force. */
function problemOf(text: string): Problem {
  const { wish, problems } = readWish(text);
  assert.is(wish.alg, 'unmanaged');
  const [problem, ...others] = problems;
  if (problem === undefined || others.length > 0) throw new Error(`one problem expected: ${JSON.stringify(problems)}`);
  return problem;
}

/** What a fresh package installs. */
const STOCK = readFileSync('files/etc/config/sipalg', 'utf8');

const read = suite('readWish');

read('is unmanaged without a word when there is no file, or nothing in it about the ALG', () => {
  for (const text of [null, '', '# nothing\n', main(), main("option policy '0'"), "config timeouts 'timeouts'\n"]) {
    assert.equal(readWish(text), { wish: { alg: 'unmanaged', policy: false }, problems: [] });
  }
});

read('takes each of the three wishes', () => {
  for (const alg of ['unmanaged', 'disabled', 'enabled'] as const) {
    assert.equal(readWish(main(`option alg '${alg}'`)), { wish: { alg, policy: false }, problems: [] });
    assert.equal(readWish(`config sipalg\r\n\toption alg ${alg}\r\n`), { wish: { alg, policy: false }, problems: [] });
  }
});

read('leaves the sections of the voice rules to them', () => {
  assert.equal(readWish(FULL), { wish: { alg: 'disabled', policy: true }, problems: [] });
});

read('takes option policy as OpenWrt reads a boolean, and refuses what is none', () => {
  for (const [given, policy] of [
    ['1', true],
    ['on', true],
    ['yes', true],
    ['0', false],
    ['disabled', false],
  ] as const) {
    assert.equal(readWish(main(`option policy '${given}'`)), { wish: { alg: 'unmanaged', policy }, problems: [] });
  }
  assert.equal(problemOf(main("option policy 'maybe'")), {
    section: 'sipalg.main',
    option: 'policy',
    given: 'maybe',
    allowed: '1 or 0',
    text: 'sipalg.main: the option policy is "maybe"; it may be 1 or 0. Until it is, the voice firewall rules are left as they are.',
  });
});

read('refuses a bad value with the section, the option, what was given and what is allowed', () => {
  assert.equal(problemOf(main("option alg 'off'")), {
    section: 'sipalg.main',
    option: 'alg',
    given: 'off',
    allowed: 'unmanaged, disabled or enabled',
    text:
      'sipalg.main: the option alg is "off"; it may be unmanaged, disabled or enabled. '
      + 'Until it is, the ALG is left as it is (unmanaged).',
  });
  for (const given of ['Disabled', 'disabled ', '0', '__proto__', '']) {
    assert.is(problemOf(main(`option alg '${given}'`)).given, given);
  }
  assert.is(problemOf('config sipalg\n\toption alg off\n').section, 'sipalg.@sipalg[0]');
});

read('refuses a list for an option, and says it was one', () => {
  assert.is(problemOf(main('list alg disabled')).given, 'list disabled');
  assert.is(problemOf(main('option alg disabled', 'list alg enabled')).given, 'list disabled enabled');
});

read('takes the value that is in force when one is given twice', () => {
  assert.equal(readWish(main('option alg off', 'option alg disabled')), { wish: { alg: 'disabled', policy: false }, problems: [] });
});

read('reports a file that is no UCI file, with its line, and what that means', () => {
  const problem = problemOf(main('option alg disabled', "option policy '1"));
  assert.equal([problem.section, problem.option, problem.given], ['sipalg', '', "option policy '1"]);
  assert.match(problem.text, '/etc/config/sipalg, line 3:');
  assert.match(problem.text, 'never closed');
  assert.match(problem.text, 'unmanaged');
});

read('reports a misspelt option, and lets the rest apply', () => {
  const { wish, problems } = readWish(main('option alg disabled', 'option Alg enabled'));
  assert.is(wish.alg, 'disabled');
  assert.equal(
    problems.map(({ section, option, given }) => [section, option, given]),
    [['sipalg.main', 'Alg', 'enabled']],
  );
});

read('reports a main section of another type', () => {
  const problem = problemOf("config sipagl 'main'\n\toption alg disabled\n");
  assert.equal([problem.section, problem.given, problem.allowed], ['sipalg.main', 'sipagl', 'sipalg']);
});

read('reads main where there is another section of its type, and reports the other', () => {
  const { wish, problems } = readWish(`config sipalg\n\toption alg enabled\n\n${main('option alg disabled')}`);
  assert.is(wish.alg, 'disabled');
  assert.equal(
    problems.map(({ section, given }) => [section, given]),
    [['sipalg.@sipalg[0]', 'enabled']],
  );
});

/** What stands in the file, as another reader of UCI sees it: the last `option alg` of the section that counts. */
function written(text: string): string | null | 'unreadable' {
  try {
    const sections = parseUci(text).sections.filter(({ type }) => type === 'sipalg');
    const section = sections.find(({ name }) => name === 'main') ?? sections[0];
    const given = section?.options.filter(({ name }) => name === 'alg') ?? [];
    return given.length === 0 ? null : given.map(({ value }) => value).join(' ');
  } catch (error) {
    assert.instance(error, Refused);
    return 'unreadable';
  }
}

read('never throws, whatever the file, and never passes over what it could not read', () => {
  const seen = { wished: 0, unreadable: 0, other: 0, none: 0 };
  for (let seed = 1; seed <= 1000; seed++) {
    const text = damage(FULL, seeded(seed));
    const given = written(text);
    const { wish, problems } = readWish(text);
    for (const problem of problems) assert.ok(problem.text.length < 700 && problem.section !== '', `seed ${seed}`);
    if (given === 'unreadable') {
      assert.equal([wish, problems.length], [{ alg: 'unmanaged', policy: null }, 1], `seed ${seed}`);
      seen.unreadable++;
    } else if (given === null) {
      assert.is(wish.alg, 'unmanaged', `seed ${seed}`);
      seen.none++;
    } else if (given === 'disabled') {
      assert.is(wish.alg, 'disabled', `seed ${seed}`);
      seen.wished++;
    } else if (!given.includes(' ')) {
      assert.is(wish.alg, 'unmanaged', `seed ${seed}`);
      assert.ok(
        problems.some((one) => one.option === 'alg'),
        `seed ${seed}: ${given}`,
      );
      seen.other++;
    }
  }
  assert.ok(Math.min(...Object.values(seen)) > 4, JSON.stringify(seen));
});

const serve = suite('readServe');

serve('has a daemon with its page, looking every five minutes, unless told otherwise', () => {
  const standard = { enabled: true, page: true, listen: null, every: 5 };
  for (const text of [null, '', STOCK, FULL, "config serve 'serve'\n", "config 'broken\n"])
    assert.equal(readServe(text), { serve: standard, problems: [] });
  assert.equal(readServe("config serve\n\toption enabled off\n\toption page '0'\n\toption listen '[::1]:1'\n\toption every '60'\n"), {
    serve: { enabled: false, page: false, listen: '[::1]:1', every: 60 },
    problems: [],
  });
  for (const yes of ['1', 'on', 'true', 'yes', 'enabled'])
    assert.is(readServe(`config serve\n\toption enabled ${yes}\n`).serve.enabled, true);
});

serve('refuses a bad value by section, option and what is allowed, and the rest is in force', () => {
  const {
    serve: { every, page },
    problems,
  } = readServe(
    "config serve 'serve'\n\toption every '0'\n\toption page '0'\n\toption enabled 'constructor'\n\toption port '80'\n\tlist listen 'x'\n",
  );
  assert.is(every, 5);
  assert.is(page, false);
  assert.equal(
    problems.map(({ text }) => text),
    [
      'sipalg.serve: the option every is "0"; it may be 1 to 1440 (minutes). Until it is, it is 5.',
      'sipalg.serve: the option enabled is "constructor"; it may be 1 or 0. Until it is, it is 1.',
      'sipalg.serve: there is no option "port"; the options are enabled, page, listen and every.',
    ],
  );
});

serve('is no problem of the wish', () => {
  assert.equal(readWish(STOCK).problems, []);
});

serve.run();
read.run();

const write = suite('writeWish');

write('starts from the stock file, which is the one in files/', () => {
  assert.equal(readWish(STOCK), { wish: { alg: 'unmanaged', policy: false }, problems: [] });
  assert.is(writeWish(null, 'disabled'), "config sipalg 'main'\n\toption alg 'disabled'\n");
  assert.is(writeWish(STOCK, 'disabled'), STOCK.replace("alg 'unmanaged'", "alg 'disabled'"));
});

write('changes the value and no other byte', () => {
  assert.is(writeWish(FULL, 'enabled'), FULL.replace("alg 'disabled'  ", "alg 'enabled'  "));
  assert.is(writeWish(FULL, 'disabled'), FULL);
});

write('adds what is missing', () => {
  assert.is(writeWish('', 'disabled'), main("option alg 'disabled'"));
  assert.is(writeWish('# mine\n', 'disabled'), `# mine\n\n${main("option alg 'disabled'")}`);
  assert.is(writeWish(main("option policy '1'"), 'disabled'), main("option policy '1'", "option alg 'disabled'"));
});

write('puts a bad value right', () => {
  for (const line of ["option alg 'off'", 'list alg disabled', "option alg ''"]) {
    assert.equal(readWish(writeWish(main(line), 'disabled')), { wish: { alg: 'disabled', policy: false }, problems: [] }, line);
  }
});

write('refuses a file it cannot read, rather than write over it', () => {
  for (const text of ["config sipalg 'main\n", "config other 'main'\n"]) {
    assert.throws(
      () => writeWish(text, 'disabled'),
      (error: unknown) => error instanceof Refused,
      text,
    );
  }
});

write('is what readWish then reads, or is refused', () => {
  let written = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const text = damage(FULL, seeded(seed));
    try {
      assert.is(readWish(writeWish(text, 'enabled')).wish.alg, 'enabled', `seed ${seed}`);
      written += 1;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
  assert.ok(written > 300, `${written} of 2000`);
});

write.run();
