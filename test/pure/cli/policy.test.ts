import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cli } from '../../../src/cli/cli.ts';
import { voiceText } from '../../../src/cli/policy.ts';
import type { Host } from '../../../src/host/host.ts';
import { reportOn } from '../../../src/survey/report.ts';
import type { RouterFacts } from '../../../src/survey/survey.ts';
import { RANK } from '../../../src/plan/step.ts';
import type { Step } from '../../../src/plan/step.ts';
import type { InForce, PolicyFacts } from '../../../src/voice/facts.ts';
import { NOW, recordedRouter } from '../../routers.ts';
import { look, VERSION } from '../../survey.ts';
import { IN_FORCE, handPolicy, MINUTE, policyFacts, withVoice } from '../../voice.ts';
import type { HandPolicy } from '../../voice.ts';
import { english } from '../../../src/words/english.ts';

interface Context {
  facts: RouterFacts;
  policy: HandPolicy;
}

const words = suite<Context>('what `sipalg policy` says');

words.before.each(async (context) => {
  context.facts = await look(recordedRouter('disabled'));
  context.policy = handPolicy();
});

const told = (facts: RouterFacts, policy: HandPolicy): string => voiceText(reportOn(VERSION, facts, policy), english, Infinity);
const say = ({ facts, policy }: Context, changes: Partial<PolicyFacts> = {}): string =>
  told(withVoice(facts, policyFacts(changes)), policy);
const first = (text: string): string => text.slice(0, text.indexOf('\n'));

/** The kernel's answer with these changes. */
const kernel = (changes: Partial<InForce>): PolicyFacts['inForce'] => ({
  ...policyFacts().inForce,
  all: { state: 'present', value: { ...IN_FORCE, ...changes }, source: 'nft -j list table inet sipalg' },
});

const STEP: Step = {
  code: 'step-x',
  rank: RANK.policy,
  why: 'policy-missing',
  text: 'Put the voice firewall rules in force.',
  actions: [],
  undo: [],
  commands: [],
};

words('is what is wished, who is trusted, what was counted and who tried', (context) => {
  assert.is(
    say(context),
    `\
The voice firewall rules are in force.

Timeouts: signalling 120 s, once answered 620 s; media 300 s; for voice alone.
Marks: media EF, signalling CS3; marks that phones set are left alone.
Limits per minute and source address: REGISTER 5, INVITE 10, OPTIONS 10, other 20; over TCP 2 kB per second; from pppoe-wan.

Providers:
  example, may open calls to 192.168.1.20
    signalling: 203.0.113.0/24
    media: 198.51.100.0/24, 2001:db8:5::/48
    sip.example.com: 203.0.113.5, 2001:db8:5::5, port 5060, 5061 (TLS); answered 3 min ago, asked again in 27 min
    Old.example.com:5080: 203.0.113.9; STALE: answered 26 h ago, asked in vain 90 s ago: no server answered within 5 s
    new.example.com: no answer yet; asked in vain 60 s ago: the name does not exist
  plain
    signalling: 192.0.2.0/28

Counted:
                                    packets     bytes
  Audio, marked                       90210  18042000
  REGISTER from strangers, dropped     9990   4000000
Phones seen: 192.168.1.10, 192.168.1.11.

Attempts from the internet, by addresses of no provider:
  source           method     seen  dropped  first       last
  2001:db8:bad::1  REGISTER  10000     9990  3 h ago     40 s ago
  192.0.2.99       TCP          12        2  ?           ?
  198.51.100.66    OPTIONS       3        0  50 min ago  5 min ago
`,
  );
});

