/**
 * Rules of routing of a test's own, where those of the owner's (mwan3, pbr, tables of netifd), or a strict rp_filter, would send
 * it elsewhere or refuse it. They are about addresses that nobody has, and about the test phone. Pure.
 */
import { PROVIDER } from './ground.ts';
import type { Ground } from './ground.ts';
import { OWN_RULE, OWN_TABLE } from './record/made.ts';
import { NETWORK } from './wans.ts';

/** Of what is sent as if it came from the internet, under a strict rp_filter: one that rules of routing tell (IPTOS_LOWDELAY). */
export const TOS = 0x10;

/** Words behind `ip rule add` and `ip route add`. @param phones addresses of the test phones */
export function steeringOf({ lan, others, steered, strict }: Ground, phones: readonly string[]): { rules: string[][]; routes: string[][] } {
  const rules: string[][] = [];
  const routes: string[][] = [];
  if (steered && others.tried.length > 0) rules.push(['to', NETWORK, 'iif', lan.device, ...OWN_RULE]);
  if (steered)
    // Answers come in at the LAN, as real ones do not: what steers the LAN's packets would turn them back.
    for (const phone of phones) {
      rules.push(['to', phone, 'iif', lan.device, ...OWN_RULE]);
      routes.push([`${phone}/32`, 'dev', lan.device, 'table', OWN_TABLE]);
    }
  if (strict) {
    // The kernel asks for the way of an answer as for that of what the phone sends, but with the type of service of the packet it
    // checks (net/ipv4/fib_frontend.c, __fib_validate_source).
    rules.push(['to', PROVIDER, 'iif', lan.device, 'tos', `0x${TOS.toString(16)}`, ...OWN_RULE]);
    routes.push([`${PROVIDER}/32`, 'dev', lan.device, 'table', OWN_TABLE]);
  }
  return { rules, routes };
}
