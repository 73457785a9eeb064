/** Flows of phones live as long as the configuration says, measured by conntrack and by waiting. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { register } from '../sip.ts';
import type { Socket } from '../talker.ts';
import { configuration, flowsOf, openHouse, SCANNERS, wait } from './router.ts';
import type { House } from './router.ts';

const timeouts = suite("timeouts of phones' flows");
let house: House;
timeouts.before.each(async () => {
  house = await openHouse();
});
timeouts.after.each(() => house.close());

const SECTION = `
config timeouts 'timeouts'
	option signalling_unreplied '100'
	option signalling_replied '700'
	option media '350'
`;
/** What conntrack had left at a look, and the seconds that had passed by then since before the last packet was sent. */
type Seen = { readonly left: number | undefined; readonly passed: number };

async function seenSince(sent: number, look: () => Promise<number | undefined>): Promise<Seen> {
  const left = await look();
  return { left, passed: (Date.now() - sent) / 1000 };
}

/** conntrack counts whole seconds: one more may be gone than have passed. */
const about = ({ left, passed }: Seen, seconds: number, what: string): void =>
  assert.ok(
    left !== undefined && left <= seconds && left >= seconds - Math.ceil(passed) - 1,
    `${what}: ${left} s left, ${seconds} were to be ${passed.toFixed(1)} s before`,
  );

const left = async (at: string, port = 5060): Promise<number | undefined> => (await flowsOf(house, at, port))[0]?.left;

type Ends = { here: Socket; there: Socket; close(): Promise<void> };

async function ends(family: 4 | 6, port: number, farPort = port): Promise<Ends> {
  const at = family === 6 ? ADDRESS6 : ADDRESS;
  const [phone, provider] = await Promise.all([house.talker('phone'), house.talker('provider')]);
  const [here, there] = [await phone.udp(at.phone, port), await provider.udp(at.provider, farPort)];
  return {
    here,
    there,
    async close() {
      await here.close();
      await there.close();
    },
  };
}

const message = (family: 4 | 6, port: number): Buffer => {
  const at = family === 6 ? ADDRESS6 : ADDRESS;
  return Buffer.from(
    register({
      from: { address: at.phone, port, user: 'phone' },
      to: { address: at.provider, port: 5060, user: 'provider' },
      transport: 'UDP',
    }),
    'latin1',
  );
};

/** A REGISTER that is answered after `delay` milliseconds. @returns what conntrack has left before and after the answer */
async function registration(
  family: 4 | 6,
  port: number,
  delay: number,
): Promise<{ before: Seen; after: Seen }> {
  const at = family === 6 ? ADDRESS6 : ADDRESS;
  const { here, there, close } = await ends(family, port, 5060);
  try {
    const asked = Date.now();
    await here.send(message(family, port), { address: at.provider, port: 5060 });
    const received = await there.next();
    assert.ok(received, 'the REGISTER arrives');
    const look = async (): Promise<number | undefined> => (await flowsOf(house, at.phone, 5060, family === 6 ? 'ipv6' : 'ipv4'))[0]?.left;
    const before = await seenSince(asked, look);
    await wait(delay);
    const answered = Date.now();
    await there.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), received.from);
    assert.ok(await here.next(), 'the answer arrives');
    return { before, after: await seenSince(answered, look) };
  } finally {
    await close();
  }
}

timeouts("without the rules are the kernel's: 60 s before the answer, and still 60 s after one that came at once", async () => {
  const { before, after } = await registration(4, 5062, 1000);
  about(before, 60, 'before');
  about(after, 60, 'after');
});

timeouts('with the rules are the configured ones, for an answer within two seconds too', async () => {
  await house.mustApply(configuration(SECTION));
  for (const [family, delay] of [
    [4, 0],
    [4, 1800],
    [6, 1000],
  ] as const) {
    const { before, after } = await registration(family, 5062 + delay, delay);
    about(before, 700, `IPv${family}, ${delay} ms, before the answer`);
    about(after, 700, `IPv${family}, ${delay} ms, after the answer`);
  }
});

