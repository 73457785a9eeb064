import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reading } from '../../../src/host/host.ts';
import type { RouterFacts } from '../../../src/survey/survey.ts';
import type { Finding } from '../../../src/judge/verdict.ts';
import type { Part } from '../../../src/plan/files.ts';
import type { Action, Step } from '../../../src/plan/step.ts';
import type { InForce, PolicyFacts } from '../../../src/voice/facts.ts';
import { POLICY_FILE } from '../../../src/voice/paths.ts';
import { networksOf } from '../../../src/voice/digest.ts';
import { compare } from '../../../src/voice/judge/compare.ts';
import { judge } from '../../../src/voice/judge/findings.ts';
import { INCLUDE_FILE, OFFLOAD_FILE, SYSCTL_FILE } from '../../../src/voice/own.ts';
import { plan } from '../../../src/voice/plan/plan.ts';
import { renderNft } from '../../../src/voice/render/nft/table.ts';
import { voiceOf } from '../../../src/voice/render/voice.ts';
import { readConfiguration } from '../../../src/wish/read.ts';
import { NOW } from '../../routers.ts';
import { IN_FORCE, policyFacts } from '../../voice.ts';
import { factsWith } from './made.ts';

const FIREWALL = "config defaults\n\toption input 'REJECT'\n\nconfig include 'mine'\n\toption path '/etc/mine.sh'\n";
const absent = (source: string): Reading<never> => ({ state: 'absent', source });
const present = <T>(value: T, source = 'made'): Reading<T> => ({ state: 'present', value, source });

async function router(changes: Partial<PolicyFacts> = {}, firewall = FIREWALL, timeouts = [60, 180]): Promise<RouterFacts> {
  const facts = await factsWith(firewall);
  const [udp, udpStream] = timeouts as [number, number];
  // Calls that come in are inbound.test.ts's.
  const { wish } = policyFacts();
  const policy = policyFacts({
    wish: { ...wish, providers: wish.providers.map((provider) => ({ ...provider, inbound: null })) },
    inForce: { all: absent('nft -j list table inet sipalg'), ipv4: absent(''), ipv6: absent('') },
    ...changes,
  });
  return { ...facts, timeouts: { udp: present(udp), udpStream: present(udpStream) }, policy: present(policy) };
}

const policyIn = (facts: RouterFacts): PolicyFacts => (facts.policy as { value: PolicyFacts }).value;

/** The facts after the steps, as far as files, sysctls and the table go. */
function after(facts: RouterFacts, steps: readonly Step[]): RouterFacts {
  const next = structuredClone(facts);
  const policy = policyIn(next);
  for (const action of steps.flatMap(({ actions }) => actions)) {
    if (action.do === 'write' && action.path === '/etc/config/firewall')
      (next.firewall.uci as { value: { text: string } }).value.text = action.text;
    else if (action.do === 'write') policy.files[action.path] = present(action.text, action.path);
    else if (action.do === 'remove') policy.files[action.path] = absent(action.path);
    else if (action.do === 'poke') next.timeouts[action.path.endsWith('_stream') ? 'udpStream' : 'udp'] = present(Number(action.text));
    else if (action.do === 'run' && action.argv.includes('delete')) policy.inForce.all = absent('');
    else if (action.do === 'run' && action.argv[0] === 'nft' && !action.argv.includes('-c') && !(action.input ?? '').includes('inet fw4'))
      policy.inForce.all = present(loaded(policy));
  }
  return next;
}

function loaded(policy: PolicyFacts): InForce {
  const voice = voiceOf(policy);
  const { mark, declared } = renderNft(voice, (policy.perFlow as { value: boolean }).value);
  return {
    ...IN_FORCE,
    mark,
    networks: {
      signalling4: networksOf(voice.signalling.ipv4),
      signalling6: networksOf(voice.signalling.ipv6),
      media4: networksOf(voice.media.ipv4),
      media6: networksOf(voice.media.ipv6),
      sites4: networksOf(voice.sites.ipv4),
      sites6: networksOf(voice.sites.ipv6),
    },
    objects: [...declared].map(
      (each) => ({ kind: each.slice(0, each.lastIndexOf(' ')), name: each.slice(each.lastIndexOf(' ') + 1) }) as InForce['objects'][number],
    ),
  };
}

