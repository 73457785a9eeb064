/** Every sentence of the page that is not the report's: each passes `_`, so that it can be translated. */

import { putIn } from '../words/put.ts';
import { reasonsWith } from '../words/reasons.ts';
import { diagnosisWordsIn } from './diagnosis-words.ts';

/** Gives a sentence in the reader's language, or the one it was given. */
export type Translate = (text: string) => string;

/** Puts values where a sentence has `%s`, in order. */
export function fill(sentence: string, ...values: (string | number)[]): string {
  let next = 0;
  return sentence.replace(/%s/g, () => String(values[next++] ?? ''));
}

const reasonIn = reasonsWith();

/** @param _ the translation; read by package/page.mjs, which collects what it is called with into the template */
export function wordsIn(_: Translate) {
  return {
    /** What has travelled by its code. */
    put: putIn(_, reasonIn),
    /** The same of an answer that has brought words along. */
    putWith: (own: Readonly<Record<string, string>>) =>
      putIn((key) => (Object.prototype.hasOwnProperty.call(own, key) ? (own[key] as string) : _(key)), reasonIn),
    diagnosis: diagnosisWordsIn(_),

    title: _('SIP ALG'),
    about: _(
      'A SIP ALG edits and drops the messages of phones on their way through the router. '
        + 'Here is whether one touches calls, what that rests on, and the switch.',
    ),
    loading: _('Looking at the router...'),

    states: {
      rewriting: _('On'),
      tracking: _('On'),
      off: _('Off'),
      returns: _('Off, but not for good'),
      unknown: _('Unknown'),
    },
    wouldReturn: _('It would come back by itself; see below.'),
    unread: _('Could not be read, and so it is not known:'),
    pending: _('Still waiting for an answer, so this is the last that is known:'),
    stillWaiting: _('Still waiting: %s'),
    pendingFirst: _('Still waiting for an answer:'),

    noObject: _('sipalg does not answer on this router.'),
    noEngine: _(
      'If it does not start, the engine it runs on is missing: install the package node (OpenWrt 23.05 and 24.10) '
        + 'or quickjs (25.12 and later).',
    ),
    start: _('Start it'),
    starting: _('Starting...'),
    notStarted: _('It could not be started: %s'),
    lost: _('The router does not answer. What is shown is the last that is known; it is asked again every few seconds.'),
    lostFirst: _('The router does not answer. It is asked again every few seconds.'),
    denied: _('This session may not look at the SIP ALG. Log in as somebody who may.'),
    said: _('It was said: %s'),

    tabs: {
      status: _('Status'),
      voice: _('Voice rules'),
      providers: _('Providers'),
      diagnosis: _('Diagnosis'),
      settings: _('Settings'),
    },
    details: _('Details'),
    findings: _('What else was found'),
    weights: {
      alarm: _('Alarm'),
      trouble: _('Trouble'),
      risk: _('Risk'),
      note: _('Note'),
    },
    evidence: _('Evidence (%s)'),
    columns: {
      at: _('When'),
      because: _('Because'),
      place: _('Place'),
      rule: _('Rule'),
      counted: _('Counted'),
      flow: _('Flow'),
      seconds: _('Seconds'),
    },

    returns: _('What would bring it back'),
    at: {
      'firewall reload': _('The next reload of the firewall'),
      boot: _('The next boot'),
      'package upgrade': _('A package upgrade'),
      sysupgrade: _('A sysupgrade'),
    },

    theSwitch: _('Switch'),
    wish: {
      unmanaged: _('The configuration says "unmanaged": sipalg looks, and changes nothing by itself.'),
      disabled: _('The configuration says "disabled": the SIP ALG is to be off, and to stay off.'),
      enabled: _('The configuration says "enabled": the previous state is to be restored.'),
    },
    wishUntold: _('What the configuration asks for could not be told: sipalg looks, and changes nothing by itself.'),
    unmet: _('That is not so yet: steps are left.'),
    met: _('That is so: no step is left.'),
    refused: _('Nothing can be done as things are:'),
    held: _('SIP is not blocked or unloaded: %s.'),
    disable: _('Switch the SIP ALG off...'),
    enable: _('Restore the previous state (ALG on)...'),
    look: _('Nothing happens before you confirm: first you see every command.'),
    readOnly: _('This session may look and not switch.'),

    confirm: {
      disabled: _('Switching the SIP ALG off would do this:'),
      enabled: _('Restoring the previous state would do this:'),
    },
    planning: _('Finding out what it would do...'),
    planFailed: _('What it would do could not be found out, so nothing is done.'),
    nothing: _('There is nothing to do.'),
    why: _('Why: %s'),
    doIt: {
      disabled: _('Switch it off now'),
      enabled: _('Restore it now'),
    },
    cancel: _('Cancel'),
    close: _('Close'),

    running: {
      disabled: _('Switching the SIP ALG off...'),
      enabled: _('Restoring the previous state...'),
    },
    echo: _('Commands run so far'),
    noEcho: _('No command has been run yet.'),
    uncertain: _('The router has not said how it went. It is asked what it is doing now.'),

    ended: {
      reached: {
        disabled: _('Switched off, and seen to be off by looking again.'),
        enabled: _('Restored, and seen to be back by looking again.'),
      },
      held: {
        disabled: _('Switched off, but not for good.'),
        enabled: _('Restored, but not all of it.'),
      },
      failed: {
        disabled: _('Switching the SIP ALG off has failed.'),
        enabled: _('Restoring the previous state has failed.'),
      },
    },
    notAsked: {
      disabled: _('Switching the SIP ALG off was not begun, as far as is known.'),
      enabled: _('Restoring the previous state was not begun, as far as is known.'),
    },
    ago: _('%s ago'),
    commandsRun: _('Commands (%s)'),

    rules: _('Helper rules in force'),
    unreadRule: _('Could not be read: %s'),
    map: _('map %s: %s'),
    packets: _('%s packets, %s bytes'),

    flows: _('Flows under the helper'),
    flow: _('%s from %s to %s'),
    guessed: _('The kernel does not say which flows carry the helper; these live longer than a plain flow may.'),

    voice: {
      title: _('Voice firewall rules'),
      off: _('They are off, and nothing of them is on this router.'),
      inForce: _('They are in force.'),
      missing: _('They are switched on, and not in force as configured.'),
      left: _('They are off, and something of them is still here.'),
      untold: _('Whether they are to be on cannot be told, so they are left as they are.'),
      unknown: _('Whether they are in force could not be seen: %s'),
      everyFlow: _('The kernel cannot tell flows apart here: every UDP flow lives as long.'),
      phones: _('Phones seen: %s'),
      more: _('and %s more'),
      longer: _('The first %s of %s are shown.'),
      theNames: _("Providers' names"),
      name: _('Name'),
      addresses: _('Addresses'),
      answered: _('Answered'),
      noAnswer: _('not yet'),
      stale: _('STALE: %s'),
      partly: _('in part: %s'),
      vain: _('asked in vain %s: %s'),
      attempts: _('Attempts from the internet'),
      counters: _('Counted'),
      limited: _('Limited'),
      methods: {
        register: _('REGISTER'),
        invite: _('INVITE'),
        options: _('OPTIONS'),
        other: _('Others'),
        tcp: _('TCP connections'),
        kilobytes: _('TCP, too much at once'),
      },
      source: _('Source'),
      method: _('Method'),
      seen: _('Seen'),
      first: _('First'),
      last: _('Last'),
    },

    timeouts: _('UDP timeouts'),
    unreplied: _('Without a reply'),
    replied: _('With replies'),
    seconds: _('%s s'),

    router: _('Versions'),
    release: _('Release'),
    kernel: _('Kernel'),
    firewall: _('Firewall'),
    program: _('sipalg'),
    taken: _('Taken away since'),
    age: _('Last look'),
    justNow: _('just now'),
    clockAhead: _('when the clock was ahead'),
    minutes: _('%s min'),
    hours: _('%s h'),
    days: _('%s days'),
    none: _('none'),
    notKnown: _('not known'),
    unreadable: _('could not be read'),

    form: {
      allowed: _('"%s" is not allowed here; it may be %s.'),
      tooLong: _(
        'LuCI can save 64 kB at once, some 3000 networks, and this list is longer. Put part of it into another section and save '
          + 'each by itself, or write it into /etc/config/sipalg.',
      ),
      groups: {
        rules: _('Voice firewall rules'),
        timeouts: _('Timeouts'),
        marking: _('Marking'),
        limit: _('Limits for strangers'),
        provider: _('Providers'),
        site: _('Sites of your own'),
        general: _('SIP ALG and page'),
        serve: _('Daemon'),
        metrics: _('Metrics'),
        hep: _('Messages to Homer'),
      },
      abouts: {
        timeouts: _('How long a flow is remembered without a packet, in seconds.'),
        marking: _('DSCP of voice packets, for queues and Wi-Fi.'),
        limit: _('New requests from the internet for each address and minute. Providers and sites are never limited.'),
        provider: _('Whose calls these are. Names are resolved, and networks written into the rules.'),
        site: _('Phones of yours elsewhere, such as a branch office: never limited.'),
        metrics: _('For Prometheus, in /var/prometheus/sipalg.prom (package sipalg-fleet).'),
      },
      fields: {
        sipalg_policy: _('Switched on'),
        sipalg_failback: _('Bring calls back to the main line'),
        sipalg_alg: _('The SIP ALG is'),
        sipalg_lang: _('Language'),
        timeouts_signalling_replied: _('Signalling'),
        timeouts_signalling_unreplied: _('Signalling nobody answers'),
        timeouts_media: _('Audio'),
        marking_enabled: _('Mark voice'),
        marking_media: _('Audio'),
        marking_signalling: _('Signalling'),
        marking_overwrite: _('Also what a phone has marked'),
        limit_enabled: _('Limit'),
        limit_register: _('REGISTER'),
        limit_invite: _('INVITE'),
        limit_options: _('OPTIONS'),
        limit_other: _('Others'),
        limit_kilobytes: _('TCP, kB per second'),
        provider_enabled: _('Enabled'),
        provider_host: _('Servers'),
        provider_signalling: _('Signalling networks'),
        provider_media: _('Audio networks'),
        provider_marking: _('Mark its voice'),
        provider_inbound: _('May open calls'),
        provider_pbx: _('To these PBXs'),
        provider_port: _('Ports'),
        provider_media_ports: _('Audio ports of the PBX'),
        site_enabled: _('Enabled'),
        site_network: _('Networks'),
        serve_enabled: _('Stay and watch'),
        serve_page: _('Serve the page without LuCI'),
        serve_listen: _('Listen on'),
        serve_cert: _('Certificate (file)'),
        serve_key: _('Its key (file)'),
        serve_every: _('Look every (minutes)'),
        serve_log: _('Log'),
        metrics_enabled: _('Write them'),
        metrics_every: _('Every (seconds)'),
        hep_enabled: _('Send them'),
        hep_server: _('Server'),
        hep_node: _('Number of this router'),
        hep_password: _('Password'),
        hep_calls: _('Calls alone'),
      },
      choices: {
        unmanaged: _('left as it is'),
        disabled: _('kept off'),
        enabled: _('as it was before'),
        auto: _("the browser's"),
        info: _('all'),
        warning: _('warnings and errors'),
        error: _('errors alone'),
      },
      add: _('Add'),
      name: _('Name'),
      edit: _('Edit'),
      remove: _('Remove'),
      save: _('Save & Apply'),
      reset: _('Reset'),
      saving: _('Saving...'),
      saved: _('Saved; the router is being made to match.'),
      notSaved: _('Not saved: %s'),
      changed: _(
        'The configuration has been changed by somebody else since it was read. What you entered is kept; read it again to go on.',
      ),
      again: _('Read it again'),
    },

    login: {
      title: _('Log in'),
      about: _('Log in as on the router itself.'),
      user: _('User name'),
      password: _('Password'),
      submit: _('Log in'),
      busy: _('Logging in...'),
      leave: _('Log out'),
      token: _(
        'This page opens with a link that is good once. "sipalg serve" prints it in a terminal; as a service it writes it '
          + 'into /var/run/sipalg.link. "/etc/init.d/sipalg-daemon reload" makes another.',
      ),
    },
  };
}

export type Words = ReturnType<typeof wordsIn>;
export type FormWords = Words['form'];
