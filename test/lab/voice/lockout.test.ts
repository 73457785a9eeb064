/**
 * Whatever stands in the configuration, nobody is locked out: configurations drawn by chance, good and bad, huge, empty and
 * hostile, are applied one after the other while the owner's connections and a call are up. A failing run names its seed.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { comparable } from '../listing.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { talkerIn } from '../talker.ts';
import type { Socket, Talker } from '../talker.ts';
import { startTraffic } from '../traffic.ts';
import type { Stream } from '../traffic.ts';
import { damage, seeded } from '../../seeded.ts';
import type { Seeded } from '../../seeded.ts';
import { configuration, openHouse } from './router.ts';
import type { House } from './router.ts';

const ROUNDS = 14;
const SEED = 20260101;

const lockout = suite('any configuration');

/** As UCI writes a value (a quote ends the string, stands by itself, and begins it anew). */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const HOSTILE = [
  "'; flush ruleset; '",
  '"; drop; #',
  '$(reboot)',
  '`reboot`',
  'a b',
  '\n}\nflush ruleset\n',
  '0.0.0.0/0',
  '::/0',
  '127.0.0.1',
  '224.0.0.0/4',
  '1.2.3.4/33',
  '2001:db8::/129',
  '1.2.3',
  '::ffff:1.2.3.4',
  '-1',
  '0',
  '4294967296',
  '1e9',
  'NaN',
  '',
  ' ',
  '\u00e9\u4e2d',
  '\\',
  '192.168.1.0/24',
  '192.168.1.1',
  '10.0.0.0/8',
  '__proto__',
  'a'.repeat(5000),
  '{ 1.1.1.1 }',
  '@phones4',
  'include "/etc/passwd"',
  '5060-',
  '1-70000',
  'EF; drop',
  'cs3 counter',
];

function network(random: Seeded): string {
  const kind = random.below(10);
  if (kind === 0) return random.pick(HOSTILE);
  if (kind < 7)
    return `${random.pick([10, 100, 172, 192, 198, 203])}.${random.below(256)}.${random.below(256)}.${random.below(256)}${random.pick(['', '/24', '/16', '/32', '/9', '/7', '/31'])}`;
  return `2001:db8:${random.below(65536).toString(16)}::${random.below(65536).toString(16)}${random.pick(['', '/32', '/48', '/128', '/15', '/64'])}`;
}

function section(random: Seeded): string {
  const value = (good: readonly string[]): string => (random.below(4) === 0 ? random.pick(HOSTILE) : random.pick(good));
  const numbers = ['30', '60', '120', '620', '86400', '29', '99999'];
  const options = (names: readonly string[], good: readonly string[]): string =>
    names
      .filter(() => random.below(3) > 0)
      .map((name) => `\toption ${name} ${quoted(value(good))}\n`)
      .join('');
  switch (random.below(5)) {
    case 0:
      return `config timeouts 'timeouts'\n${options(['signalling_unreplied', 'signalling_replied', 'media'], numbers)}`;
    case 1:
      return `config marking 'marking'\n${options(['media', 'signalling'], ['EF', 'CS3', 'AF41', '0', '63', 'LE', 'cs0'])}${options(['enabled'], ['0', '1'])}`;
    case 2:
      return `config limit 'limit'\n${options(['register', 'invite', 'options', 'other'], ['1', '5', '6000', '60'])}${options(['kilobytes'], ['1', '9999'])}${options(['enabled'], ['0', '1'])}`;
    default: {
      const count = random.pick([0, 1, 3, 40, random.below(20) === 0 ? 10_000 : 200]);
      const list = (name: string): string => Array.from({ length: count }, () => `\tlist ${name} ${quoted(network(random))}\n`).join('');
      return `config provider ${random.below(5) === 0 ? '' : quoted(`p${random.below(4)}`)}\n${list('signalling')}${random.below(2) === 0 ? list('media') : ''}${options(
        ['inbound', 'enabled'],
        ['0', '1'],
      )}${options(['pbx'], ['192.168.1.11', '192.168.1.77', '203.0.113.20'])}${options(['port'], ['5060', '5080', '22', '80'])}${options(['media_ports'], ['10000-20000', '1-2'])}`;
    }
  }
}

function drawn(random: Seeded): string {
  const text = configuration(
    Array.from({ length: random.below(7) }, () => section(random)).join('\n'),
    random.below(6) === 0 ? 0 : 1,
  ).replace("option alg 'unmanaged'", `option alg '${random.pick(['unmanaged', 'disabled', 'unmanaged'])}'`);
  return random.below(4) === 0 ? damage(text, random) : text;
}

