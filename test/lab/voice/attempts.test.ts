/** Scanners of the internet: dropped by method and source, counted, and never at the cost of a call. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Attempt } from '../../../src/voice/facts.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { placeCalls } from '../sipp.ts';
import { startTraffic } from '../traffic.ts';
import type { Stream } from '../traffic.ts';
import { allowTcp, configuration, inForceOf, openHouse, PROVIDER, RATES, scanFrom, SCANNER6, SCANNERS, wait } from './router.ts';
import type { House } from './router.ts';

const attempts = suite('requests from the internet');
let house: House;
attempts.before.each(async () => {
  house = await openHouse();
});
attempts.after.each(() => house.close());

const METHODS = Object.keys(RATES) as (keyof typeof RATES)[];
/**
 * Of N requests within `seconds` a limit of so many a minute lets through its burst and what comes back meanwhile; and one REGISTER
 * more, for the second after a challenge is part of the first.
 */
const passed = (rate: number, seconds: number): number => rate + Math.max(1, Math.ceil((rate * seconds) / 60));

attempts('reach a PBX at the configured rate, and no faster, each method and source by itself', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const began = Date.now();
  for (const source of SCANNERS.slice(0, 2)) {
    for (const method of METHODS) await house.scan({ methods: [method], count: 100, from: { address: source, port: 5061 } });
  }
  await house.scan({ methods: METHODS, count: 300, from: { address: SCANNER6, port: 5061 }, to: { address: ADDRESS6.phone2, port: 5060 } });
  const seconds = (Date.now() - began) / 1000;
  const heard = await pbx.heard();
  for (const source of [...SCANNERS.slice(0, 2), SCANNER6]) {
    for (const method of METHODS) {
      const count = heard[`${source} ${method}`] ?? 0;
      assert.ok(
        count >= RATES[method] && count <= passed(RATES[method], seconds),
        `${source} ${method}: ${count} reach the PBX in ${seconds} s`,
      );
    }
  }
  await pbx.end();
});

attempts('of a source that waits are heard again', async () => {
  await house.mustApply(configuration(`${PROVIDER}config limit 'limit'\n\toption register '60'\n`));
  const pbx = await house.pbx();
  await house.scan({ count: 200 });
  await wait(3000);
  const before = (await pbx.heard())[`${SCANNERS[0]} REGISTER`] ?? 0;
  await house.scan({ count: 10, from: { address: SCANNERS[0], port: 5070 } });
  const more = (await pbx.heard())[`${SCANNERS[0]} REGISTER`]! - before;
  assert.ok(before >= 60 && before <= 66, `${before}`);
  assert.ok(more >= 2 && more <= 6, `${more} after three seconds and something, one a second`);
  await pbx.end();
});

attempts('of a scanner that was answered once are limited too: its flow is established', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const { answered } = await house.scan({ methods: ['OPTIONS'], count: 400, from: { address: SCANNERS[2], port: 5062 } });
  assert.ok(answered >= 10 && answered <= 12, `${answered} answered, all in one flow`);
  await pbx.end();
});

attempts('from the provider and from the LAN are never limited', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const from = (address: string, to: string) => ({
    methods: METHODS,
    count: 900,
    from: { address, port: 5063 },
    to: { address: to, port: 5060 },
  });
  assert.equal(await house.scan(from(ADDRESS.provider, ADDRESS.wan)), { sent: 900, answered: 900 });
  assert.equal(await house.scan(from(ADDRESS6.provider, ADDRESS6.phone2)), { sent: 900, answered: 900 });
  for (const to of [ADDRESS.phone2, ADDRESS.wan]) {
    const lan = await scanFrom(house.phone, { role: 'scan', every: 10, batch: 5, ...from(ADDRESS.phone, to) });
    assert.equal(lan, { sent: 900, answered: 900 }, to); // the second by way of the router's own address (fw4's reflection)
  }
  const heard = await pbx.heard();
  assert.is(
    Object.entries(heard)
      .filter(([key]) => key.startsWith(ADDRESS.provider))
      .reduce((sum, [, count]) => sum + count, 0),
    900,
  );
  assert.equal((await inForceOf(house)).attempts, []);
  await pbx.end();
});

