import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host, Outcome } from '../../../src/host/host.ts';
import type { NftFacts } from '../../../src/observe/facts.ts';
import { isSipHelper, observeNft } from '../../../src/observe/nft.ts';
import { recordedRouter } from '../../routers.ts';

/** A host whose nft says this. */
function saying(json: unknown, listing: string | null = ''): Host {
  return {
    ...recordedRouter('stock-alg-on'),
    async run(argv): Promise<Outcome> {
      const command = argv.join(' ');
      // -t leaves out the elements of named sets and maps, and no others.
      const bare = (name: string, value: unknown): unknown =>
        name === 'elem' && Array.isArray(value) && argv.includes('-t') ? undefined : value;
      const stdout = argv.includes('-j') ? JSON.stringify({ nftables: json }, bare) : listing;
      return stdout === null
        ? {
            state: 'exited',
            command,
            code: 1,
            stdout: '',
            stderr: 'netlink: Error: cache initialization failed: Operation not permitted\n',
          }
        : { state: 'exited', command, code: 0, stdout, stderr: '' };
    },
  };
}

const at = { family: 'inet', table: 't' };
const object = (name: string, type: string, handle = 1) => ({
  'ct helper': { ...at, name, handle, type, protocol: 'udp', l3proto: 'inet' },
});
const rule = (handle: number, ...expr: unknown[]) => ({ rule: { ...at, chain: 'c', handle, expr } });
const key = { payload: { protocol: 'udp', field: 'dport' } };
const listed = (...rules: string[]): string =>
  `table inet t { # handle 1\n\tchain c { # handle 2\n${rules.map((one) => `\t\t${one}\n`).join('')}\t}\n}\n`;

async function seen(json: unknown[], listing = '', wanted: string[] = []): Promise<NftFacts> {
  const reading = await observeNft(saying(json, listing), wanted);
  if (reading.state !== 'present') throw new Error(JSON.stringify(reading));
  return reading.value;
}

const observed = suite('what nftables assigns');