const ordered = (steps: readonly Step[]): Step[] => [...steps].sort((one, other) => one.rank - other.rank);
const run = (steps: readonly Step[]): Extract<Action, { do: 'run' }>[] =>
  steps.flatMap(({ actions }) => actions).filter((action): action is Extract<Action, { do: 'run' }> => action.do === 'run');
const touched = (steps: readonly Step[]): string[] =>
  steps
    .flatMap(({ actions }) => actions)
    .flatMap((action) =>
      'path' in action ? [`${action.do} ${action.path}`] : action.do === 'run' ? [action.argv.join(' ')] : [action.do],
    );

const planOn = (facts: RouterFacts): Part => plan(facts, policyIn(facts), compare(facts, policyIn(facts)));
const findingsOn = (facts: RouterFacts): Finding[] =>
  judge(facts, policyIn(facts), compare(facts, policyIn(facts)), planOn(facts)).findings;

const planning = suite('the way of the voice rules');

planning('is tried, written, loaded and told to the firewall; then there is nothing to do', async () => {
  const facts = await router();
  const { steps, refused } = planOn(facts);
  assert.equal(refused, []);
  assert.equal(touched(ordered(steps)), [
    'nft -c -f -',
    `write ${POLICY_FILE}`,
    `nft -f ${POLICY_FILE}`,
    'sh -c nft -j -t list table inet sipalg > /var/run/sipalg.policy',
    `write ${INCLUDE_FILE}`,
    'write /etc/config/firewall',
  ]);
  assert.equal(planOn(after(facts, steps)), { steps: [], takes: [], refused: [] });
});

planning("back takes the section first, then the table, and the trace of it all last, and leaves the owner's bytes", async () => {
  const facts = await router();
  const on = after(facts, planOn(facts).steps);
  policyIn(on).wanted = false;
  for (const path of ['/etc/sipalg.names', '/var/run/sipalg.policy']) policyIn(on).files[path] = present('{}', path);
  const { steps } = planOn(on);
  assert.equal(touched(ordered(steps)), [
    'write /etc/config/firewall',
    `remove ${INCLUDE_FILE}`,
    'nft delete table inet sipalg',
    'remove /var/run/sipalg.policy',
    'remove /etc/sipalg.names',
    `remove ${POLICY_FILE}`,
  ]);
  const off = after(on, steps);
  assert.is((off.firewall.uci as { value: { text: string } }).value.text, FIREWALL);
  assert.equal(planOn(off).steps, []);
});

planning('puts right what somebody changed, with nothing but a load', async () => {
  const facts = await router();
  const on = after(facts, planOn(facts).steps);
  assert.equal(planOn(on).steps, []);
  const all = policyIn(on).inForce.all as { value: InForce };
  const whole = all.value;
  const networks = whole.networks as NonNullable<InForce['networks']>;
  // A kept listing that is gone or cut, and networks of a set that are others, show nothing less than another rule does.
  for (const changed of [
    { shape: 'another' },
    { loaded: null },
    { networks: { ...networks, media6: networksOf(['2001:db8:1::/48']) } },
    { networks: { ...networks, signalling4: networksOf([]) } },
    { networks: { ...networks, signalling4: { stretches: 1, digest: null } } },
  ]) {
    all.value = { ...whole, ...changed };
    assert.ok(
      planOn(on).steps.some(({ why }) => why === 'policy-changed'),
      JSON.stringify(changed),
    );
  }
  all.value = { ...whole, shape: 'another' };
  const { steps } = planOn(on);
  assert.equal(
    steps.map(({ why }) => why),
    ['policy-changed', 'policy-missing'],
  );
  const [load] = run(steps);
  assert.equal(load?.argv, ['nft', '-f', '-']);
  assert.ok(
    load?.input?.endsWith(`include "${POLICY_FILE}"\n`) && load.rehearsal !== undefined,
    'nothing was just tried, so it is rehearsed',
  );
  assert.ok(findingsOn(on).some(({ code }) => code === 'policy-changed'));
});