attempts('are limited whatever port was dialled and whatever it was translated to, and where no flow is kept', async () => {
  await house.mustApply(configuration(PROVIDER));
  await house.router.must(['nft', '-f', '-'], {
    input: `table inet owners {
    chain dialled { type nat hook prerouting priority -101; udp dport 15060 dnat ip to ${ADDRESS.phone2}:5060; udp dport 15070 dnat ip to ${ADDRESS.phone2}:5070; }
    chain untracked { type filter hook prerouting priority -300; ip saddr ${SCANNERS[2]} notrack; }
  }`,
  });
  const to = (port: number) => ({ address: ADDRESS.wan, port });
  for (const [nth, port] of [15060, 15070, 5060].entries())
    await house.scan({ methods: ['REGISTER'], count: 100, from: { address: SCANNERS[nth]!, port: 5065 }, to: to(port) });
  const { attempts: seen } = await inForceOf(house);
  for (const source of SCANNERS.slice(0, 3)) {
    const one = seen.find((each) => each.source === source);
    if (one === undefined) throw new Error(`${source} is not among ${JSON.stringify(seen)}`);
    assert.is(one.seen, 100, source);
    assert.ok(one.dropped >= 90 && one.dropped <= 95, `${source}: ${one.dropped} dropped`);
  }
});

attempts('of a call that has begun to ring are part of it', async () => {
  await house.mustApply(configuration());
  const pbx = await house.pbx();
  const ring = { methods: ['INVITE'], user: 'ring', from: { address: SCANNERS[1], port: 5064 } };
  assert.equal(await house.scan({ ...ring, count: 1 }), { sent: 1, answered: 1 });
  // Re-INVITEs, as of a call put on hold and back; each of a new dialog would be a new call, and the PBX's own matter.
  assert.equal(await house.scan({ ...ring, count: 100 }), { sent: 100, answered: 100 });
  const other = await house.scan({ ...ring, count: 100, from: { address: SCANNERS[1], port: 5065 }, user: 'x' });
  assert.ok(other.answered < 20, 'another flow of the same source is not');
  await pbx.end();
});

attempts('are seen: sources, methods, counts, first and last', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const [first] = [Date.now()];
  await house.scan({ methods: ['REGISTER'], count: 50, from: { address: SCANNERS[0], port: 5061 } });
  await wait(2000);
  await house.scan({ methods: ['REGISTER', 'OPTIONS'], count: 100, from: { address: SCANNERS[0], port: 5066 } });
  await house.scan({
    methods: ['INVITE'],
    count: 30,
    from: { address: SCANNER6, port: 5061 },
    to: { address: ADDRESS6.phone2, port: 5060 },
  });
  const last = Date.now();
  const force = await inForceOf(house);
  const heard = await pbx.heard();
  const of = (source: string, method: string): Attempt => {
    const found = force.attempts.find((each) => each.source.startsWith(source) && each.method === method);
    if (found === undefined) throw new Error(`${source} ${method} is not among ${JSON.stringify(force.attempts)}`);
    return found;
  };
  for (const [source, method, seen] of [
    [SCANNERS[0], 'REGISTER', 100],
    [SCANNERS[0], 'OPTIONS', 50],
    ['2001:db8:113::', 'INVITE', 30],
  ] as const) {
    const one = of(source, method);
    const through = heard[`${source === '2001:db8:113::' ? SCANNER6 : source} ${method}`] ?? 0;
    assert.equal([one.seen, one.dropped], [seen, seen - through], `${source} ${method}`);
  }
  const one = of(SCANNERS[0], 'REGISTER');
  assert.ok(Math.abs((one.first ?? 0) - first) < 2500, `first seen ${one.first}, begun ${first}`);
  assert.ok(Math.abs((one.last ?? 0) - last) < 2500, `last seen ${one.last}, ended ${last}`);
  assert.ok((one.last ?? 0) - (one.first ?? 0) >= 1500);
  const counter = (name: string): number => force.counters.find((each) => each.name === name)?.packets ?? NaN;
  assert.is(counter('limited_register'), one.dropped);
  assert.is(counter('limited_options'), of(SCANNERS[0], 'OPTIONS').dropped);
  // What has been counted outlives a change of the rules.
  await house.mustApply(configuration(`${PROVIDER}config timeouts 'timeouts'\n\toption media '333'\n`));
  assert.equal(
    (await inForceOf(house)).attempts.map(({ source, method, seen, dropped }) => [source, method, seen, dropped]).sort(),
    force.attempts.map(({ source, method, seen, dropped }) => [source, method, seen, dropped]).sort(),
  );
  await pbx.end();
});