timeouts('of what comes from the internet are shorter until something has answered for two seconds', async () => {
  await house.mustApply(configuration(SECTION));
  const scanned = Date.now();
  await house.scan({ count: 1, from: { address: SCANNERS[0], port: 5061 } });
  about(await seenSince(scanned, () => left(SCANNERS[0])), 100, 'nobody answered');
  const [pbx, caller] = await Promise.all([house.talker('phone2'), house.talker('provider')]);
  const [here, there] = [await pbx.udp(ADDRESS.phone2, 5060), await caller.udp(SCANNERS[1], 5061)];
  await there.send(Buffer.from('INVITE sip:x@203.0.113.20 SIP/2.0\r\n\r\n'), { address: ADDRESS.wan, port: 5060 });
  const { from } = (await here.next())!;
  for (const pause of [0, 2300]) {
    await wait(pause);
    const answered = Date.now();
    await here.send(Buffer.from('SIP/2.0 180 Ringing\r\n\r\n'), from);
    assert.ok(await there.next());
    about(await seenSince(answered, () => left(SCANNERS[1])), pause === 0 ? 100 : 700, `${pause} ms`);
  }
  await here.close();
  await there.close();
});

timeouts('of audio are the configured ones, where it is a phone that speaks; those of all else stay', async () => {
  await house.mustApply(configuration(SECTION));
  await registration(4, 5060, 0); // now it is known as a phone
  const rtp = Buffer.concat([Buffer.from([0x80, 8, 0, 1]), Buffer.alloc(168)]);
  for (const [bytes, port, seconds, what] of [
    [rtp, 20000, 350, 'audio'],
    [Buffer.alloc(172), 20001, 60, 'no audio'],
    [rtp, 53, 60, "a name server's port"],
  ] as const) {
    const { here, there, close } = await ends(4, 16000 + (port % 1000), port);
    await here.send(bytes, { address: ADDRESS.provider, port });
    const received = await there.next();
    const answered = Date.now();
    await there.send(bytes, received!.from);
    await here.next();
    about(await seenSince(answered, () => left(ADDRESS.phone, port)), seconds, what);
    await close();
  }
});

timeouts("hold by the clock: a call arrives when the kernel's own would long be over", async () => {
  for (const policy of [0, 1] as const) {
    await house.udpTimeouts(2, 2);
    await house.mustApply(configuration(SECTION, policy));
    const { here, there, close } = await ends(4, 5070 + policy, 5060);
    await here.send(message(4, 5070 + policy), { address: ADDRESS.provider, port: 5060 });
    const from = (await there.next())!.from;
    await there.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), from);
    assert.ok(await here.next());
    await wait(4500);
    await there.send(Buffer.from('INVITE sip:phone@192.168.1.10 SIP/2.0\r\n\r\n'), from);
    const arrived = await here.next(1000);
    assert.is(arrived !== undefined, policy === 1, `policy ${policy}`);
    await close();
  }
});

timeouts('change with the configuration, for flows that begin then; the old ones keep theirs', async () => {
  await house.mustApply(configuration(SECTION));
  const old = await ends(4, 5062, 5060);
  await old.here.send(message(4, 5062), { address: ADDRESS.provider, port: 5060 });
  const from = (await old.there.next())!.from;
  await house.mustApply(configuration(SECTION.replace('700', '900')));
  const answered = Date.now();
  await old.there.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), from);
  assert.ok(await old.here.next(), 'the answer arrives over the change');
  about(await seenSince(answered, () => left(ADDRESS.phone)), 700, 'the old flow');
  await old.close();
  await house.router.must(['conntrack', '-D', '-p', 'udp', '--orig-port-dst', '5060']);
  about((await registration(4, 5063, 0)).after, 900, 'a new flow');
});

timeouts.run();