words('never calls rules in force that are missing, refused or unread', (context) => {
  const { policy } = context;
  policy.planned = {
    steps: [STEP],
    takes: [],
    refused: [{ code: 'refused-x', text: 'The limits are not installed: no device leads to the internet.' }],
  };
  assert.match(
    say(context),
    `The voice firewall rules are switched on, and not in force as configured. What is missing:
  The limits are not installed: no device leads to the internet.
  Put the voice firewall rules in force.
\`sipalg apply\` does it.
`,
  );
  policy.planned = {
    steps: [],
    takes: [],
    refused: [{ code: 'refused-x', text: 'The limits are not installed: no device leads to the internet.' }],
  };
  assert.not.match(say(context), '`sipalg apply`');
  policy.planned = { steps: [], takes: [], refused: [] };
  const unread = {
    ...policyFacts().inForce,
    all: { state: 'failed' as const, source: 'nft -j list table inet sipalg', because: 'it was killed after 30 s' },
  };
  assert.match(
    say(context, { inForce: unread }),
    `Whether the voice firewall rules are in force is not known; it could not be read:
  nft -j list table inet sipalg: it was killed after 30 s
`,
  );
  assert.not.match(say(context, { inForce: unread }), 'Counted');
});

words('says that something else has the calls first which a provider is to open, and whose voice is not marked', (context) => {
  const { wish } = policyFacts();
  const [example, plain] = wish.providers;
  const inbound = { pbx: ['192.168.1.20', '192.168.1.21'], ports: [5060], mediaPorts: null };
  context.policy.judged = { changed: [], excluded: false, shapers: [], behind: ['192.168.1.20'] };
  const text = say(context, {
    wish: {
      ...wish,
      providers: [
        { ...example!, inbound },
        { ...plain!, ports: [5065], marking: false },
      ],
    },
  });
  assert.match(
    text,
    '  example, may open calls to 192.168.1.21, is to open calls to 192.168.1.20, but something else has them first: see above\n',
  );
  assert.match(text, '  plain\n    signalling: 192.0.2.0/28\n    port: 5065\n    not marked\n');
  const marking = { ...(wish.marking as NonNullable<typeof wish.marking>), overwrite: true as const };
  assert.match(say(context, { wish: { ...wish, marking } }), 'signalling CS3; marks that phones set are overwritten.\n');
});

words('names what is left of rules that are switched off', (context) => {
  context.policy.planned = { steps: [{ ...STEP, text: 'Take the voice firewall rules away.' }], takes: [], refused: [] };
  const text = say(context, { wanted: false });
  assert.is(first(text), 'The voice firewall rules are off (sipalg.main.policy is not 1), but something of them is here:');
  assert.match(text, '  Take the voice firewall rules away.\n`sipalg apply` does it.\n');
});

words('says that they are left alone where nobody can tell what is wished', ({ facts, policy }) => {
  const seen = withVoice(facts, policyFacts({ wanted: false }));
  const text = told({ ...seen, wish: { ...seen.wish, wish: { ...seen.wish.wish, policy: null } } }, policy);
  assert.is(first(text), 'Whether the voice firewall rules are to be on cannot be told, so they are left as they are.');
});

words('has the findings with their evidence, and what of the configuration is not in force', (context) => {
  context.policy.found = [
    { code: 'provider-stale', weight: 'risk', text: 'A name of a provider has not been answered.', evidence: ['old.example.com'] },
    { code: 'attempts', weight: 'note', text: 'The table has them.', evidence: [] },
  ];
  assert.not.match(say(context), 'The table has them.');
  const { wish } = context.facts;
  context.facts = {
    ...context.facts,
    wish: {
      ...wish,
      problems: [
        {
          section: 'sipalg.example',
          option: 'media',
          given: '0.0.0.0/0',
          allowed: 'a network',
          text: 'sipalg.example: the option media is "0.0.0.0/0".',
        },
      ],
    },
  };
  assert.match(
    say(context),
    '\n  * A name of a provider has not been answered.\n      old.example.com\n  ! sipalg.example: the option media is "0.0.0.0/0".\n',
  );
});