observed('is told by the type of an object, also where the module has other ports', () => {
  assert.equal(['sip', 'sip-5080', 'sip-0', 'SIP', 'sip-', 'sips', 'ftp', 'sip-x'].map(isSipHelper), [
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

observed('is found under any name, and not under a name alone', async () => {
  const facts = await seen(
    [object('phones', 'sip-5080'), object('sip', 'ftp', 2), rule(5, { 'ct helper': 'phones' }), rule(6, { 'ct helper': 'sip' })],
    listed('ct helper set "phones" # handle 5', 'ct helper set "sip" # handle 6'),
  );
  assert.equal(
    facts.helpers.map(({ name }) => name),
    ['phones'],
  );
  assert.equal(
    facts.assignments.map(({ handle, rule: text }) => [handle, text]),
    [[5, 'ct helper set "phones"']],
  );
});

observed('belongs to the table its object is in', async () => {
  const other = { rule: { family: 'ip', table: 't', chain: 'c', handle: 9, expr: [{ 'ct helper': 'sip' }] } };
  assert.equal((await seen([object('sip', 'sip'), other])).assignments, []);
});

observed('leaves of a map what is not SIP', async () => {
  const map = {
    'ct helper': {
      map: {
        key,
        data: {
          set: [
            [21, 'ftp'],
            [5060, 'sip'],
          ],
        },
      },
    },
  };
  const facts = await seen(
    [object('sip', 'sip'), object('ftp', 'ftp', 2), rule(5, map)],
    listed('ct helper set udp dport map { 21 : "ftp", 5060 : "sip" } # handle 5'),
  );
  assert.equal(
    facts.assignments.map(({ remains }) => remains),
    ['ct helper set udp dport map { 21 : "ftp" }'],
  );
});

observed("comes through a named map as its elements, in nft's words", async () => {
  const elements = [
    [5060, 'sip'],
    [69, 'tftp'],
    [{ range: [5061, 5070] }, 'sip'],
    [{ concat: ['192.168.1.10', 5060] }, 'sip'],
    [{ prefix: { addr: '10.0.0.0', len: 8 } }, 'sip'],
    [{ elem: { val: 5080, timeout: 60 } }, 'sip'],
  ];
  const named = { map: { ...at, name: 'm', handle: 3, type: 'inet_service', map: 'ct helper', elem: elements } };
  const facts = await seen(
    [object('sip', 'sip'), object('tftp', 'tftp', 2), named, rule(5, { 'ct helper': { map: { key, data: '@m' } } })],
    listed('ct helper set udp dport map @m # handle 5'),
  );
  assert.equal(
    facts.assignments.map(({ map }) => map),
    [
      {
        name: 'm',
        elements: ['5060 : "sip"', '5061-5070 : "sip"', '192.168.1.10 . 5060 : "sip"', '10.0.0.0/8 : "sip"', '5080 : "sip"'],
      },
    ],
  );
  const strange = { map: { ...at, name: 'm', handle: 3, type: 'x', map: 'ct helper', elem: [[{ '|': [1, 2] }, 'sip']] } };
  const reading = await observeNft(saying([object('sip', 'sip'), strange, rule(5, { 'ct helper': { map: { key, data: '@m' } } })]), []);
  assert.match(reading.state === 'failed' ? reading.because : '', 'a map of helpers has a key that is not understood');
});

observed('asks for the elements of sets only where a rule takes its helper from one', async () => {
  const asked = async (...rules: unknown[]): Promise<string[]> => {
    const host = saying(
      [
        object('sip', 'sip'),
        { map: { ...at, name: 'm', handle: 3, type: 'inet_service', map: 'ct helper', elem: [[5060, 'sip']] } },
        ...rules,
      ],
      listed('ct helper set "sip" # handle 5'),
    );
    const commands: string[] = [];
    await observeNft(
      {
        ...host,
        run: (argv, options) => {
          commands.push(argv.join(' '));
          return host.run(argv, options);
        },
      },
      [],
    );
    return commands;
  };
  const map = (data: unknown) => rule(5, { 'ct helper': { map: { key, data } } });
  assert.equal(await asked(rule(5, { 'ct helper': 'sip' })), ['nft -j -t list ruleset', 'nft -a -t list ruleset']);
  assert.equal(await asked(map({ set: [[5060, 'sip']] })), ['nft -j -t list ruleset', 'nft -a -t list ruleset']);
  // No map can be empty: such an nft has left out what it should not.
  for (const data of ['@m', { set: [] }]) assert.is((await asked(map(data)))[1], 'nft -j list ruleset');
});

observed('sets nothing in a table that is dormant, and does in one with other flags', async () => {
  const base = { chain: { ...at, name: 'c', handle: 2, type: 'filter', hook: 'prerouting', prio: 0, policy: 'accept' } };
  // What nft 1.0.6 writes for the flags in its JSON is a matter of chance.
  const json = [{ table: { family: 'inet', name: 't', handle: 1, flags: 's' } }, object('sip', 'sip'), base, rule(5, { 'ct helper': 'sip' })];
  for (const [flags, reached] of [
    ['', true],
    ['\tflags owner\n', true],
    ['\tflags dormant\n', false],
    ['\tflags owner,dormant\n', false],
    ['\tflags dormant, owner, persist\n', false],
  ] as const) {
    const listing = listed('ct helper set "sip" # handle 5').replace('\n', `\n${flags}`);
    assert.is((await seen(json, listing)).assignments[0]?.reached, reached, flags);
  }
});

observed('tells of targets of iptables that may set a helper, which it cannot read', async () => {
  const of = (family: string, table: string, ...expr: unknown[]) => ({ rule: { family, table, chain: 'PREROUTING', handle: 3, expr } });
  const targets = async (...rules: unknown[]) => (await seen(rules)).targets;
  assert.equal(await targets(of('ip', 'raw', { xt: { type: 'target', name: 'CT' } })), ['ip']);
  assert.equal(await targets(of('ip6', 'raw', { xt: { type: 'match', name: 'udp' } }, { xt: { type: 'target', name: 'CT' } })), ['ip6']);
  assert.equal(await targets(of('ip', 'raw', { xt: null })), ['ip'], 'nft 0.9 and 1.0.1 tell no name');
  assert.is(await targets(of('ip', 'raw', { xt: { type: 'target', name: 'LOG' } })), undefined);
  assert.is(await targets(of('ip', 'nat', { xt: { type: 'target', name: 'CT' } }), of('ip', 'nat', { xt: null })), undefined);
});

observed('counts a rule once, however often it sets a helper', async () => {
  assert.is((await seen([object('sip', 'sip'), rule(5, { 'ct helper': 'sip' }, { 'ct helper': 'sip' })])).assignments.length, 1);
});

observed('is not known where the listing fails, though the JSON does not', async () => {
  const reading = await observeNft(saying([object('sip', 'sip'), rule(5, { 'ct helper': 'sip' })], null), []);
  assert.equal(reading, {
    state: 'failed',
    source: 'nft -a -t list ruleset',
    because: 'it ended with exit code 1: netlink: Error: cache initialization failed: Operation not permitted',
  });
});

observed('needs no listing where nothing is assigned and nothing is wanted', async () => {
  assert.is((await observeNft(saying([object('sip', 'sip')], null), [])).state, 'present');
  assert.is((await observeNft(saying([object('sip', 'sip')], null), ['inet t c'])).state, 'failed');
  assert.equal((await seen([object('sip', 'sip')], listed('accept # handle 4'), ['inet t c'])).chains, [
    { ...at, chain: 'c', rules: [{ handle: 4, text: 'accept' }] },
  ]);
});

observed.run();