planning('changes with the wish in one transaction, and knows the way back to the former text', async () => {
  const facts = await router();
  const on = after(facts, planOn(facts).steps);
  policyIn(on).wish = { ...policyIn(on).wish, limit: { register: 50, invite: 10, options: 10, other: 20, kilobytes: 2 } };
  const { steps } = planOn(on);
  const load = steps.find(({ why }) => why === 'policy-changed');
  const [undo] = load?.undo ?? [];
  assert.ok(undo?.do === 'run' && undo.input?.includes('register4_5 ') && undo.input.includes('delete set inet sipalg register4_50'));
  assert.equal(planOn(after(on, steps)).steps, []);
});

planning('falls back to the two sysctls, both long enough and never shorter than they were, and gives them back', async () => {
  const perFlow = present(false, 'nft -c');
  for (const [before, wished] of [
    [
      [60, 180],
      [620, 620],
    ],
    [
      [60, 900],
      [620, 900],
    ],
    [
      [1000, 1000],
      [1000, 1000],
    ],
  ] as const) {
    const facts = await router({ perFlow }, FIREWALL, [...before]);
    const { steps } = planOn(facts);
    const on = after(facts, steps);
    assert.equal([(on.timeouts.udp as { value: number }).value, (on.timeouts.udpStream as { value: number }).value], wished);
    assert.match(
      (policyIn(on).files[SYSCTL_FILE] as { value: string }).value,
      `# before: ${before.join(' ')}\nnet.netfilter.nf_conntrack_udp_timeout=${wished[0]}\nnet.netfilter.nf_conntrack_udp_timeout_stream=${wished[1]}\n`,
    );
    assert.equal(planOn(on).steps, []);
    assert.ok(findingsOn(on).some(({ code }) => code === 'timeouts-global'));
    for (const change of [{ wanted: false }, { perFlow: present(true) }]) {
      const other = structuredClone(on);
      Object.assign(policyIn(other), change);
      const off = after(other, planOn(other).steps);
      assert.equal(
        [(off.timeouts.udp as { value: number }).value, (off.timeouts.udpStream as { value: number }).value],
        [...before],
        JSON.stringify(change),
      );
      assert.is(policyIn(off).files[SYSCTL_FILE]?.state, 'absent');
    }
    // Its owner has set another value since: that one stays.
    const changed = structuredClone(on);
    changed.timeouts.udp = present(777);
    policyIn(changed).wanted = false;
    assert.is((after(changed, planOn(changed).steps).timeouts.udp as { value: number }).value, 777);
  }
});

planning('is refused with a sentence where nftables is not there or could not be read, and takes nothing away blindly', async () => {
  const failed: Reading<never> = { state: 'failed', source: 'nft -j -t list ruleset', because: 'Operation not permitted' };
  const inForce = { all: failed, ipv4: absent(''), ipv6: absent('') };
  assert.match(
    planOn(await router({ inForce }))
      .refused.map(({ text }) => text)
      .join(),
    'Operation not permitted',
  );
  const off = planOn(await router({ inForce, wanted: false, files: { [POLICY_FILE]: present('x', POLICY_FILE) } }));
  assert.equal(off.steps, []);
  assert.match(off.refused.map(({ text }) => text).join(), 'could not be taken away');
  assert.match(
    planOn(await router({ perFlow: absent('nft') }))
      .refused.map(({ text }) => text)
      .join(),
    'not installed',
  );
});

planning('names the line of a firewall configuration that cannot be edited', async () => {
  const facts = await router();
  const uci = facts.firewall.uci as { value: { text: string } };
  uci.value = { ...uci.value, text: "config defaults\n\toption input 'REJECT\n" };
  assert.match(
    planOn(facts)
      .refused.map(({ text }) => text)
      .join(),
    '/etc/config/firewall, line 2',
  );
});