words('says whose flows live longer, and from where nobody is limited', (context) => {
  assert.match(
    say(context, { perFlow: { state: 'present', value: false, source: 'nft -c' } }),
    'media 300 s; for every UDP flow of the router.',
  );
  assert.match(
    say(context, { perFlow: { state: 'failed', source: 'nft -c', because: 'no memory' } }),
    'for which flows is not known: no memory.',
  );
  assert.match(say(context, { wan: { state: 'absent', source: 'routes' } }), 'from the internet, but no device leads there.');
  assert.match(
    say(context, { wan: { state: 'failed', source: 'ubus', because: 'no answer' } }),
    'from the internet, which could not be told: no answer.',
  );
  const { wish } = policyFacts();
  const off = say(context, { wish: { ...wish, marking: null, limit: null, providers: [] } });
  for (const line of ['Marks: none.', 'Limits: none.', 'Providers: none.']) assert.match(off, `\n${line}\n`);
});

words('shows both families of iptables, and who changed what', (context) => {
  const ipv4 = { state: 'present' as const, value: { ...IN_FORCE, attempts: IN_FORCE.attempts.slice(0, 1) }, source: 'iptables-save' };
  const ipv6 = {
    state: 'present' as const,
    value: { ...IN_FORCE, attempts: IN_FORCE.attempts.slice(1, 2), phones: ['2001:db8::10'] },
    source: 'ip6tables-save',
  };
  context.policy.judged = { ...context.policy.judged, changed: ['ip6tables-save'] };
  const text = say(context, { backend: 'iptables', inForce: { all: { state: 'absent', source: 'nft' }, ipv4, ipv6 } });
  assert.match(text, /\n {2}Audio, marked \(IPv4\) +90210 +18042000\n[^]*\n {2}Audio, marked \(IPv6\) /);
  assert.match(text, '\n  ip6tables-save: changed by somebody since it was loaded\n');
  assert.not.match(text, 'iptables-save: changed by somebody since it was loaded\n  ip6');
  assert.match(text, 'Phones seen: 192.168.1.10, 192.168.1.11, 2001:db8::10.');
  assert.match(text, /\n {2}2001:db8:bad::1 [^]*\n {2}198\.51\.100\.66 /);
});

words('tells of flow offload and of shapers', (context) => {
  const offload = (software: boolean, hardware: boolean, excluded: boolean): string => {
    context.policy.judged = { changed: [], excluded, shapers: [] };
    return say(context, { offload: { state: 'present', value: { software, hardware, forward: null }, source: 'x' } });
  };
  assert.match(offload(true, false, true), '\nFlow offload is on; marked voice is kept out of it.\n');
  assert.match(offload(true, true, false), '\nFlow offload is on, in hardware too; marked voice is not kept out of it.\n');
  assert.not.match(offload(false, false, false), 'offload');
  const shapers = [
    {
      kind: 'sqm' as const,
      device: 'wan',
      how: 'piece_of_cake.qos',
      conflict: 'it ignores the marks.',
      setting: 'uci set sqm.@queue[0].script=layer_cake.qos',
    },
    { kind: 'qosify' as const, device: 'lan', how: 'diffserv4', conflict: null, setting: null },
  ];
  context.policy.judged = { changed: [], excluded: false, shapers };
  assert.match(
    say(context),
    '\nsqm on wan (piece_of_cake.qos): it ignores the marks. uci set sqm.@queue[0].script=layer_cake.qos\nqosify on lan (diffserv4): it honours the marks.\n',
  );
});