/** A provider with ten thousand networks, many of them within others. */
function huge(random: Seeded): string {
  const one = (): string =>
    `${1 + random.below(223)}.${random.below(256)}.${random.below(256)}.${random.below(256)}/${16 + random.below(17)}`;
  return configuration(`config provider 'huge'\n${Array.from({ length: 10_000 }, () => `\tlist signalling '${one()}'\n`).join('')}`);
}

/** A connection of the owner's to the router, kept up; and whether a new one can be had. */
async function owner(
  house: House,
  router: Talker,
  port: number,
  family: 4 | 6,
): Promise<{ says(): Promise<void>; close(): Promise<void> }> {
  const at = family === 6 ? ADDRESS6 : ADDRESS;
  const listener = await router.listen(at.router, port);
  const phone = await house.talker('phone');
  let next = 41_000 + port;
  const talk = async (socket: Socket, what: string): Promise<void> => {
    await socket.send(Buffer.from(what));
    assert.is((await listener.next(3000))?.bytes.toString(), what, `port ${port}, IPv${family}: what is said arrives`);
  };
  const kept = await phone.tcp(at.phone, next++, { address: at.router, port });
  await talk(kept, 'first');
  return {
    async says() {
      await talk(kept, 'kept');
      const fresh = await phone.tcp(at.phone, next++, { address: at.router, port });
      await talk(fresh, 'fresh');
      await fresh.close();
      await talk(kept, 'kept');
    },
    async close() {
      await kept.close();
      await listener.close();
    },
  };
}

const CALL: readonly Stream[] = [
  {
    name: 'signalling',
    kind: 'udp',
    every: 50,
    size: 300,
    near: { address: ADDRESS.phone, port: 5060 },
    far: { address: ADDRESS.provider, port: 5060 },
  },
  {
    name: 'audio',
    kind: 'rtp',
    every: 20,
    size: 172,
    near: { address: ADDRESS.phone, port: 14000 },
    far: { address: ADDRESS.provider, port: 24000 },
  },
  {
    name: 'a download',
    kind: 'tcp',
    every: 20,
    size: 400,
    near: { address: ADDRESS.phone, port: 40000 },
    far: { address: ADDRESS.provider, port: 8080 },
  },
];

/** All that is not ours: neither our table nor a rule that bears our name. */
async function foreign(house: House): Promise<unknown[]> {
  return comparable((await house.ruleset()).filter((entry) => !/sipalg/.test(JSON.stringify(entry))));
}

lockout("leaves SSH, the page and a call as they are, and everybody else's rules", async () => {
  const house = await openHouse();
  try {
    const router = await talkerIn(house.router);
    const ways = [
      await owner(house, router, 22, 4),
      await owner(house, router, 22, 6),
      await owner(house, router, 8061, 4),
      await owner(house, router, 443, 4),
    ];
    const before = await foreign(house);
    const traffic = await startTraffic(house, CALL);
    let inForce = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const random = seeded(SEED + round);
      const text = round === 3 ? huge(random) : round === 9 ? '' : drawn(random);
      const ran = await house.apply(text);
      const told = `seed ${SEED + round}: ${ran.stdout.slice(-600)}${ran.stderr.slice(-300)}`;
      assert.not(ran.timedOut, told);
      assert.ok([0, 1, 2].includes(ran.status ?? -1), told);
      assert.not.match(ran.stderr, /^\s+at .*:\d+:\d+/m, `${told}: a stack of the program\'s own`);
      if ((await house.table()).includes('chain forwarded')) inForce++;
      for (const way of ways)
        await way.says().catch((error: Error) => {
          throw new Error(`${told}\n${error.message}`);
        });
      const check = await house.router.run(['fw4', 'check']);
      assert.is(check.status, 0, `${told}\n${check.stderr}`);
      assert.equal(await foreign(house), before, told);
    }
    assert.ok(inForce >= ROUNDS / 2, `rules were in force in ${inForce} of ${ROUNDS} rounds`);
    for (const { name, direction, sent, lost } of await traffic.stop())
      assert.ok(sent > 50 && lost === 0, `${name} ${direction}: ${lost} of ${sent} lost`);
    for (const way of ways) await way.close();
    await house.mustApply(configuration('', 0));
    assert.is(await house.table(), '');
  } finally {
    await house.close();
  }
});

lockout.run();
