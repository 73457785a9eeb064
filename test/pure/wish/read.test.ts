import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Refused } from '../../../src/languages/refused.ts';
import { readConfiguration } from '../../../src/wish/read.ts';
import { textOf } from '../../../src/words/say.ts';
import { wishSection, writeWish } from '../../../src/wish/write.ts';
import { SCHEMA } from '../../../src/wish/schema.ts';
import type { Problem, ServeWish, Wish } from '../../../src/wish/wish.ts';
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

function readWish(text: string | null): { wish: Wish; problems: Problem[] } {
  const { wish, problems } = readConfiguration(text);
  return { wish, problems };
}

function readServe(text: string | null): { serve: ServeWish; problems: Problem[] } {
  const { serve, problems } = readConfiguration(text);
  return { serve, problems };
}

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

const read = suite('the wish');

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
  assert.equal(withoutCodes(problemOf(main("option policy 'maybe'"))), {
    section: 'sipalg.main',
    option: 'policy',
    given: 'maybe',
    allowed: '1 or 0',
    text: 'sipalg.main: the option policy is "maybe"; it may be 1 or 0. Until it is, the voice firewall rules are left as they are.',
  });
});

const withoutCodes = ({ code: _, parameters: __, ...problem }: Problem): Omit<Problem, 'code' | 'parameters'> => problem;

read('says what a bad value is by a code and its parts too', () => {
  const { code, parameters } = problemOf(main("option alg 'off'"));
  assert.is(code, 'problem-option');
  assert.equal([parameters?.['section'], parameters?.['option'], parameters?.['given']], ['sipalg.main', 'alg', '"off"']);
});

read('refuses a bad value with the section, the option, what was given and what is allowed', () => {
  assert.equal(withoutCodes(problemOf(main("option alg 'off'"))), {
    section: 'sipalg.main',
    option: 'alg',
    given: 'off',
    allowed: 'unmanaged, disabled or enabled',
    text:
      'sipalg.main: the option alg is "off"; it may be unmanaged, disabled or enabled. ' +
      'Until it is, the ALG is left as it is (unmanaged).',
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
    problems.map(({ section, given, text }) => [section, given, text]),
    [['sipalg.@sipalg[0]', 'enabled', 'sipalg.@sipalg[0]: a second section of type sipalg (line 1) is not read; set alg in sipalg.main.']],
  );
});

read('never throws, whatever the file, and never passes over what it could not read', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const text = damage(FULL, seeded(seed));
    const { wish, problems } = readWish(text);
    assert.ok(['unmanaged', 'disabled', 'enabled'].includes(wish.alg), `seed ${seed}`);
    for (const problem of problems) assert.ok(problem.text.length < 700 && problem.section !== '', `seed ${seed}`);
  }
});

const serve = suite('what the daemon is told');

serve('has a daemon with its page, looking every five minutes, unless told otherwise', () => {
  const standard = { enabled: true, page: true, listen: null, every: 5, log: 'info', cert: null, key: null };
  for (const text of [null, '', STOCK, FULL, "config serve 'serve'\n", "config 'broken\n"]) assert.equal(readServe(text).serve, standard);
  assert.equal(readServe("config serve\n\toption enabled off\n\toption page '0'\n\toption listen '[::1]:1'\n\toption every '60'\n"), {
    serve: { ...standard, enabled: false, page: false, listen: '[::1]:1', every: 60 },
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
      'sipalg.serve: there is no option "port"; the options are enabled, page, listen, every, log, cert and key. Did you mean "cert"?',
      'sipalg.serve: the option listen is "list x"; it may be an address and a port, such as 127.0.0.1:8061, 192.168.1.1:8061 or [::1]:8061. ' +
        'Until it is, the page is not served.',
    ],
  );
});

serve('keeps a place to listen that is none, so that the page is served nowhere rather than elsewhere', () => {
  const { serve, problems } = readServe("config serve\n\toption listen 'lan'\n");
  assert.is(serve.listen, 'lan');
  assert.match(problems[0]?.text ?? '', 'the option listen is "lan"; it may be an address and a port');
});

const hep = suite('the Homer server');

const readHep = (options: string): ReturnType<typeof readConfiguration> => readConfiguration(`config hep 'hep'\n${options}`);

hep('is a name or an address, and nothing is sent where none is given', () => {
  assert.equal(readConfiguration(null).hep, { enabled: false, server: null, node: 1, password: '', calls: false });
  for (const [given, server] of [
    ['homer.example.com', { name: 'homer.example.com', port: null }],
    ['homer.example.com:9061', { name: 'homer.example.com', port: 9061 }],
    ['203.0.113.9', { address: '203.0.113.9', port: null }],
    ['[2001:db8::9]:9060', { address: '2001:db8::9', port: 9060 }],
  ] as const) {
    const { hep: read, problems } = readHep(`\toption server '${given}'\n\toption node '4294967295'\n\toption calls '1'\n`);
    assert.equal([read.server, read.node, read.calls, problems], [server, 4_294_967_295, true, []]);
  }
});

