/** Questions to name servers by OpenWrt's own command, for an engine without sockets. */
import type { Host, NameServer } from '../../host/host.ts';
import type { QuestionType, ResourceRecord } from '../../languages/dns/message.ts';
import { isAskable, nslookup, shownBy } from '../../languages/dns/nslookup.ts';
import { askedOnce } from './servers.ts';
import type { Questions, Result } from './servers.ts';

/** All questions of one refresh, milliseconds; each is a process of its own, which a small router starts slowly. */
const DEADLINE = 10_000;
/** One question to one name server. The command itself waits 5 s. */
const PATIENCE = 2500;
const AT_ONCE = 4;
/** It shows no TTL: what it says is taken to hold for five minutes, as long as most providers say. */
const TTL = 300;

/**
 * The same questions as those of servers.ts. NAPTR cannot be asked for; an answer that does not fit into a datagram shows as
 * one with fewer records, for the command knows no TCP.
 */
export function questionsByCommand(host: Host, servers: readonly NameServer[]): Questions {
  const end = host.now() + DEADLINE;

  return askedOnce(AT_ONCE, servers, async ({ address }, name, type) => {
    const failed = (because: string): Result<QuestionType> => ({ state: 'failed', because: `${name}: ${because}` });
    if (type === 'NAPTR') return failed('nslookup cannot ask for NAPTR records');
    if (!isAskable(name)) return failed('this is no name that nslookup can be asked for');
    const left = Math.min(PATIENCE, end - host.now());
    if (left <= 0) return failed(`the time was over (${DEADLINE / 1000} s for all names)`);
    const outcome = await host.run(nslookup(type, name, address), { timeout: left });
    if (outcome.state === 'absent') return failed('there is no nslookup here to ask with; OpenWrt has it in busybox');
    if (outcome.state === 'failed') return failed(`${address}: no answer by nslookup: ${outcome.because}`);
    const shown = shownBy(type, outcome);
    if (shown.state === 'failed') return failed(`${address}: ${shown.because}`);
    if (shown.state === 'missing') return { state: 'nothing', because: `${name} does not exist (NXDOMAIN)`, ttl: TTL };
    if (shown.state === 'nothing') {
      const because = `nslookup shows no ${type} record of ${name}; it cannot ask for NAPTR records, nor over TCP for a long answer`;
      return { state: 'nothing', because, ttl: TTL };
    }
    const records = shown.records.map((record) => ({ ...record, name, ttl: TTL })) as Extract<ResourceRecord, { type: QuestionType }>[];
    return { state: 'found', records, ttl: TTL };
  });
}
