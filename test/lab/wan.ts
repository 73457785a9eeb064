/**
 * The WAN of a router gets another address, step by step: what every test of it does alike, in namespaces and in the
 * virtual machine.
 */
import * as assert from 'uvu/assert';
import type { Ran, RunOptions } from './member.ts';
import { ADDRESS } from './network.ts';
import { registering, type Registering } from './registrar.ts';
import type { Talker } from './talker.ts';

export const OLD = ADDRESS.wan;
export const NEW = '203.0.113.30';
/** A second address of the WAN, which stays. */
export const OTHER = '203.0.113.21';
export type Commands = {
  run(argv: readonly string[], options?: RunOptions): Promise<Ran>;
  must(argv: readonly string[], options?: RunOptions): Promise<string>;
};

/** Three phones by what becomes of their flows: the firewall's masquerading, a rule to the old address, one to the other. */
export type Scene = { readonly masqueraded: Registering; readonly translated: Registering; readonly inCall: Registering };

export const PORT = { masqueraded: 5060, translated: 5062, inCall: 5064 } as const;

export async function sceneOf(phone: Talker, phone2: Talker, far: Talker): Promise<Scene> {
  const provider = await far.udp(ADDRESS.provider, 5060);
  const at = async (talker: Talker, address: string, port: number): Promise<Registering> =>
    registering(await talker.udp(address, port), address, port, provider);
  return {
    masqueraded: await at(phone, ADDRESS.phone, PORT.masqueraded),
    translated: await at(phone, ADDRESS.phone, PORT.translated),
    inCall: await at(phone2, ADDRESS.phone2, PORT.inCall),
  };
}

/** A rule of the owner's that gives two ports of the phones a certain address, each. */
export async function translate(router: Commands, address: string): Promise<void> {
  await router.must(['nft', '-f', '-'], {
    input: `table ip mine
delete table ip mine
table ip mine {
  chain out {
    type nat hook postrouting priority 90;
    oifname "wan" udp sport ${PORT.translated} snat to ${address}
    oifname "wan" udp sport ${PORT.inCall} snat to ${OTHER}
  }
}
`,
  });
}

export const flow = (router: Commands, port: number): Promise<string> =>
  router.must(['conntrack', '-L', '-p', 'udp', '--orig-port-src', String(port)]).then((lines) => lines.trim());

/** The kernel's own number for a flow: another flow of the same ports has another one. */
export async function numberOf(router: Commands, port: number): Promise<string> {
  const id = / id=(\d+)/.exec(await router.must(['conntrack', '-L', '-o', 'id', '-p', 'udp', '--orig-port-src', String(port)]))?.[1];
  assert.ok(id, `there is no flow from port ${port}`);
  return id!;
}

/** The other address, and rules of the owner's for it; and flows that live for longer than the slowest test takes. */
export async function furnish(router: Commands): Promise<void> {
  for (const name of ['udp_timeout', 'udp_timeout_stream'])
    await router.must(['sh', '-ec', `echo 600 >/proc/sys/net/netfilter/nf_conntrack_${name}`]);
  await router.must(['ip', 'address', 'add', `${OTHER}/32`, 'dev', 'wan']);
  await translate(router, OLD);
}

/** All three register. The number of the flow over the other address. */
export async function begin(router: Commands, { masqueraded, translated, inCall }: Scene): Promise<string> {
  assert.equal(await masqueraded.register(), { from: OLD, answered: true });
  assert.equal(await translated.register(), { from: OLD, answered: true });
  assert.equal(await inCall.register(), { from: OTHER, answered: true });
  return numberOf(router, PORT.inCall);
}

export async function readdress(router: Commands, from: string, to: string): Promise<void> {
  await router.must([
    'sh',
    '-ec',
    `ip address del ${from}/24 dev wan; ip address add ${to}/24 dev wan; ip route replace default via ${ADDRESS.provider} dev wan`,
  ]);
  await translate(router, to);
}

/**
 * The address changes while the firewall is not there, and then it is: two phones get no answers, however often they try.
 * @param forget makes the provider's side ask anew who has which address, as an ISP that has given it to somebody else
 */
export async function change(router: Commands, { masqueraded, translated, inCall }: Scene, forget: () => Promise<unknown>): Promise<void> {
  await router.must(['fw4', 'stop']);
  await readdress(router, OLD, NEW);
  await forget();
  // The kernel itself forgets the flow that was masqueraded, a moment after the address went (nf_nat_masquerade.c).
  await router.must([
    'sh',
    '-c',
    `for try in 1 2 3 4 5 6 7 8 9 10; do conntrack -L -p udp --orig-port-src ${PORT.masqueraded} 2>/dev/null | grep -q 'dst=${OLD}' || exit 0; sleep 0.5; done; exit 1`,
  ]);
  assert.equal(await masqueraded.register(), { from: ADDRESS.phone, answered: false });
  await router.must(['fw4', 'start']);
  assert.equal(await masqueraded.register(), { from: ADDRESS.phone, answered: false }, 'its flow goes on as it began');
  assert.equal(await translated.register(), { from: OLD, answered: false });
  assert.equal(await inCall.register(), { from: OTHER, answered: true });
}

/** Status names both flows and no other, and says of the ALG what it said before. */
export async function assertNamed(router: Commands): Promise<void> {
  const { stdout } = await router.run(['sipalg', 'status', '--json']);
  const { verdict } = JSON.parse(stdout) as { verdict: { alg: string; findings: { code: string; evidence: string[] }[] } };
  assert.is(verdict.alg, 'off');
  const stale = verdict.findings.find(({ code }) => code === 'flow-stale');
  assert.equal(stale?.evidence.map((line) => /^conntrack -L: udp (\S+) .*, (.*)$/.exec(line)?.slice(1)).sort(), [
    [`${ADDRESS.phone}:${PORT.masqueraded}`, 'not translated'],
    [`${ADDRESS.phone}:${PORT.translated}`, `answers go to ${OLD}`],
  ]);
}

/** Both phones register from the new address and are called there; the call over the other address is the same flow as before. */
export async function assertWell(router: Commands, { masqueraded, translated, inCall }: Scene, number: string): Promise<void> {
  assert.equal(await masqueraded.register(), { from: NEW, answered: true });
  assert.equal(await translated.register(), { from: NEW, answered: true });
  assert.ok(await masqueraded.isCalled({ address: NEW, port: PORT.masqueraded }));
  assert.ok(await translated.isCalled({ address: NEW, port: PORT.translated }));
  assert.equal(await inCall.register(), { from: OTHER, answered: true });
  assert.ok(await inCall.isCalled({ address: OTHER, port: PORT.inCall }));
  assert.is(await numberOf(router, PORT.inCall), number, 'the same flow');
}