hep('says what is no server, number or choice, and never what the password is', () => {
  const { hep: read, problems } = readHep(
    "\toption server 'a b'\n\toption node '0'\n\toption calls 'some'\n\tlist password 'hunter2'\n",
  );
  assert.equal([read.server, read.node, read.calls], [null, 1, false]);
  assert.equal(
    problems.map(({ option }) => option),
    ['server', 'node', 'calls', 'password'],
  );
  assert.not.match(JSON.stringify(problems), /hunter2/);
  assert.match(problems[0]?.text ?? '', 'Until it is, nothing is sent.');
  assert.is(readHep("\toption password 'a \u00e9'\n").hep.password, 'a \u00e9');
});

hep.run();

const schema = suite('the schema');

/** As OpenWrt's get_bool has them (lib/functions.sh). */
const WORDS = { yes: ['1', 'on', 'true', 'yes', 'enabled'], no: ['0', 'off', 'false', 'no', 'disabled'] };
const NO_WORDS = [
  '',
  ' ',
  '2',
  '-1',
  '01',
  'On',
  'TRUE',
  'Yes',
  'y',
  'n',
  't',
  'enable',
  'disable',
  '1 ',
  ' 0',
  'constructor',
  '__proto__',
];

const TYPES = Object.entries(SCHEMA);
const BOOLEANS = TYPES.flatMap(([type, { options }]) =>
  Object.entries(options).flatMap(([option, { allowed }]) => (textOf(allowed) === '1 or 0' ? [[type, option] as const] : [])),
);

/** What makes a section of a type stand for somebody. */
const STANDS_FOR: Readonly<Record<string, string>> = {
  provider: "\tlist signalling '203.0.113.0/24'\n",
  site: "\tlist network '203.0.113.0/24'\n",
};

/** What one option comes to, read through the whole. */
function booleanIn(type: string, option: string, given: string): { value: unknown; problems: Problem[] } {
  const name = SCHEMA[type as keyof typeof SCHEMA].name ?? 'x';
  const more = `${STANDS_FOR[type] ?? ''}${type === 'provider' ? "\tlist pbx '192.168.1.20'\n" : ''}`;
  const { wish, serve, metrics, hep, voice, problems } = readConfiguration(`config ${type} '${name}'\n\toption ${option} '${given}'\n${more}`);
  const value = {
    sipalg: { policy: wish.policy, failback: wish.failback === true },
    serve: { enabled: serve.enabled, page: serve.page },
    metrics: { enabled: metrics.enabled },
    hep: { enabled: hep.enabled, calls: hep.calls },
    marking: { enabled: voice.marking !== null, overwrite: voice.marking?.overwrite === true },
    limit: { enabled: voice.limit !== null },
    site: { enabled: voice.sites.length > 0 },
    provider: {
      enabled: voice.providers.length > 0,
      inbound: voice.providers[0]?.inbound !== null,
      marking: voice.providers[0]?.marking !== false,
    },
  }[type] as Record<string, unknown>;
  return { value: value[option], problems };
}

schema('has one grammar of a boolean, on every boolean option', () => {
  assert.equal(BOOLEANS.map(([type, option]) => `${type}.${option}`).sort(), [
    'hep.calls',
    'hep.enabled',
    'limit.enabled',
    'marking.enabled',
    'marking.overwrite',
    'metrics.enabled',
    'provider.enabled',
    'provider.inbound',
    'provider.marking',
    'serve.enabled',
    'serve.page',
    'sipalg.failback',
    'sipalg.policy',
    'site.enabled',
  ]);
  for (const [type, option] of BOOLEANS) {
    for (const word of WORDS.yes) assert.equal(booleanIn(type, option, word), { value: true, problems: [] }, `${type}.${option} ${word}`);
    for (const word of WORDS.no) assert.equal(booleanIn(type, option, word), { value: false, problems: [] }, `${type}.${option} ${word}`);
    for (const word of NO_WORDS) {
      const { problems } = booleanIn(type, option, word);
      assert.equal(
        problems.map((problem) => [problem.option, problem.given, problem.allowed]),
        [[option, word, '1 or 0']],
        `${type}.${option} "${word}"`,
      );
    }
  }
});

schema('names a misspelt section type with the nearest right one, in a section with a name or without', () => {
  for (const [type] of TYPES) {
    for (const wrong of [
      type.slice(0, -1),
      `${type}s`,
      type.toUpperCase(),
      type[0] + type.slice(2),
      `${type[1]}${type[0]}${type.slice(2)}`,
    ]) {
      if (Object.hasOwn(SCHEMA, wrong)) continue;
      for (const name of ['', " 'example'"]) {
        const { problems } = readConfiguration(`config ${wrong}${name}\n\toption enabled '1'\n`);
        const where = name === '' ? `sipalg.@${wrong}[0]` : 'sipalg.example';
        assert.equal(
          problems.map(({ section, option, given, text }) => [section, option, given, text]),
          [
            [
              where,
              '',
              wrong,
              `${where}: there is no section type "${wrong}" (line 1), so nothing in it is read; ` +
                `the types are sipalg, timeouts, marking, limit, provider, site, serve, metrics and hep. Did you mean "${type}"?`,
            ],
          ],
        );
      }
    }
  }
});