planning('an include of that name that means something else becomes ours, and goes as a whole', async () => {
  const facts = await router({}, `${FIREWALL}\nconfig include 'sipalg_include'\n\toption enabled '0'\n`);
  const on = after(facts, planOn(facts).steps);
  const { text } = (on.firewall.uci as { value: { text: string } }).value;
  assert.match(
    text,
    /config include 'sipalg_include'\n\toption type 'script'\n\toption path '\/etc\/sipalg.include'\n\toption fw4_compatible '1'\n$/,
  );
  assert.is(text.match(/sipalg_include/g)?.length, 1);
});

const OFFLOADING = `${FIREWALL}\nconfig defaults\n\toption flow_offloading '1'\n`;
const offloaded = (rules: { handle: number; rule: string }[] | undefined, late = false): PolicyFacts['offload'] =>
  present({ software: true, hardware: false, forward: rules === undefined ? null : { rules, loaded: true, late } });
const standing = (classes = 'marked'): { handle: number; rule: string }[] =>
  ['ip', 'ip6'].map((ip, at) => ({
    handle: 30 + at,
    rule: `${ip} dscp { x } accept comment "!sipalg: voice (${ip} ${classes}) stays out of the offload" # handle ${30 + at}`,
  }));
const aboutOffload = (steps: readonly Step[]): string[] =>
  touched(ordered(steps)).filter((what) => /offload|fw4|firewall|handle/.test(what));

planning(
  "keeps voice out of the offload within the firewall's own load, which is tried before it counts; then there is nothing to do",
  async () => {
    const facts = await router({ offload: offloaded([]) }, OFFLOADING);
    const { steps } = planOn(facts);
    assert.equal(aboutOffload(steps), [`write ${OFFLOAD_FILE}`, 'write /etc/config/firewall', 'fw4 check', 'fw4 reload']);
    assert.ok(steps.find(({ commands }) => commands[0] === 'fw4 reload')?.unlocked);
    const on = after(facts, steps);
    const { text } = (on.firewall.uci as { value: { text: string } }).value;
    assert.match(
      text,
      /\nconfig include 'sipalg_offload'\n\toption type 'nftables'\n\toption path '\/etc\/sipalg.offload'\n\toption position 'ruleset-append'\n$/,
    );
    assert.match(
      (policyIn(on).files[OFFLOAD_FILE] as { value: string }).value,
      /^#.*\ninsert rule inet fw4 forward ip dscp .*\ninsert rule inet fw4 forward ip6 dscp .*\n$/,
    );
    policyIn(on).offload = offloaded(standing());
    assert.equal(planOn(on).steps, []);

    // Somebody took them out, or they stand too late: a load puts them where they belong.
    for (const offload of [offloaded([]), offloaded(standing().slice(1)), offloaded(standing(), true)]) {
      assert.equal(aboutOffload(planOn({ ...on, policy: present({ ...policyIn(on), offload }) }).steps), ['fw4 check', 'fw4 reload']);
    }
    // A firewall that is not loaded, or does not offload yet, is not loaded by us; it takes them in when its owner starts it.
    const waiting = present({ software: true, hardware: false, forward: { rules: [], loaded: false, late: false } });
    for (const offload of [offloaded(undefined), waiting]) {
      assert.equal(planOn({ ...on, policy: present({ ...policyIn(on), offload }) }).steps, []);
      const first = await router({ offload }, OFFLOADING);
      assert.equal(aboutOffload(planOn(first).steps), [`write ${OFFLOAD_FILE}`, 'write /etc/config/firewall', 'fw4 check']);
    }

    // Other classes.
    const { wish } = policyIn(on);
    const other = {
      ...policyIn(on),
      wish: { ...wish, marking: { media: { name: 'AF41', value: 34 }, signalling: { name: 'CS3', value: 24 }, overwrite: true as const } },
    };
    assert.equal(aboutOffload(planOn({ ...on, policy: present(other) }).steps), [`write ${OFFLOAD_FILE}`, 'fw4 check', 'fw4 reload']);

    // And back, whether the rules are not wished any more or the offload is not.
    for (const change of [
      { wanted: false },
      { wish: { ...wish, marking: null } },
      { offload: present({ software: false, hardware: false, forward: { rules: standing(), loaded: true, late: false } }) },
    ]) {
      const off = { ...on, policy: present({ ...policyIn(on), ...change }) };
      const back = planOn(off).steps;
      assert.equal(
        aboutOffload(back).filter((what) => !what.includes('include')),
        ['write /etc/config/firewall', `remove ${OFFLOAD_FILE}`],
        JSON.stringify(change),
      );
      assert.ok(
        run(back).some(
          ({ input, rehearsal }) =>
            input === 'delete rule inet fw4 forward handle 30\ndelete rule inet fw4 forward handle 31\n' && rehearsal !== undefined,
        ),
      );
      assert.not.match((after(off, back).firewall.uci as { value: { text: string } }).value.text, 'sipalg_offload');
    }
  },
);