/** Opens connections one after the other and says how many were taken within half a second each. */
const KNOCK = `const [from, to, count] = process.argv.slice(1); const { connect } = require('net'); let [left, taken] = [Number(count), 0];
const next = () => { if (left-- === 0) { console.log(taken); return; } let over = false; const socket = connect({ host: to, port: 5060, localAddress: from });
const end = (good) => { if (over) return; over = true; taken += good; socket.destroy(); next(); }; socket.on('connect', () => end(1)); socket.on('error', () => end(0)); setTimeout(() => end(0), 500); }; next();`;

attempts('over TCP are limited as connections, by the sum of the three rates', async () => {
  allowTcp(house);
  await house.router.must(['fw4', '-q', 'reload']);
  await house.mustApply(
    configuration(`${PROVIDER}config limit 'limit'\n\toption register '2'\n\toption invite '3'\n\toption options '4'\n`),
  );
  const listener = await (await house.talker('phone2')).listen(ADDRESS6.phone2, 5060);
  const knock = async (from: string): Promise<number> =>
    Number(await house.provider.must([process.execPath, '-e', KNOCK, from, ADDRESS6.phone2, '20']));
  const taken = await knock(SCANNER6);
  assert.ok(taken >= 9 && taken <= 11, `${taken} of 20 connections of a stranger were taken`);
  assert.is(await knock(ADDRESS6.provider), 20);
  const one = (await inForceOf(house)).attempts.find(({ method }) => method === 'TCP');
  assert.ok(one !== undefined && one.dropped > 0 && one.source.startsWith('2001:db8:113::'), JSON.stringify(one));
  await listener.close();
});

/** The audio of 20 calls, numbered, each on ports of its own. */
const AUDIO: readonly Stream[] = Array.from({ length: 20 }, (_, at) => ({
  name: `rtp-${at}`,
  kind: 'rtp',
  every: 20,
  size: 172,
  near: { address: ADDRESS.phone, port: 14000 + 2 * at },
  far: { address: ADDRESS.provider, port: 24000 + 2 * at },
}));

attempts('by the ten thousand cost 20 calls not one packet', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const audio = await startTraffic(house, AUDIO);
  const calls = placeCalls(house, { calls: 20, atOnce: 20, talk: 6000 });
  await wait(1500);
  const began = Date.now();
  const floods = await Promise.all([
    house.scan({ methods: METHODS, count: 5000, every: 5, batch: 10, from: { address: SCANNERS[0], port: 5061 } }),
    house.scan({ methods: METHODS, count: 4000, every: 5, batch: 8, from: { address: SCANNERS[1], port: 5061 } }),
    house.scan({
      methods: METHODS,
      count: 1000,
      every: 5,
      batch: 2,
      from: { address: SCANNER6, port: 5061 },
      to: { address: ADDRESS6.phone2, port: 5060 },
    }),
  ]);
  const seconds = (Date.now() - began) / 1000;
  assert.is(
    floods.reduce((sum, { sent }) => sum + sent, 0),
    10_000,
  );
  const placed = await calls;
  const fates = await audio.stop();
  assert.equal([placed.succeeded, placed.failed], [20, 0], placed.said);
  assert.is(placed.retransmitted, 0, placed.said);
  assert.is(fates.length, 40);
  for (const { name, direction, sent, lost } of fates) assert.ok(sent > 100 && lost === 0, `${name} ${direction}: ${lost} of ${sent} lost`);
  const heard = Object.values(await pbx.heard()).reduce((sum, count) => sum + count, 0);
  const most = 3 * METHODS.reduce((sum, method) => sum + passed(RATES[method], seconds), 0);
  assert.ok(heard <= most, `${heard} of 10,000 requests reached the PBX in ${seconds} s; ${most} may`);
  const { counters } = await inForceOf(house);
  const dropped = counters.filter(({ name }) => /^limited_/.test(name)).reduce((sum, { packets }) => sum + packets, 0);
  assert.is(dropped, 10_000 - heard);
  await pbx.end();
});

attempts.run();