schema('knows by its name what a section of a wrong type was to be', () => {
  for (const [type, { name }] of TYPES) {
    if (name === null) continue;
    const { problems } = readConfiguration(`config misc '${name}'\n`);
    assert.equal(
      problems.map(({ text }) => text),
      [
        `sipalg.${name}: the section ${name} is of type "misc", so nothing in it is read; it must be of type ${type} ` +
          `(config ${type} '${name}').`,
      ],
    );
  }
});

schema('names every misspelt option with the nearest right one', () => {
  for (const [type, { name, options }] of TYPES) {
    for (const option of Object.keys(options)) {
      for (const wrong of [option.slice(0, -1), `${option}_`, option.toUpperCase(), `${option[1]}${option[0]}${option.slice(2)}`]) {
        // One letter from the other as well: alg and lang.
        if (Object.hasOwn(options, wrong) || wrong === 'lag' || wrong === 'alng') continue;
        const { problems } = readConfiguration(`config ${type} '${name ?? 'example'}'\n\toption ${wrong} 'x'\n${STANDS_FOR[type] ?? ''}`);
        assert.equal(
          problems.map((problem) => [problem.option, problem.given]),
          [[wrong, 'x']],
        );
        assert.match(problems[0]?.text ?? '', `there is no option "${wrong}"; the options are `);
        assert.match(problems[0]?.text ?? '', `Did you mean "${option}"?`);
      }
    }
  }
});

schema('says of a list where an option is due that it was one, and takes an option where a list is due as its words', () => {
  for (const [type, { name, options }] of TYPES) {
    for (const [option, { takes }] of Object.entries(options)) {
      if (takes === 'list') continue;
      const more = STANDS_FOR[type] ?? '';
      const { problems } = readConfiguration(`config ${type} '${name ?? 'x'}'\n\tlist ${option} '1'\n${more}`);
      assert.equal(
        problems.map((problem) => [problem.option, problem.given]),
        // A password is not repeated.
        [[option, `${type}.${option}` === 'hep.password' ? '...' : 'list 1']],
        `${type}.${option}`,
      );
    }
  }
  const { voice } = readConfiguration("config provider 'x'\n\toption signalling '203.0.113.0/24 198.51.100.7'\n");
  assert.equal(voice.providers[0]?.signalling, ['203.0.113.0/24', '198.51.100.7']);
});

schema('takes of an option given twice the last, as uci does, and complains of that one alone', () => {
  const { voice, problems } = readConfiguration("config timeouts\n\toption media '5'\n\toption media '400'\n\toption media ''\n");
  assert.equal([voice.timeouts.media, problems], [400, []]);
});

schema('reads of a type that stands once the section of its name, else the first, and names every other', () => {
  for (const [type, { name }] of TYPES) {
    if (name === null) continue;
    for (const [first, second, stray] of [
      ['', '', `sipalg.@${type}[1]`],
      ['', ` '${name}'`, `sipalg.@${type}[0]`],
      [` '${name}'`, ` 'other'`, 'sipalg.other'],
    ] as const) {
      const { problems } = readConfiguration(`config ${type}${first}\n\nconfig ${type}${second}\n`);
      assert.equal(
        problems.map(({ section }) => section),
        [stray],
        `${type}${first} and ${type}${second}`,
      );
      assert.match(problems[0]?.text ?? '', 'is not read');
    }
  }
});

schema('is read once for all who ask, and the same value comes out', () => {
  const text = `${FULL}\n# the same text\n`;
  assert.is(readConfiguration(text), readConfiguration(text));
  assert.is(readConfiguration(null), readConfiguration(''));
});

schema('is explained by the stock file: each type stands in it, and nothing of it is a problem', () => {
  assert.equal(readConfiguration(STOCK).problems, []);
  for (const [type] of TYPES) assert.match(STOCK, new RegExp(`^config ${type} `, 'm'));
});

serve.run();
schema.run();
read.run();

const write = suite('writeWish');

write('starts from the stock file, which is the one in files/', () => {
  assert.equal(readWish(STOCK), { wish: { alg: 'unmanaged', policy: false }, problems: [] });
  assert.is(writeWish(null, 'disabled'), "config sipalg 'main'\n\toption alg 'disabled'\n");
  assert.is(writeWish(STOCK, 'disabled'), STOCK.replace("alg 'unmanaged'", "alg 'disabled'"));
});

write('names the section it writes to', () => {
  assert.is(wishSection(FULL), 'sipalg.main');
  assert.is(wishSection('config sipalg\n'), 'sipalg.@sipalg[0]');
  assert.is(wishSection(null), null);
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