planning('a load for calls from providers serves the offload too: the firewall is loaded once', async () => {
  const facts = await router({ wish: policyFacts().wish, inbound: { titles: [], sets: [] }, offload: offloaded([]) }, OFFLOADING);
  const { steps } = planOn(facts);
  assert.equal(
    touched(steps)
      .filter((what) => what.startsWith('fw4 '))
      .sort(),
    ['fw4 check', 'fw4 reload'],
  );
});

planning.run();

const finding = suite('findings of the voice rules');

const codes = async (changes: Partial<PolicyFacts>): Promise<string[]> => findingsOn(await router(changes)).map(({ code }) => code);
const inForce = (value: Partial<InForce> = {}): PolicyFacts['inForce'] => ({
  all: present({ ...IN_FORCE, attempts: [], ...value }),
  ipv4: absent(''),
  ipv6: absent(''),
});

finding('say each what is lacking, once', async () => {
  const quiet = {
    inForce: inForce(),
    names: {
      ...policyFacts().names,
      'old.example.com': { ...policyFacts().names['sip.example.com']!, tlsPorts: [] },
      'new.example.com': policyFacts().names['sip.example.com']!,
    },
  };
  assert.equal(await codes(quiet), []);
  assert.equal(
    await codes({ ...quiet, inForce: policyFacts({ inForce: { all: absent(''), ipv4: absent(''), ipv6: absent('') } }).inForce }),
    ['policy-missing'],
  );
  assert.equal(await codes({ ...quiet, inForce: inForce({ shape: 'another' }) }), ['policy-changed']);
  assert.equal(await codes({ ...quiet, wan: absent('/etc/config/firewall') }), ['policy-wan-unknown']);
  assert.equal(await codes({ ...quiet, perFlow: present(false) }), ['timeouts-global']);
  assert.equal(await codes({ ...quiet, offload: present({ software: true, hardware: false, forward: null }) }), ['policy-offload']);
  assert.equal(await codes({ ...quiet, offload: offloaded(standing()) }), []);
  assert.equal(
    await codes({
      ...quiet,
      shapers: [
        { kind: 'sqm', device: 'wan', how: 'own.qos', section: 'sqm.wan', options: '' },
        { kind: 'sqm', device: 'wan', how: 'layer_cake.qos', section: 'sqm.wan', options: 'diffserv4' },
      ],
    }),
    ['policy-shaper'],
  );
  assert.equal(await codes({ ...quiet, inForce: inForce({ lists: [{ name: 'once4', entries: 3000, most: 4096 }] }) }), []);
  assert.equal(await codes({ ...quiet, inForce: inForce({ lists: [{ name: 'once4', entries: 4090, most: 4096 }] }) }), ['attempts-full']);
  assert.equal(await codes({ ...quiet, names: policyFacts().names }), ['provider-unresolved', 'provider-stale']);
  assert.equal(await codes({ ...quiet, inForce: inForce({ counters: [{ name: 'plain_signalling', packets: 3, bytes: 9 }] }) }), [
    'provider-plain',
  ]);
});

