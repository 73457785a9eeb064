/** Where a probe runs, and how it asks for names there. */
import type { Host } from '../../host/host.ts';
import type { Network } from '../../host/network.ts';
import type { Surveyor } from '../../survey/survey.ts';
import { questionsByCommand } from '../../voice/names/nslookup.ts';
import { nameServers, questions } from '../../voice/names/servers.ts';
import type { Questions } from '../../voice/names/servers.ts';
import type { Here } from './result.ts';

const MOST_SERVERS = 3;

/** Whether this is an OpenWrt router, and what its survey says of its own ALG. Never throws. */
export async function hereOf(host: Host, surveyor: Surveyor): Promise<Here> {
  if ((await host.read('/etc/openwrt_release')).state !== 'present') return { kind: 'computer', alg: null };
  try {
    const { verdict } = await surveyor.report(await surveyor.look(host));
    return { kind: 'router', alg: verdict.alg };
  } catch {
    return { kind: 'router', alg: 'unknown' };
  }
}

/** The deadline of all questions begins here. */
export async function namesOf(host: Host, { asking, nameServers: known }: Network): Promise<Questions> {
  const servers = known()?.slice(0, MOST_SERVERS) ?? [];
  const all = servers.length > 0 ? servers : await nameServers(host);
  return asking === null ? questionsByCommand(host, all) : questions(asking, all, () => host.now());
}
