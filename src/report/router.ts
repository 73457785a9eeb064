/** The router and the versions of what runs there; and how long it remembers a flow, against how often phones speak. */
import type { Reading } from '../host/host.ts';
import { registration } from '../judge/evidence.ts';
import { flowsBeyond, flowsUnder } from '../judge/questions.ts';
import type { Report } from '../survey/survey.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import type { Block, Section } from './document.ts';

/** A moment, in a form that is the same everywhere. @param at milliseconds since the epoch */
export const dateOf = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');

function valueOf(reading: Reading<unknown>): Line {
  return reading.state === 'present'
    ? String(reading.value)
    : reading.state === 'absent'
      ? say('cli-none', 'none')
      : say('report-unreadable', 'could not be read: {because}', { because: reading.because });
}

const secondsOf = (reading: Reading<number>): Line =>
  reading.state === 'present' ? say('span-seconds', '{number} s', { number: reading.value }) : valueOf(reading);

/** How often phones register and speak, as it was noted by who watched them. */
function seenRows({ calls }: Report['facts']): Line[][] {
  const noted = calls?.intervals?.state === 'present' ? calls.intervals.value : [];
  return noted.map(({ phone, far, how, seconds, times, at, by }) => [
    how === 'granted'
      ? say('interval-granted', '{phone} is registered with {far} for', { phone, far })
      : how === 'renewed'
        ? say('interval-renewed', '{phone} registers with {far} every', { phone, far })
        : say('interval-spoke', '{phone} speaks to {far} every', { phone, far }),
    say('span-seconds', '{number} s', { number: seconds }),
    say('interval-seen', 'seen {times} {times:time|times} by `sipalg {by}`, last on {date}', { times, by, date: dateOf(at) }),
  ]);
}

export function intervalsSection({ facts }: Report): Section {
  const { timeouts, policy, flows } = facts;
  const registered = registration(facts);
  const rows: Line[][] = [
    [say('interval-unreplied', 'UDP flow without an answer'), secondsOf(timeouts.udp), timeouts.udp.source],
    [say('interval-replied', 'UDP flow in both directions'), secondsOf(timeouts.udpStream), timeouts.udpStream.source],
  ];
  if (policy.state === 'present' && policy.value.wanted) {
    const { signallingUnreplied, signallingReplied, media } = policy.value.wish.timeouts;
    const rule = (label: Said, seconds: number, option: string): Line[] => [
      label,
      say('span-seconds', '{number} s', { number: seconds }),
      `sipalg.timeouts.${option}`,
    ];
    rows.push(
      rule(
        say('interval-voice-unreplied', 'Signalling without an answer (voice firewall rules)'),
        signallingUnreplied,
        'signalling_unreplied',
      ),
      rule(say('interval-voice-replied', 'Signalling once answered (voice firewall rules)'), signallingReplied, 'signalling_replied'),
      rule(say('interval-voice-media', 'Audio (voice firewall rules)'), media, 'media'),
    );
  }
  if (registered !== null)
    rows.push([
      say('interval-registration', 'A phone is registered for at least'),
      say('span-seconds', '{number} s', { number: registered.seconds }),
      registered.evidence,
    ]);
  rows.push(...seenRows(facts));
  const blocks: Block[] = [
    {
      is: 'table',
      name: say('report-intervals', 'Timeouts against intervals'),
      heads: [say('head-what', 'What'), say('head-time', 'Time'), say('head-where', 'Where that is written')],
      rows,
    },
  ];
  const kept =
    policy.state === 'present' && policy.value.wanted
      ? policy.value.wish.timeouts.signallingReplied
      : timeouts.udp.state === 'present'
        ? timeouts.udp.value
        : null;
  if (registered !== null && kept !== null && registered.seconds > kept)
    blocks.push({
      is: 'text',
      line: say(
        'interval-short',
        'The way back to the phone is forgotten after {kept} s of silence, and the phone registers for {seconds} s: unless it sends '
          + 'keepalives, calls do not reach it in between.',
        { kept, seconds: registered.seconds },
      ),
    });
  const live = flowsUnder(facts);
  if (live.length > 0)
    blocks.push({
      is: 'table',
      name: say('report-flows', 'Live flows under the helper'),
      heads: [say('head-flow', 'Flow'), say('head-left', 'Left')],
      rows: live
        .map(({ protocol, source, sourcePort, destination, destinationPort, timeout }) => [
          `${protocol} ${source}:${sourcePort} -> ${destination}:${destinationPort}`,
          timeout === null ? '' : say('span-seconds', '{number} s', { number: timeout }),
        ]),
    });
  if (flowsBeyond(facts) > 0)
    blocks.push({
      is: 'text',
      line: say('report-flows-beyond', '{count} more {count:flow is|flows are} under the helper.', { count: flowsBeyond(facts) }),
    });
  if (flows.state === 'failed')
    blocks.push({
      is: 'text',
      line: say('flows-unread', 'Flows could not be read, so nothing is known of them: {because}.', { because: flows.because }),
    });
  return { name: 'intervals', title: say('report-intervals', 'Timeouts against intervals'), blocks };
}

export function routerSection({ version, facts }: Report): Section {
  const { system, modules, wan } = facts;
  const module = (reading: Reading<{ state: string }>): Line =>
    reading.state === 'present' ? (MODULES[reading.value.state] ?? reading.value.state) : valueOf(reading);
  const addresses: Line =
    wan.state === 'present'
      ? wan.value.addresses.map(({ address }) => address).join(', ') || say('report-no-address', 'no address')
      : valueOf(wan);
  const rows: Line[][] = [
    [say('router-release', 'Release'), valueOf(system.release)],
    [say('router-kernel', 'Kernel'), valueOf(system.kernel)],
    [say('router-firewall', 'Firewall'), valueOf(system.firewall)],
    ['nf_conntrack_sip', module(modules.tracker)],
    ['nf_nat_sip', module(modules.rewriter)],
    [say('router-wan', 'Address towards the internet'), addresses],
    ['sipalg', version],
    [say('router-seen', 'Seen at'), dateOf(facts.at)],
  ];
  return {
    name: 'router',
    title: say('report-router', 'The router, and versions'),
    blocks: [
      {
        is: 'table',
        name: say('report-router', 'The router, and versions'),
        heads: [say('head-what', 'What'), say('head-value', 'Value')],
        rows,
      },
    ],
  };
}

const MODULES: Readonly<Record<string, Said>> = {
  loaded: say('module-loaded', 'loaded'),
  'built in': say('module-in-kernel', 'part of the kernel'),
  'on disk': say('module-on-disk', 'not loaded, its file is there'),
  'not there': say('module-not-there', 'not on this router'),
};
