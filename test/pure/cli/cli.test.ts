import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readArguments } from '../../../src/cli/arguments.ts';
import { shownOption } from '../../../src/cli/command.ts';
import { cli } from '../../../src/cli/cli.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { DOES, help, helpFor } from '../../../src/cli/help.ts';
import { english } from '../../../src/words/english.ts';
import type { Host } from '../../../src/host/host.ts';
import { createSurveyor } from '../../../src/survey/survey.ts';
import { createVoice } from '../../../src/voice/voice.ts';
import { recordedRouter } from '../../routers.ts';
import { seeded } from '../../seeded.ts';

const wrongOf = (...words: string[]): string => {
  const asked = readArguments(words);
  return 'wrong' in asked ? asked.wrong.text : `understood as ${asked.command.name}`;
};

const surveyor = createSurveyor('1.2.3', async () => createVoice(null));

/** As understood: the command, its options, and whether help was asked for. */
function asked(...words: string[]): [string, Record<string, string>, boolean?] | string {
  const read = readArguments(words);
  if ('wrong' in read) return read.wrong.text;
  return [read.command.name, Object.fromEntries(read.given), ...(read.help ? [true] : [])] as [string, Record<string, string>];
}

const words = suite('the words after sipalg');

words('are a command and its options, status where none is given', () => {
  assert.equal(asked(), ['status', {}]);
  assert.equal(asked('--json'), ['status', { '--json': '' }]);
  assert.equal(asked('disable', '--dry-run', '--dry-run'), ['disable', { '--dry-run': '' }]);
  assert.equal(asked('status', '--from', 'a b', '--json'), ['status', { '--from': 'a b', '--json': '' }]);
  assert.equal(asked('plan', '--from=-'), ['plan', { '--from': '-' }]);
  for (const help of ['--help', '-h', 'help']) assert.equal(asked(help), ['help', {}]);
  assert.equal(asked('disable', '--help'), ['disable', {}, true], 'asking for help never changes a router');
  assert.equal(asked('--version'), ['version', {}]);
});

words('are answered with the nearest right one where they are wrong', () => {
  const nearest: [string, string][] = [
    ['stauts', 'status'],
    ['statuss', 'status'],
    ['sttus', 'status'],
    ['disabel', 'disable'],
    ['dissable', 'disable'],
    ['enabled', 'enable'],
    ['Enable', 'enable'],
    ['plna', 'plan'],
    ['aply', 'apply'],
    ['STATUS', 'status'],
  ];
  for (const [given, meant] of nearest)
    assert.match(wrongOf(given), `sipalg knows no command "${given}". Did you mean "${meant}"? Commands are status, plan, `, given);
  assert.match(
    wrongOf('disable', '--dryrun'),
    '`sipalg disable` knows no "--dryrun". Did you mean "--dry-run"? `sipalg disable` takes --dry-run, --probe.',
  );
  assert.match(wrongOf('status', '--jsno'), 'Did you mean "--json"?');
  assert.match(wrongOf('--jsn'), '`sipalg status` knows no "--jsn". Did you mean "--json"?');
  assert.match(wrongOf('apply', 'now'), '`sipalg apply` knows no "now". `sipalg apply` takes --dry-run.');
  assert.match(wrongOf('version', 'now'), '`sipalg version` takes no options or arguments.');
});

words('are not guessed at where nothing is near', () => {
  for (const given of ['frobnicate', 'x'.repeat(5000), '', '\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9']) {
    assert.not.match(wrongOf(given), /Did you mean/);
    assert.ok(wrongOf(given).length < 400);
  }
});

/** What an owner of a router calls. */
const OWNERS = COMMANDS.filter(({ internal }) => internal !== true);

