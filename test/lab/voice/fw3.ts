/** A router with fw3 in the lab: iptables of one flavour, the rules a stock OpenWrt 21.02 has, and no fw4. */
import { settle } from '../../../src/apply/perform.ts';
import type { Host, Outcome } from '../../../src/host/host.ts';
import type { Facts } from '../../../src/observe/facts.ts';
import { observeIptables } from '../../../src/observe/iptables.ts';
import { observeNft } from '../../../src/observe/nft.ts';
import type { Part } from '../../../src/plan/files.ts';
import type { PolicyFacts } from '../../../src/voice/facts.ts';
import { intactIptables } from '../../../src/voice/judge/compare.ts';
import { planIptablesPolicy } from '../../../src/voice/plan/iptables.ts';
import { observeIptablesPolicy } from '../../../src/voice/seen/iptables.ts';
import { POLICY_FILE } from '../../../src/voice/paths.ts';
import type { Voice } from '../../../src/voice/rules.ts';
import { openLab } from '../lab.ts';
import type { Lab } from '../lab.ts';

export type Flavour = 'legacy' | 'nft';

/** As fw3 writes them (fw3 3a65fde), without what has nothing to do with voice. */
export const STOCK = `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:zone_wan_postrouting - [0:0]
-A POSTROUTING -o wan -m comment --comment "!fw3" -j zone_wan_postrouting
-A zone_wan_postrouting -m comment --comment "!fw3" -j MASQUERADE
COMMIT
*mangle
:FORWARD ACCEPT [0:0]
-A FORWARD -o wan -p tcp -m tcp --tcp-flags SYN,RST SYN -m comment --comment "!fw3: Zone wan MTU fixing" -j TCPMSS --clamp-mss-to-pmtu
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment "!fw3" -j ACCEPT
-A FORWARD -i br-lan -m comment --comment "!fw3" -j ACCEPT
-A FORWARD -i wan -m conntrack --ctstate DNAT -m comment --comment "!fw3: Accept port forwards" -j ACCEPT
COMMIT
`;

export const STOCK6 = `*mangle
:FORWARD ACCEPT [0:0]
COMMIT
*filter
:FORWARD ACCEPT [0:0]
COMMIT
`;

export async function openFw3(flavour: Flavour): Promise<Lab> {
  const lab = await openLab({ ruleset: 'stock-alg-absent' });
  const { router, files } = lab;
  await router.must(['nft', 'flush', 'ruleset']);
  files.remove('/sbin/fw4');
  files.write('/sbin/fw3', '#!/bin/sh\nexit 0\n', 0o755);
  files.remove('/var/run/fw4.state');
  files.write('/var/run/fw3.state', "config defaults\n\toption __flags_v4 '0x1'\n");
  files.write(
    '/etc/openwrt_release',
    "DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='21.02.7'\nDISTRIB_DESCRIPTION='OpenWrt 21.02.7 r16847-f8282da11e'\n",
  );
  // The flavour under its plain names, as a router has one alone.
  for (const family of ['iptables', 'ip6tables']) {
    for (const tool of ['', '-save', '-restore']) {
      files.remove(`/usr/sbin/${family}${tool}`); // a link to the program of both
      files.write(`/usr/sbin/${family}${tool}`, `#!/bin/sh\nexec /usr/sbin/${family}-${flavour}${tool} "$@"\n`, 0o755);
    }
  }
  await router.must(['iptables-restore'], { input: STOCK });
  await router.must(['ip6tables-restore'], { input: STOCK6 });
  return lab;
}

/** The router's machine as the program sees it, from outside: commands run in the router, files are its own. */
export function hostOf({ router, files }: Lab): Host {
  const host = {
    async run(argv: readonly string[], options: { input?: string } = {}): Promise<Outcome> {
      const command = argv.join(' ');
      const ran = await router.run(argv, options);
      if (ran.status === 127) return { state: 'absent', command };
      if (ran.status === null) return { state: 'failed', command, because: `it was ended by ${ran.signal}` };
      return { state: 'exited', command, code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
    },
    async read(path: string) {
      const { status, stdout } = await router.run(['cat', path]);
      return status === 0 ? { state: 'present', value: stdout, source: path } : { state: 'absent', source: path };
    },
    async list(path: string) {
      const { status, stdout } = await router.run(['ls', path]);
      return status === 0
        ? { state: 'present', value: stdout.split('\n').filter((name) => name !== ''), source: path }
        : { state: 'absent', source: path };
    },
    kind: async (path: string) =>
      (await router.run(['test', '-e', path])).status === 0
        ? { state: 'present', value: 'file', source: path }
        : { state: 'absent', source: path },
    write: async (path: string, text: string) => files.write(path, text),
    remove: async (path: string) => files.remove(path),
    now: () => Date.now(),
  };
  return host as unknown as Host;
}

/** What the parts here read of the facts. */
export async function look(lab: Lab, wanted = true): Promise<PolicyFacts> {
  const host = hostOf(lab);
  const iptables = await observeIptables(host, observeNft(host, []), []);
  const file = await host.read(POLICY_FILE);
  const seen = await observeIptablesPolicy(host, { iptables } as Facts, wanted);
  return {
    wanted,
    wish: { timeouts: VOICE.timeouts, marking: null, limit: null, providers: [], sites: [] },
    backend: 'iptables',
    ...seen,
    wan: { state: 'present', value: ['wan'], source: 'test' },
    lan: [],
    perFlow: { state: 'absent', source: 'iptables' },
    names: {},
    inForce: { all: { state: 'absent', source: '' }, ...seen.inForce },
    files: { [POLICY_FILE]: file },
    offload: { state: 'present', value: { software: false, hardware: false, forward: null }, source: '' },
    shapers: [],
    inbound: null,
  };
}

/** The plan to these rules, or to none. */
export const planOf = (policy: PolicyFacts, voice: Voice | null): Part => planIptablesPolicy(policy, intactIptables(policy), voice);

/** Makes every step of a part, each with its rehearsal. */
export async function perform(lab: Lab, part: Part): Promise<void> {
  const host = hostOf(lab);
  for (const step of part.steps) for (const action of step.actions) await settle(host, action);
}

export async function undo(lab: Lab, part: Part): Promise<void> {
  const host = hostOf(lab);
  for (const step of [...part.steps].reverse()) for (const action of step.undo) await settle(host, action);
}

export const VOICE: Voice = {
  wan: ['wan'],
  ports: [5060],
  tlsPorts: [5061],
  timeouts: { signallingUnreplied: 120, signallingReplied: 620, media: 300 },
  marking: { media: { name: 'EF', value: 46 }, signalling: { name: 'CS3', value: 24 } },
  limit: { register: 5, invite: 10, options: 10, other: 20, kilobytes: 2 },
  signalling: { ipv4: ['203.0.113.10'], ipv6: ['2001:db8:113::10'] },
  media: { ipv4: ['198.51.100.0/24', '203.0.113.10'], ipv6: ['2001:db8:99::/48'] },
  unmarked: { ipv4: [], ipv6: [] },
  sites: { ipv4: [], ipv6: [] },
};