finding('of a registration that outlasts its flow name the option to set, by what is seen and by what the journal remembers', async () => {
  const { journal: none } = await router();
  assert.is(none.state, 'absent');
  const expectation = (timeout: number, permanent = true) => ({
    source: '203.0.113.10',
    destination: '203.0.113.20',
    destinationPort: 5060,
    protocol: 17,
    class: 'signalling',
    permanent,
    timeout,
  });
  const said = async (
    expectations: ReturnType<typeof expectation>[],
    registered?: number,
    changes: Partial<PolicyFacts> = {},
  ): Promise<{ text: string; evidence: string[] }[]> => {
    const facts = await router({ inForce: inForce(), ...changes });
    const journal = { format: 1, program: '0', since: 0, state: 'taken', taken: [], held: null } as const;
    const known = registered === undefined ? facts.journal : present({ ...journal, taken: [], registered }, '/etc/sipalg.journal');
    return findingsOn({ ...facts, journal: known, expectations: present(expectations, '/proc/net/nf_conntrack_expect') })
      .filter(({ code }) => code === 'policy-registration')
      .map(({ text, evidence }) => ({ text, evidence }));
  };
  assert.equal(await said([]), []);
  assert.equal(await said([expectation(600)]), [], 'its flow lives 620 s');
  assert.equal(await said([expectation(3600, false)]), [], 'a hole that is no registration');
  const [seen] = await said([expectation(90), expectation(3555)]);
  assert.equal(seen?.evidence, [
    'a phone is registered for 3555 s more, as /proc/net/nf_conntrack_expect shows',
    'sipalg.timeouts.signalling_replied is 620 s',
  ]);
  assert.match(seen?.text ?? '', '`uci set sipalg.timeouts.signalling_replied=3660`');
  const [remembered] = await said([], 1300);
  assert.equal(remembered?.evidence[0], 'a phone is registered for 1300 s more, as /etc/sipalg.journal shows');
  assert.match(remembered?.text ?? '', 'signalling_replied=1860');
  assert.match((await said([], 80_000))[0]?.text ?? '', 'signalling_replied=86400');
  const { wish } = policyFacts();
  const longer = { ...wish, providers: [], timeouts: { ...wish.timeouts, signallingReplied: 3660 } };
  assert.equal(await said([expectation(3600)], 3600, { wish: longer }), []);
});

finding("name once what a router's iptables does not have, with its package, and do not promise it", async () => {
  const had = Object.fromEntries(
    ['comment', 'conntrack', 'multiport', 'u32', 'recent', 'dscp', 'DSCP', 'hashlimit', 'set'].map((name) => [name, true]),
  );
  const fw3 = (lacking: readonly string[]): Promise<RouterFacts> =>
    router({
      backend: 'iptables',
      inForce: { all: absent(''), ipv4: absent('iptables-save'), ipv6: absent('ip6tables-save') },
      iptables: {
        ipv4: present({ restore: 'iptables-restore', tables: [], counted: {}, keeps: false }),
        ipv6: absent('ip6tables-save'),
        sets: [],
      },
      extensions: { ...had, ...Object.fromEntries(lacking.map((name) => [name, false])) },
      names: {},
    });
  const every = ['u32', 'hashlimit', 'recent', 'DSCP'];
  for (const lacking of [...every.map((one) => [one]), every]) {
    const facts = await fw3(lacking);
    const said = findingsOn(facts).filter(({ code }) => code === 'policy-iptables');
    assert.equal(
      said.map(
        ({ text }) => /^This router's iptables has no (\S+): .* Install the package (\S+), then run `sipalg apply`\.$/.exec(text)?.[1],
      ),
      lacking,
    );
    const planned = planOn(facts);
    assert.equal(
      planned.refused.map(({ text }) => text),
      said.map(({ text }) => text),
      'so that the exit code tells',
    );
    const missing = findingsOn(facts).filter(({ code }) => code === 'policy-missing');
    // With none of the four there is nothing to put there; with the others there is.
    assert.is(missing.length, lacking.length === 4 ? 0 : 1, lacking.join());
    assert.is(
      planned.steps.some(({ text }) => /Put the voice firewall rules into iptables/.test(text)),
      lacking.length < 4,
    );
  }
});

