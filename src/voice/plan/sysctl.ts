/** The two timeouts of all UDP flows, where a flow can have none of its own. */
import { parseSysctl } from '../../languages/kernel/sysctl.ts';
import type { Facts } from '../../observe/facts.ts';
import { orElse } from '../../observe/reading.ts';
import { NOTHING, joinParts, one, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { RANK } from '../../plan/step.ts';
import type { PolicyFacts } from '../facts.ts';
import { SYSCTL_FILE } from '../own.ts';
import { changeOwn, textOf } from './files.ts';
import { say } from '../../words/say.ts';

const KEYS = { udp: 'nf_conntrack_udp_timeout', udpStream: 'nf_conntrack_udp_timeout_stream' } as const;
const ABOUT = '# Written by sipalg: this kernel knows no timeouts for single flows, so all UDP flows live as long as SIP needs.\n';
const NAMES = ['udp', 'udpStream'] as const;
const procPath = (name: 'udp' | 'udpStream'): string => `/proc/sys/net/netfilter/${KEYS[name]}`;

/** The values there were before ours, as our own file says. */
function formerValues(text: string | null): Partial<Record<'udp' | 'udpStream', number>> {
  const [, udp, udpStream] = /^# before: (\d+) (\d+)$/m.exec(text ?? '') ?? [];
  return udp === undefined ? {} : { udp: Number(udp), udpStream: Number(udpStream) };
}

/**
 * Where a flow can have no timeouts of its own, the two of all UDP flows: both as long as an answered SIP flow is to live,
 * for an exchange that ends within two seconds never gets to the second (nf_conntrack_proto_udp.c). Never lowered.
 */
export function planSysctl(facts: Facts, policy: PolicyFacts, perFlow: boolean, wanted: boolean): Part {
  const text = textOf(policy, SYSCTL_FILE);
  const live = { udp: orElse(facts.timeouts.udp, null), udpStream: orElse(facts.timeouts.udpStream, null) };
  const former = formerValues(text);
  const ours = Object.fromEntries(parseSysctl(text ?? '').map(({ key, value }) => [key.split('.').at(-1), Number(value)]));
  if (wanted && !perFlow) {
    if (live.udp === null || live.udpStream === null) {
      return text !== null
        ? NOTHING
        : refuse([
            say(
              'refused-timeouts-unread',
              'The timeouts of UDP flows could not be read (/proc/sys/net/netfilter), so they are left as they are. '
                + '`modprobe nf_conntrack` may bring them.',
            ),
          ]);
    }
    const { signallingReplied } = policy.wish.timeouts;
    const before = { udp: former.udp ?? live.udp, udpStream: former.udpStream ?? live.udpStream };
    const wish = { udp: Math.max(before.udp, signallingReplied), udpStream: Math.max(before.udpStream, signallingReplied) };
    const after = `${ABOUT}# before: ${before.udp} ${before.udpStream}\n${NAMES.map(
      (name) => `net.netfilter.${KEYS[name]}=${wish[name]}\n`,
    ).join('')}`;
    return joinParts([
      changeOwn(policy, SYSCTL_FILE, after, say('step-timeouts-file', 'Keep the timeouts of UDP flows for the next boot.')),
      ...NAMES.map((name) => poke(name, live[name] as number, wish[name], RANK.policyFiles, 'timeouts-global')),
    ]);
  }
  if (text === null) return NOTHING;
  // Only what still is as we left it is given back.
  const back = NAMES.flatMap((name) =>
    former[name] !== undefined && live[name] !== null && live[name] === ours[KEYS[name]]
      ? [poke(name, live[name] as number, former[name] as number, RANK.policyOff, 'policy-unwanted')]
      : [],
  );
  return joinParts([
    ...back,
    changeOwn(policy, SYSCTL_FILE, null, say('step-timeouts-back', 'Let the timeouts of UDP flows be as they were, at boot too.')),
  ]);
}

function poke(name: 'udp' | 'udpStream', now: number, value: number, rank: number, why: string): Part {
  const path = procPath(name);
  return now === value
    ? NOTHING
    : one({
        rank,
        why,
        ...(name === 'udp'
          ? say('step-timeout', 'Let UDP flows live {seconds} s.', { seconds: value })
          : say('step-timeout-stream', 'Let UDP flows live {seconds} s once they are streams.', { seconds: value })),
        actions: [{ do: 'poke', path, text: `${value}\n` }],
        undo: [{ do: 'poke', path, text: `${now}\n` }],
        commands: [`echo ${value} > ${path}`],
      });
}