words('every command by one letter more, less or other are told what was meant', () => {
  const random = seeded(5);
  for (const { name } of OWNERS) {
    for (let times = 0; times < 20; times++) {
      const at = random.below(name.length);
      const letter = random.pick([...'abcdefghijklmnopqrstuvwxyz']);
      const given = random.pick([
        name.slice(0, at) + name.slice(at + 1),
        name.slice(0, at) + letter + name.slice(at),
        name.slice(0, at) + letter + name.slice(at + 1),
      ]);
      if (COMMANDS.some((command) => command.name === given)) continue;
      assert.match(wrongOf(given), /Did you mean "/, given);
    }
  }
});

words('are all in the help, with their options and the exit codes', () => {
  assert.equal(Object.keys(DOES).sort(), OWNERS.map(({ name }) => name).sort());
  for (const { name, options } of OWNERS) {
    for (const text of [name, ...options.map(shownOption), DOES[name]?.text ?? '']) assert.ok(help(COMMANDS).includes(text), text);
  }
  assert.match(help(COMMANDS), 'Exit codes: 0 ');
  // What files of the package call is nobody's to call, and no hint leads there.
  assert.ok(OWNERS.length < COMMANDS.length);
  for (const text of [help(COMMANDS), wrongOf('frobnicate'), wrongOf('rpdc')]) assert.not.match(text, 'rpcd');
  assert.equal(asked('rpcd', 'call', 'status'), ['rpcd', { VERB: 'call', WHAT: 'status' }]);
  for (const line of help(COMMANDS).split('\n')) assert.ok(line.length <= 80, line);
});

words('have help of their own, each with an example that is understood', async () => {
  for (const command of OWNERS) {
    const text = await helpFor(COMMANDS, command.name, english);
    const [, examples = ''] = text.split('\nFor example:\n');
    const lines = examples.split('\n').filter((line) => line !== '');
    assert.ok(lines.length > 0, command.name);
    for (const line of lines) {
      // As a shell takes it apart, without what it redirects.
      const typed = [...line.replace(/ > .*/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
      assert.is(typed[0], 'sipalg', line);
      assert.is(asked(...typed.slice(1))[0], command.name, line);
    }
  }
  assert.is(await helpFor(COMMANDS, undefined, english), help(COMMANDS));
  for (const name of ['frobnicate', 'rpcd']) {
    try {
      await helpFor(COMMANDS, name, english);
      assert.unreachable(name);
    } catch (error) {
      assert.match((error as Error).message, `sipalg knows no command "${name}"; commands are status, plan, `);
    }
  }
});

words.run();

const faces = suite('what is said on a terminal');

async function say(argv: string[], router: string) {
  let out = '';
  let err = '';
  const host = recordedRouter(router);
  const code = await cli(
    argv,
    { host, surveyor },
    {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      input: async () => ({ state: 'present', value: '', source: 'standard input' }),
      goOn: () => true,
    },
  );
  return { code, out, err, asked: host.asked };
}

faces('is nothing on standard output, one sentence and exit code 2 where the words are wrong', async () => {
  const { code, out, err, asked } = await say(['disabel'], 'stock-alg-on');
  assert.equal([code, out, asked], [2, '', []]);
  assert.match(err, /^sipalg: sipalg knows no command "disabel"\. .*\n$/);
});

faces('is one JSON document and nothing else with --json', async () => {
  for (const command of ['status', 'plan']) {
    for (const router of ['stock-alg-on', 'not-root', 'hostile-nft', 'openwrt-stock']) {
      const { out, err } = await say([command, '--json'], router);
      const report = JSON.parse(out) as Record<string, unknown>;
      assert.equal(Object.keys(report), ['version', 'facts', 'verdict', 'plan']);
      assert.equal([err, report['version']], ['', '1.2.3']);
    }
  }
});

faces("has no control character, whatever a router's texts hold", async () => {
  for (const router of ['hostile-nft', 'hostile-nft-truncated', 'hostile-iptables', 'foreign-table']) {
    for (const command of ['status', 'plan']) {
      const { out, err } = await say([command], router);
      assert.not.match(out + err, /[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f]/, `${command} of ${router}`);
    }
  }
});

faces('obeys nobody: what a file tells the terminal to do is shown', async () => {
  const evil = 'chain c { ct helper set "sip" comment "\x1b]0;owned\x07\x9b2J\r" }';
  const recorded = recordedRouter('user-include');
  const host: Host = {
    ...recorded,
    async read(path, options) {
      return path === '/etc/nftables.d/20-user.nft' ? { state: 'present', value: evil, source: path } : recorded.read(path, options);
    },
  };
  for (const words of [['status'], ['plan'], ['status', '--json'], ['disable', '--dry-run']]) {
    let said = '';
    await cli(
      words,
      { host, surveyor },
      {
        out: (text) => {
          said += text;
        },
        err: (text) => {
          said += text;
        },
        input: async () => ({ state: 'present', value: '', source: 'standard input' }),
        goOn: () => true,
      },
    );
    assert.not.match(said, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/, words.join(' '));
    if (words[0] === 'status' && words[1] === undefined) assert.match(said, 'comment "\\x1b]0;owned\\x07\\x9b2J\\x0d"');
    if (words[1] === '--json') assert.match(JSON.stringify((JSON.parse(said) as { verdict: unknown }).verdict), 'owned');
  }
});

faces('is the version, and the help', async () => {
  assert.equal((await say(['version'], 'stock-alg-on')).out, 'sipalg 1.2.3\n');
  assert.equal((await say(['help'], 'stock-alg-on')).code, 0);
});

faces('is that only root may change anything, before anything is touched', async () => {
  for (const command of ['disable', 'enable']) {
    const { code, out, err } = await say([command], 'not-root');
    assert.equal([code, out], [2, '']);
    assert.match(err, /^sipalg: Only root may change what is asked here; run it as root\. [^\n]*\n$/);
  }
});

faces('is that nothing is changed where nothing is wished', async () => {
  const { code, out, err } = await say(['apply'], 'stock-alg-on');
  assert.equal([code, out, err], [0, '/etc/config/sipalg says "unmanaged": nothing is changed.\n', '']);
});

faces('looks again where a list of rules could not be read in passing, and says so where it stays so', async () => {
  const recorded = recordedRouter('stock-alg-on');
  const through = async (failing: number): Promise<{ code: number; looks: number }> => {
    let looks = 0;
    const host: Host = {
      ...recorded,
      async run(argv, options) {
        if (argv.join(' ') !== 'nft -j -t list ruleset' || ++looks > failing) return recorded.run(argv, options);
        return { state: 'exited', command: argv.join(' '), code: 1, stdout: '', stderr: 'Error: No such file or directory\n' };
      },
    };
    const terminal = {
      out: () => undefined,
      err: () => undefined,
      input: async () => ({ state: 'present', value: '', source: 'standard input' }) as const,
      goOn: () => true,
    };
    return { code: await cli(['status'], { host, surveyor }, terminal), looks };
  };
  assert.equal(await through(0), { code: 1, looks: 1 });
  assert.equal(await through(1), { code: 1, looks: 2 });
  assert.equal(await through(9), { code: 2, looks: 3 });
});

faces('does not say "unmanaged" where what is wished could not be told', async () => {
  for (const text of [null, "config sipalg 'main\n", "config sipalg 'main'\n\toption alg 'off'\n"]) {
    const recorded = recordedRouter('stock-alg-on');
    const host: Host = {
      ...recorded,
      async read(path, options) {
        if (path !== '/etc/config/sipalg') return recorded.read(path, options);
        return text === null
          ? { state: 'failed', source: path, because: 'input/output error (EIO)' }
          : { state: 'present', source: path, value: text };
      },
    };
    for (const command of ['status', 'plan', 'apply']) {
      let said = '';
      const out = (more: string): void => {
        said += more;
      };
      const code = await cli(
        [command],
        { host, surveyor },
        { out, err: () => undefined, input: () => Promise.reject(new Error()), goOn: () => true },
      );
      assert.is(code, 2, command);
      assert.not.match(said, /says "unmanaged"|wish: unmanaged/);
      assert.match(said.replace(/\s+/g, ' '), /could not be told|wish: not known|could not be read|cannot be written/);
    }
  }
});

faces('names what is misspelt in the configuration, with the nearest right one, whatever is asked', async () => {
  const sentences = [
    'sipalg.example: there is no section type "providr" (line 11), so nothing in it is read; ' +
      'the types are sipalg, timeouts, marking, limit, provider, site, serve, metrics and hep. Did you mean "provider"?',
    'sipalg.main: there is no option "polcy"; the options are alg, lang, policy and failback. Did you mean "policy"?',
    'sipalg.timeouts: the option media is "5"; it may be 30 to 86400 (seconds). Until it is, it is 300.',
    'sipalg.serve: there is no option "evry"; the options are enabled, page, listen, every, log, cert and key. Did you mean "every"?',
  ];
  for (const words of [['status'], ['plan'], ['policy'], ['apply'], ['disable', '--dry-run'], ['enable', '--dry-run']]) {
    const { code, out, err } = await say(words, 'wish-misspelt');
    const said = `${out}${err}`.replace(/\s+/g, ' ');
    for (const sentence of sentences) assert.is(said.split(sentence).length, 2, `${words.join(' ')}: ${sentence}`);
    if (words.length === 1) assert.is(code, 2, words[0]);
  }
});

faces('is what would be done, command by command, with --dry-run', async () => {
  const { code, out, err } = await say(['disable', '--dry-run'], 'stock-alg-on');
  assert.equal([code, err], [0, '']);
  for (const line of out.trimEnd().split('\n')) assert.match(line, /^\[#\] \S/);
  assert.match(
    out,
    "[#] nft 'delete rule inet fw4 helper_lan handle 72; delete ct helper inet fw4 sip'\n[#] rmmod nf_nat_sip\n[#] rmmod nf_conntrack_sip\n",
  );
  const refused = await say(['disable', '--dry-run'], 'modules-conf-dangerous');
  assert.is(refused.code, 2);
  assert.match(refused.out, 'Mend or remove that line first.');
  assert.is((await say(['disable', '--dry-run'], 'user-include')).code, 1);
  assert.equal((await say(['enable', '--dry-run'], 'journal-damaged')).code, 2);
});

faces('is with `apply --dry-run` what the wish that is written would do, of the ALG and of the voice rules', async () => {
  const lines = async (router: string): Promise<string[]> => {
    const { code, out, err } = await say(['apply', '--dry-run'], router);
    assert.equal([code, err], [0, ''], router);
    return out.split('\n').filter((line) => line.startsWith('[#] '));
  };
  for (const router of ['disabled', 'voice-in-force', 'stock-alg-on']) assert.equal(await lines(router), [], router);
  const back = await lines('comes-back');
  assert.ok(back.includes('[#] uci add_list firewall.@zone[0].helper=ftp'));
  assert.equal(
    back.filter((line) => line.includes('sipalg.main')),
    [],
    'the wish is written already',
  );
  assert.ok((await lines('voice-missing')).includes('[#] nft -f /etc/sipalg.policy'), 'the voice rules alone');
  assert.is((await say(['apply', '--dry-run'], 'wish-misspelt')).code, 2);
});

faces.run();