finding('of flow offload name what is not marked, and the setting that fits', async () => {
  const { wish } = policyFacts();
  const dscp = (name: string, value: number) => ({ name, value });
  const texts = async (marking: PolicyFacts['wish']['marking'], excluded: boolean): Promise<string[]> =>
    findingsOn(
      await router(
        { inForce: inForce(), wish: { ...wish, providers: [], marking }, offload: offloaded(excluded ? standing() : []) },
        OFFLOADING,
      ),
    )
      .filter(({ code }) => code === 'policy-offload')
      .map(({ text }) => text);
  assert.equal(await texts(wish.marking, true), []);
  const [off, ...more] = await texts(null, false);
  assert.equal(more, []);
  assert.match(off ?? '', 'voice that is not marked cannot be kept out of it');
  assert.match(off ?? '', '`uci set sipalg.marking.enabled=1`');
  assert.match(
    (await texts({ media: dscp('CS0', 0), signalling: dscp('CS0', 0) }, false)).join('|'),
    /^[^|]*voice that is not marked [^|]*marking.media=EF` and `uci set sipalg.marking.signalling=CS3`[^|]*$/,
  );
  assert.match(
    (await texts({ media: dscp('CS0', 0), signalling: dscp('CS3', 24) }, true)).join('|'),
    /^[^|]*audio that is not marked [^|]*marking.media=EF`, or/,
  );
  assert.match(
    (await texts({ media: dscp('EF', 46), signalling: dscp('CS0', 0) }, true)).join('|'),
    /^[^|]*signalling that is not marked [^|]*marking.signalling=CS3`, or/,
  );
  assert.match((await texts(wish.marking, false)).join('|'), 'may mend that');
  const unmarked = { name: 'plain', hosts: [], signalling: ['192.0.2.0/28'], media: [], marking: false as const, inbound: null };
  const own = await router({ inForce: inForce(), wish: { ...wish, providers: [unmarked] }, offload: offloaded(standing()) }, OFFLOADING);
  assert.equal(
    findingsOn(own).flatMap(({ code, weight, evidence }) => (code === 'policy-offload' ? [[weight, evidence]] : [])),
    [['note', ['sipalg.plain.marking is 0']]],
  );
});

finding('show who tried, the busiest first, with counts and times', async () => {
  const [attempts] = findingsOn(await router({ inForce: inForce({ attempts: IN_FORCE.attempts }) })).filter(
    ({ code }) => code === 'attempts',
  );
  assert.is(attempts?.weight, 'note');
  assert.match(attempts?.text ?? '', '3 addresses');
  assert.match(attempts?.text ?? '', '10015 requests, 9992 of them dropped');
  assert.match(
    attempts?.evidence.join('\n') ?? '',
    `2001:db8:bad::1: REGISTER, 10000 seen, 9990 dropped, last ${new Date(NOW - 40_000).toISOString()}`,
  );
});

finding('whatever is wished, every text stays free of what was not checked', async () => {
  const hostile =
    "config provider 'x'\n\tlist host 'a\"; flush ruleset; #'\n\tlist signalling '1.2.3.4; drop'\n\tlist media '$(reboot)'\n\toption inbound '1'\n\toption pbx '`id`'\n";
  const { voice: wish, problems } = readConfiguration(hostile);
  assert.is(problems.length, 6);
  const { steps } = planOn(await router({ wish }));
  for (const text of steps
    .flatMap(({ actions }) => actions)
    .flatMap((action) => (action.do === 'write' ? [action.text] : action.do === 'run' ? [action.input ?? ''] : []))) {
    assert.not.match(text, /flush ruleset|; drop|reboot|`id`/);
  }
});

finding.run();
