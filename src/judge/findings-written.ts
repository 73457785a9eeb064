/** Findings on what is written: what sets the helper again at a load or a boot, what keeps it away, and what sipalg itself has written. */
import { say } from '../words/say.ts';
import type { Facts } from '../observe/facts.ts';
import { REWRITER, TRACKER } from '../observe/modules.ts';
import { cameBack, mayComeBack, unexplainedRules } from './origin.ts';
import { because, registration } from './evidence.ts';
import { canBlock, inKernel, includesThatNeedHelper, isBlocked, place, sectionPlace } from './questions.ts';
import { assignersOf, read, row, some } from './row.ts';
import type { Row } from './row.ts';

const loads = ({ firewall: { check } }: Facts): boolean => check?.state === 'present' && check.value.loads;

export const WRITTEN: readonly Row[] = [
  row(
    'firewall-would-fail',
    'trouble',
    ['uci', 'tracker'],
    [],
    (facts) =>
      // fw4 itself knows best: a rule that it leaves out for a reason that no file tells does no harm.
      inKernel(facts, 'tracker') === false && read(facts.system.firewall) === 'fw4' && !loads(facts)
        ? some(assignersOf(facts, 'set_helper rule'))
        : null,
    () =>
      say(
        'firewall-would-fail',
        "A rule sets the SIP helper, which is not in the kernel: fw4's whole ruleset is refused at the next reload or boot. "
          + '`sipalg disable` switches the rule off.',
      ),
  ),
  row(
    'include-would-fail',
    'trouble',
    ['includes', 'tracker'],
    [],
    (facts) =>
      inKernel(facts, 'tracker') === false && isBlocked(facts)
        ? some(includesThatNeedHelper(facts).map((use) => `${place(use)}: ${use.text}`))
        : null,
    () =>
      say(
        'include-would-fail',
        "An include needs the SIP helper, which is blacklisted: fw4's whole ruleset is refused at the next reload or boot. "
          + 'Take these lines out; until then `sipalg apply` lets the modules in again.',
      ),
  ),
  row(
    'firewall-does-not-load',
    'trouble',
    [],
    ['firewall-would-fail', 'include-would-fail'],
    ({ firewall: { check } }) => (check?.state === 'present' && !check.value.loads ? [because(check.source, check.value.because)] : null),
    () =>
      say(
        'firewall-does-not-load',
        'fw4 would not load the firewall of this router, with SIP or without: the rules of now are the last that were loaded, '
          + 'and the next boot comes up without a firewall. Mend what fw4 names.',
      ),
  ),
  row(
    'uci-set-helper',
    'risk',
    ['uci'],
    ['firewall-would-fail'],
    (facts) => some(assignersOf(facts, 'set_helper rule')),
    () =>
      say(
        'uci-set-helper',
        "A rule of /etc/config/firewall sets the SIP helper; without the module fw4's whole ruleset would be refused because of it.",
      ),
  ),
  row(
    'uci-list-helper',
    'risk',
    ['uci'],
    [],
    (facts) => some(assignersOf(facts, 'zone lists sip')),
    () => say('uci-list-helper', 'A zone of /etc/config/firewall lists the SIP helper.'),
  ),
  row(
    'uci-automatic',
    'note',
    ['uci', 'tracker'],
    [],
    (facts) => (inKernel(facts, 'tracker') === true ? some(assignersOf(facts, 'zone automatic')) : null),
    () => say('uci-automatic', 'A zone of /etc/config/firewall gets every helper there is, SIP among them.'),
  ),
  row(
    'uci-forward',
    'note',
    ['uci'],
    [],
    (facts) => some((read(facts.firewall.uci)?.forwards ?? []).map(sectionPlace)),
    () =>
      say(
        'uci-forward',
        'A port forward of 5060 gets a rule for the SIP helper by itself (fw3). No packet matches it: it asks in the raw table '
          + 'for a state that comes later.',
      ),
  ),
  row(
    'automatic-at-boot',
    'risk',
    [],
    [],
    (facts) => some(assignersOf(facts, 'sysctl')),
    () => say('automatic-at-boot', 'At boot the kernel is told to put every flow on port 5060 under the SIP helper by itself.'),
  ),
  row(
    'include-needs-helper',
    'trouble',
    ['includes', 'tracker'],
    [],
    (facts) => some(includesThatNeedHelper(facts).map((use) => `${place(use)}: ${use.text}`)),
    () =>
      say(
        'include-needs-helper',
        'A hand-written include uses the SIP helper: with SIP blocked the firewall would not load at all. Take these lines '
          + 'out, then run `sipalg disable` again.',
      ),
  ),
  row(
    'script-sets-helper',
    'risk',
    ['includes'],
    [],
    (facts) => (cameBack(facts) === false ? null : some(assignersOf(facts, 'script'))),
    () =>
      say(
        'script-sets-helper',
        'A script that the firewall runs sets the SIP helper; take the line out, '
          + 'or it comes back with every load while the module is there.',
      ),
  ),
  row(
    'assignment-unexplained',
    'risk',
    ['includes'],
    [],
    (facts) => (mayComeBack(facts) && cameBack(facts) === null ? some(unexplainedRules(facts)) : null),
    () =>
      say(
        'assignment-unexplained',
        'Rules that set the SIP helper came from somewhere that no file read here explains. Whether they come again is known '
          + 'once the firewall has been loaded without them.',
      ),
  ),
  row(
    'assignment-comes-back',
    'risk',
    ['includes'],
    [],
    (facts) => (cameBack(facts) === true ? some([...unexplainedRules(facts), ...assignersOf(facts, 'script')]) : null),
    () =>
      say(
        'assignment-comes-back',
        'Rules that set the SIP helper came back when the firewall was loaded: something puts them there. Take that away, then '
          + 'run `sipalg disable` again.',
      ),
  ),
  row(
    'autoload',
    'note',
    ['autoload'],
    ['blocked', 'module-built-in'],
    (facts) => some((read(facts.boot.autoload) ?? []).map((one) => `${place(one)}: ${one.module}`)),
    () => say('autoload', 'The SIP modules are loaded at every boot.'),
  ),
  row(
    'half-blocked',
    'risk',
    ['blacklist'],
    ['blocked'],
    (facts) =>
      some(
        (read(facts.boot.blacklist)?.modules ?? [])
          .filter((name) => name === TRACKER || name === REWRITER)
          .map((name) => `/etc/modules.conf: blacklist ${name}`),
      ),
    (facts) =>
      canBlock(facts)
        ? say(
            'half-blocked',
            'Only one of the two SIP modules is blacklisted, and kmodloader loads what another module depends on all the same.',
          )
        : say('half-blocked-unread', "The SIP modules are blacklisted, but this release's kmodloader does not read the blacklist."),
  ),
  row(
    'blocked',
    'note',
    ['blacklist'],
    [],
    (facts) => (isBlocked(facts) ? [`/etc/modules.conf: blacklist ${TRACKER}, blacklist ${REWRITER}`] : null),
    () => say('blocked', 'Both SIP modules are blacklisted.'),
  ),
  row(
    'modules-conf-dangerous',
    'trouble',
    ['blacklist'],
    [],
    (facts) =>
      some((read(facts.boot.blacklist)?.dangerous ?? []).map((one) => because(`/etc/modules.conf:${one.line}: ${one.text}`, one.because))),
    () =>
      say(
        'modules-conf-dangerous',
        'A line of /etc/modules.conf has no documented form: a module loader that stumbles over it loads no module at boot.',
      ),
  ),
  row(
    'unfinished',
    'trouble',
    ['journal'],
    [],
    (facts) => (['taking', 'giving back'].includes(read(facts.journal)?.state ?? '') ? [facts.journal.source] : null),
    () =>
      say(
        'unfinished',
        'An earlier run of sipalg did not come to its end. `sipalg apply` or `sipalg enable` brings the router to a clean state.',
      ),
  ),
  row(
    'journal-unreadable',
    'trouble',
    [],
    [],
    ({ journal }) => (journal.state === 'failed' ? [because(journal.source, journal.because)] : null),
    () => say('journal-unreadable', 'What sipalg took away cannot be read any more, so nothing of it can be given back.'),
  ),
  row(
    'sip-open',
    'risk',
    ['uci'],
    [],
    (facts) =>
      some(
        (read(facts.firewall.uci)?.open ?? []).map((one) => {
          const what = `${sectionPlace(one)}: ${one.does} ${one.protocols} ${one.sip}`;
          return one.to === null
            ? say('open-here', '{what} to this router', { what })
            : say('open-to', '{what} to {to}', { what, to: one.to });
        }),
      ),
    () =>
      say(
        'sip-open',
        'Everybody on the internet reaches SIP here. Restrict it to your provider (`option src_ip`), or let the voice firewall rules '
          + "open it (`option inbound '1'`).",
      ),
  ),
  row(
    'short-timeout',
    'risk',
    ['tracker'],
    [],
    (facts) => {
      const udp = read(facts.timeouts.udp);
      if (udp === null || facts.wish.wish.policy) return null;
      const registered = registration(facts);
      const seen = registered !== null && registered.seconds > udp ? [registered.evidence] : [];
      return seen.length > 0 || (udp < 120 && inKernel(facts, 'tracker') === false)
        ? [
            say('timeout-is', '{source} is {seconds} s; RFC 4787 (REQ-5) asks for 120 s at least', {
              source: facts.timeouts.udp.source,
              seconds: udp,
            }),
            ...seen,
          ]
        : null;
    },
    () =>
      say(
        'short-timeout',
        'Without the ALG a phone that says nothing is forgotten soon: calls may not arrive unless it sends keepalives. The '
          + 'voice firewall rules give it time: `uci set sipalg.main.policy=1 && uci commit sipalg && sipalg apply`.',
      ),
  ),
];
