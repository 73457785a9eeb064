/** What the chains do to packets: marks on the wire, the limit, calls and providers that are never limited. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lab } from '../lab.ts';
import type { Peer } from '../talker.ts';
import { look, openFw3, perform, planOf, VOICE } from './fw3.ts';
import type { Flavour } from './fw3.ts';

const STRANGERS = ['203.0.113.66', '203.0.113.67', '203.0.113.68', '203.0.113.69', '203.0.113.70'];
const STRANGER6 = '2001:db8:113:66::66';
const PBX = { address: '203.0.113.20', port: 5060 };
const request = (method: string, id: string): Buffer => Buffer.from(`${method} sip:100@203.0.113.20 SIP/2.0\r\nCall-ID: ${id}\r\n\r\n`);
/** Version 2, payload type 0 (RFC 3550, section 5.1). */
const RTP = Buffer.concat([Buffer.from([0x80, 0, 0, 1]), Buffer.alloc(168)]);

for (const [flavour, ipset] of [
  ['legacy', true],
  ['legacy', false],
  ['nft', true],
] as [Flavour, boolean][]) {
  const test = suite<{ lab: Lab }>(`policy/iptables traffic, ${flavour}, ${ipset ? 'with' : 'without'} ipset`);
  test.before(async (context) => {
    const lab = (context.lab = await openFw3(flavour));
    const { router, files, provider, phone } = lab;
    if (!ipset) files.remove('/usr/sbin/ipset');
    // The phone is a PBX too: calls from the internet are forwarded to it.
    await router.must([
      'iptables',
      '-t',
      'nat',
      '-A',
      'PREROUTING',
      '-i',
      'wan',
      '-p',
      'udp',
      '--dport',
      '5060',
      '-j',
      'DNAT',
      '--to-destination',
      '192.168.1.10',
    ]);
    await router.must(['ip', '-6', 'route', 'add', '2001:db8:113:66::/64', 'via', '2001:db8:113::10']);
    for (const address of STRANGERS) await provider.must(['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
    await provider.must(['ip', 'addr', 'add', `${STRANGER6}/64`, 'dev', 'eth0', 'nodad']);
    for (const member of [provider, phone]) await member.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/icmp_ratelimit']);
    await perform(lab, planOf(await look(lab), VOICE));
  });
  test.after(({ lab }) => lab.close());

  /** How many of these datagrams come out behind the router. */
  async function pass(lab: Lab, from: Peer, to: Peer, listen: Peer, datagrams: readonly Buffer[]): Promise<number> {
    const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone')]);
    const there = await near.udp(listen.address, listen.port);
    const here = await far.udp(from.address, from.port);
    try {
      for (const datagram of datagrams) await here.send(datagram, to);
      let arrived = 0;
      while ((await there.next(300)) !== undefined) arrived++;
      return arrived;
    } finally {
      await Promise.all([here.close(), there.close()]);
    }
  }

  const LAN = { address: '192.168.1.10', port: 5060 };
  const many = (method: string, count: number): Buffer[] => Array.from({ length: count }, (_, nth) => request(method, `${method}-${nth}`));

  test('limits a stranger by method, counts and remembers him', async ({ lab }) => {
    const from = { address: STRANGERS[0] as string, port: 5070 };
    for (const [method, rate] of [
      ['REGISTER', 5],
      ['OPTIONS', 10],
      ['INVITE', 10],
    ] as const) {
      const arrived = await pass(lab, from, PBX, LAN, many(method, 30));
      assert.ok(arrived >= rate && arrived <= rate + 2, `${method}: ${arrived}`);
    }
    // Whatever the method, its letters and what stands before it.
    let port = 5090;
    for (const [start, rate] of [
      ['SUBSCRIBE', 20],
      ['\r\n\r\nREGISTER', 0],
      ['\r\nINVITE', 0],
      ['register', 0],
      ['ACK', 0],
      ["x-%!'*", 0],
      ['\r\n\r\n\r\nOPTIONS', 0],
    ] as const) {
      const arrived = await pass(lab, { ...from, port: port++ }, PBX, LAN, many(start, 30));
      assert.ok(arrived >= rate && arrived <= rate + 3, `${JSON.stringify(start)}: ${arrived}`);
    }
    // What is no request is nobody's business.
    const stun = Buffer.concat([Buffer.from([0, 1, 0, 24, 0x21, 0x12, 0xa4, 0x42]), Buffer.alloc(36, 0x41)]);
    const dtls = Buffer.concat([Buffer.from([22, 0xfe, 0xfd]), Buffer.alloc(120, 0x41)]);
    for (const one of ['\r\n\r\n', '\0\0\0\0', stun, dtls, 'SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n', '\r\nsip/2.0 180 Ringing\r\n\r\n'])
      assert.is(await pass(lab, { ...from, port: port++ }, PBX, LAN, Array.from({ length: 40 }, () => Buffer.from(one as string))), 40);
    const { inForce } = await look(lab);
    assert.ok(inForce.ipv4.state === 'present');
    const { attempts, counters } = inForce.ipv4.value;
    assert.equal(
      attempts.map(({ source, method }) => `${source} ${method}`).sort(),
      ['INVITE', 'OPTIONS', 'OTHER', 'REGISTER'].map((method) => `${from.address} ${method}`),
    );
    for (const { method, seen, dropped, first, last } of attempts) {
      assert.ok(seen >= 30 && dropped >= 18, `${method} ${seen} ${dropped}`);
      for (const at of [first, last]) assert.ok(at !== null && Math.abs(Date.now() - at) < 60_000, String(at));
    }
    const counted = Object.fromEntries(counters.map(({ name, packets }) => [name, packets]));
    assert.equal([counted['attempts_register'], counted['attempts_other']], [60, 150]);
    assert.ok((counted['limited_register'] ?? 0) >= 23 && (counted['limited_invite'] ?? 0) >= 18);
  });

  test('never a provider, and never a call', async ({ lab }) => {
    assert.is(await pass(lab, { address: '203.0.113.10', port: 5071 }, PBX, LAN, many('INVITE', 40)), 40);
    // The second stranger's call rings: from then on his flow is a call, and another one is not.
    const caller = { address: STRANGERS[1] as string, port: 5072 };
    const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone')]);
    const there = await near.udp(LAN.address, LAN.port);
    const here = await far.udp(caller.address, caller.port);
    await here.send(request('INVITE', 'one'), PBX);
    const invite = await there.next();
    await there.send(Buffer.from('SIP/2.0 180 Ringing\r\n\r\n'), invite!.from);
    assert.ok(await here.next());
    await Promise.all([here.close(), there.close()]);
    assert.is(await pass(lab, caller, PBX, LAN, many('INVITE', 40)), 40);
    for (const method of ['ACK', 'BYE', 'UPDATE', 'INFO', 'PRACK', 'CANCEL'])
      assert.is(await pass(lab, caller, PBX, LAN, many(method, 40)), 40, method);
    // And nothing else is: with a memory for addresses alone, not even the calls are without number.
    for (const [method, least, most] of [
      ['REGISTER', 5, 7],
      ['OPTIONS', 10, 12],
      ['MESSAGE', 20, 23],
      ['INVITE', 50, 110],
    ] as const) {
      const arrived = await pass(lab, caller, PBX, LAN, many(method, 200));
      assert.ok(arrived >= least && arrived <= most, `${arrived} of 200 ${method} beside a call that rings`);
    }
    assert.ok((await pass(lab, { ...caller, address: STRANGERS[2] as string }, PBX, LAN, many('INVITE', 40))) <= 12);
  });

  test('leaves phones that are registered alone, six behind one address', async ({ lab }) => {
    const office = STRANGERS[3] as string;
    const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone')]);
    const pbx = await near.udp(LAN.address, LAN.port);
    const phones = await Promise.all([0, 1, 2, 3, 4, 5].map((nth) => far.udp(office, 6100 + nth)));
    let granted = 0;
    for (const phone of phones) {
      // REGISTER, 401, REGISTER, 200.
      for (const status of ['401 Unauthorized', '200 OK']) {
        await phone.send(request('REGISTER', status), PBX);
        const asked = await pbx.next(500);
        if (asked === undefined) continue;
        await pbx.send(Buffer.from(`SIP/2.0 ${status}\r\nCSeq: 1 REGISTER\r\n\r\n`), asked.from);
        if ((await phone.next(500)) !== undefined && status === '200 OK') granted++;
      }
    }
    assert.is(granted, 6);
    await Promise.all([pbx, ...phones].map((one) => one.close()));
    const kept = await pass(lab, { address: office, port: 6100 }, PBX, LAN, many('OPTIONS', 120));
    assert.ok(ipset ? kept === 120 : kept >= 40 && kept < 70, `${kept} of 120 of a phone`);
    const other = await pass(lab, { address: office, port: 6200 }, PBX, LAN, many('REGISTER', 120));
    assert.ok(ipset ? other >= 40 && other < 65 : other < 10, `${other} of 120 of somebody else at that address`);
    // Who was refused is not among them, whatever else he asks.
    const guest = await far.udp(STRANGERS[4] as string, 6300);
    const again = await near.udp(LAN.address, LAN.port);
    for (const [method, status] of [
      ['OPTIONS', '200 OK'],
      ['REGISTER', '401 Unauthorized'],
      ['OPTIONS', '200 OK'],
    ] as const) {
      await guest.send(request(method, status), PBX);
      const asked = await again.next(500);
      await again.send(Buffer.from(`SIP/2.0 ${status}\r\nCSeq: 1 ${method}\r\n\r\n`), asked!.from);
      await guest.next(500);
    }
    await Promise.all([guest.close(), again.close()]);
    assert.ok((await pass(lab, { address: STRANGERS[4] as string, port: 6300 }, PBX, LAN, many('REGISTER', 60))) <= 6);
  });

  test('says when a list is full', async ({ lab }) => {
    const { inForce } = await look(lab);
    assert.ok(inForce.ipv4.state === 'present');
    const { lists } = inForce.ipv4.value;
    assert.ok(lists.length > 0 && lists.every(({ entries, most }) => entries > 0 && entries <= most), JSON.stringify(lists));
    assert.is(lists.find(({ name }) => name === 'once4')?.most, ipset ? 4096 : 100);
  });

  test('limits IPv6 by the network of 64 bits a source has', async ({ lab }) => {
    await lab.router.must(['ip6tables', '-I', 'FORWARD', '-i', 'wan', '-p', 'udp', '--dport', '5060', '-j', 'ACCEPT']);
    const near = { address: '2001:db8:1::10', port: 5060 };
    assert.ok((await pass(lab, { address: STRANGER6, port: 5073 }, near, near, many('REGISTER', 30))) <= 7);
    assert.is(await pass(lab, { address: '2001:db8:113::10', port: 5074 }, near, near, many('REGISTER', 30)), 30);
    const { inForce } = await look(lab);
    assert.equal(inForce.ipv6.state === 'present' && inForce.ipv6.value.attempts.map(({ source, method }) => `${source} ${method}`), [
      '2001:db8:113:66:: REGISTER',
    ]);
  });

  test('leaves the LAN alone', async ({ lab }) => {
    const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone2')]);
    const server = { address: STRANGERS[0] as string, port: 5080 };
    const there = await far.udp(server.address, server.port);
    const here = await near.udp('192.168.1.11', 5075);
    for (const datagram of many('REGISTER', 40)) await here.send(datagram, server);
    let arrived = 0;
    while ((await there.next(300)) !== undefined) arrived++;
    assert.is(arrived, 40);
    await Promise.all([here.close(), there.close()]);
  });

  test('marks signalling, and audio of phones and providers, both ways, on the wire', async ({ lab }) => {
    // What arrives is counted by its class where it arrives.
    const seen = ['ip', 'ip6'].flatMap((ip) =>
      [
        [5060, 'cs3'],
        [20000, 'ef'],
        [20010, 'cs0'],
      ].map(([port, value]) => `${ip} dscp ${value} udp dport ${port} counter\n${ip} dscp ${value} udp sport ${port} counter`),
    );
    for (const member of [lab.provider, lab.phone])
      await member.must(['nft', '-f', '-'], {
        input: `table inet seen {\nchain seen {\ntype filter hook input priority 0\n${seen.join('\n')}\n}\n}\n`,
      });
    const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone')]);
    for (const family of [4, 6]) {
      const [phone, provider] = family === 4 ? ['192.168.1.10', '203.0.113.10'] : ['2001:db8:1::10', '2001:db8:113::10'];
      const signalling = [await near.udp(phone as string, 5060), await far.udp(provider as string, 5060)] as const;
      const audio = [await near.udp(phone as string, 4000), await far.udp(provider as string, 20000)] as const;
      const other = [await near.udp(phone as string, 4010), await far.udp(provider as string, 20010)] as const;
      for (const [[here, there], bytes, port] of [
        [signalling, request('REGISTER', 'm'), 5060],
        [audio, RTP, 20000],
        [other, Buffer.alloc(60, 0x30), 20010],
      ] as const) {
        await here.send(bytes, { address: provider as string, port });
        const arrived = await there.next();
        assert.ok(arrived, `${family} ${port}`);
        await there.send(bytes, arrived.from);
        assert.ok(await here.next(), `${family} ${port} back`);
        await Promise.all([here.close(), there.close()]);
      }
    }
    for (const member of [lab.provider, lab.phone]) {
      const listed = await member.must(['nft', 'list', 'table', 'inet', 'seen']);
      // Each family: signalling (5060 at both ends), audio, and what is neither; to the port at one end, from it at the other.
      const family = member === lab.provider ? '111010' : '110101';
      assert.is([...listed.matchAll(/counter packets (\d+)/g)].map(([, count]) => count).join(''), family + family, listed);
    }
  });

  test('leaves a mark alone that a phone has set itself, and does not mark for a provider of whom that is wished', async ({ lab }) => {
    const { router, phone, provider } = lab;
    const own = [0, 26, 40, 46];
    await phone.must(['nft', '-f', '-'], {
      input: `table inet own {\nchain out {\ntype filter hook output priority 0\n${['ip', 'ip6']
        .flatMap((ip) => own.map((mark) => `udp sport ${5100 + mark} ${ip} dscp set ${mark}`))
        .join('\n')}\n}\n}\n`,
    });
    const classes = [0, 24, 26, 40, 46];
    const count = ['ip', 'ip6'].flatMap((ip) => classes.map((mark) => `udp dport 5060 ${ip} dscp ${mark} counter`));
    const arriving = async (voice: typeof VOICE): Promise<string> => {
      await perform(lab, planOf(await look(lab), voice));
      await router.must(['conntrack', '-F']);
      await provider.must(['nft', '-f', '-'], {
        input: [
          'table inet marks',
          'delete table inet marks',
          'table inet marks {',
          'chain seen {',
          'type filter hook input priority 0;',
          ...count,
          '}',
          '}',
          '',
        ].join('\n'),
      });
      const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone')]);
      for (const [from, to] of [
        ['192.168.1.10', '203.0.113.10'],
        ['2001:db8:1::10', '2001:db8:113::10'],
      ] as const) {
        const there = await far.udp(to, 5060);
        for (const mark of own) {
          const here = await near.udp(from, 5100 + mark);
          await here.send(request('REGISTER', 'own'), { address: to, port: 5060 });
          assert.ok(await there.next(), `${from} ${mark}`);
          await here.close();
        }
        await there.close();
      }
      const listed = await provider.must(['nft', 'list', 'table', 'inet', 'marks']);
      return [...listed.matchAll(/counter packets (\d+)/g)].map(([, packets]) => packets).join('');
    };
    // Of each family: 0, 24, 26, 40, 46.
    assert.is(await arriving(VOICE), '0111101111');
    assert.is(await arriving({ ...VOICE, unmarked: VOICE.signalling }), '1011110111');
    const marking = { ...(VOICE.marking as NonNullable<typeof VOICE.marking>), overwrite: true as const };
    assert.is(await arriving({ ...VOICE, marking }), '0400004000');
    assert.is(await arriving({ ...VOICE, marking, unmarked: { ipv4: ['203.0.113.10'], ipv6: [] } }), '1011104000');
    await perform(lab, planOf(await look(lab), VOICE));
  });

  test.run();
}