words('stays short where lists are long, and has the worst first', (context) => {
  const { wish } = policyFacts();
  const networks = Array.from({ length: 10_000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
  const attempts = Array.from({ length: 4000 }, (_, at) => ({
    source: `198.51.${at >> 8}.${at & 255}`,
    method: 'INVITE',
    seen: at + 1,
    dropped: 0,
    first: NOW,
    last: NOW,
  }));
  const phones = Array.from({ length: 300 }, (_, at) => `192.168.1.${at}`);
  const text = say(context, {
    wish: { ...wish, providers: [{ name: 'huge', hosts: [], signalling: networks, media: [], inbound: null }] },
    inForce: kernel({ attempts, phones }),
  });
  assert.ok(text.length < 6000, `${text.length}`);
  assert.match(
    text,
    'signalling: 10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24, 10.0.4.0/24, 10.0.5.0/24, 10.0.6.0/24, 10.0.7.0/24 and 9992 more\n',
  );
  assert.match(text, /dropped +first +last\n {2}198\.51\.15\.159 +INVITE +4000 /);
  assert.match(text, '\n  and 3950 more; `sipalg policy --json` has them all\n');
  assert.match(text, 'and 292 more.');
});

words('tells an answer in part from one that is stale, and why an address is left out', (context) => {
  const { names } = policyFacts();
  const partly = {
    ...names['sip.example.com']!,
    failed: { at: NOW - 3 * MINUTE, because: 'ns2 was silent' },
    refused: ['sip.example.com leads to 127.0.0.1, a loopback address: that address is left out.'],
  };
  assert.match(
    say(context, { names: { 'sip.example.com': partly } }),
    `; answered 3 min ago, in part: ns2 was silent
      sip.example.com leads to 127.0.0.1, a loopback address: that address is left out.
    Old.example.com:5080: no answer yet
`,
  );
});

words('takes a name for a name, whatever it is called', (context) => {
  const { wish } = policyFacts();
  const hosts = [
    { name: 'constructor', port: null },
    { name: '__proto__', port: null },
  ];
  const text = say(context, {
    wish: { ...wish, providers: [{ name: 'odd', hosts, signalling: [], media: [], inbound: null }] },
    names: {},
  });
  assert.match(text, '    constructor: no answer yet\n    __proto__: no answer yet\n');
});

words.run();

const command = suite<Context>('`sipalg policy`');

command.before.each(async (context) => {
  context.policy = handPolicy();
});

/** @param policy what `option policy` is, on a router whose ALG is on */
async function run(argv: string[], policy: string, { surveyor } = handPolicy()) {
  let [out, err] = ['', ''];
  const recorded = recordedRouter('stock-alg-on');
  const host: Host = {
    ...recorded,
    read: async (path, options) =>
      path === '/etc/config/sipalg'
        ? { state: 'present', value: `config sipalg 'main'\n\toption policy '${policy}'\n`, source: path }
        : recorded.read(path, options),
    kind: async (path) => (path === '/etc/sipalg.policy' ? { state: 'absent', source: path } : recorded.kind(path)),
  };
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
      input: async () => ({ state: 'absent', source: 'standard input' }),
      goOn: () => true,
    },
  );
  return { code, out, err };
}

command('says how to switch the rules on where they are off, and ends as status does', async () => {
  const { code, out, err } = await run(['policy'], '0');
  assert.match(
    out,
    /^The voice firewall rules are off[^\n]*\n`uci set sipalg\.main\.policy=1 && uci commit sipalg && sipalg apply` [^\n]*\n$/,
  );
  assert.equal([code, err], [(await run(['status'], '0')).code, '']);
});

command('says them where they are on, whatever is in a name, and with --json the report of status', async ({ policy }) => {
  assert.match((await run(['policy'], '1')).out, /^The voice firewall rules are in force\.\n/);
  const [provider, ...others] = policyFacts().wish.providers;
  policy.facts = policyFacts({
    wish: { ...policyFacts().wish, providers: [{ ...provider!, name: 'a name with a \x1b[2J in it' }, ...others] },
  });
  assert.match((await run(['policy'], '1', policy)).out, '  a name with a \\x1b[2J in it, may open calls');
  const json = await run(['policy', '--json'], '1');
  assert.is(json.out, (await run(['status', '--json'], '1')).out);
  assert.is((JSON.parse(json.out) as { facts: RouterFacts }).facts.policy.state, 'present');
});

command('says what is wrong, and ends with 2, where the rules cannot be looked at', async ({ policy }) => {
  policy.observe = async () => {
    throw new Error('the file is of another build');
  };
  const { code, out, err } = await run(['policy'], '1', policy);
  assert.equal([code, out], [2, '']);
  assert.match(err, 'sipalg: the voice firewall rules could not be looked at: the file is of another build.');
});

command.run();
