/** Judge: what the facts mean. Pure. */
import type { Facts } from '../observe/facts.ts';
import { TRACKER } from '../observe/modules.ts';
import { coded, say, textOf } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import { evidenceOf } from './evidence.ts';
import { ASSIGNED, findingsOf } from './findings.ts';
import { cameBack, unexplainedRules } from './origin.ts';
import { assigners, flowsTouched, inKernel, isBlocked, isWatchedOnly, moduleIn, unread } from './questions.ts';
import type { Assigner } from './questions.ts';
import type { AlgState, Finding, Return, ReturnAt, Verdict } from './verdict.ts';

function algOf(facts: Facts, findings: readonly Finding[], missing: readonly unknown[]): AlgState {
  const tracker = inKernel(facts, 'tracker');
  if (tracker === null) return 'unknown';
  if (!tracker) return 'off';
  if (findings.some(({ code }) => ASSIGNED.includes(code))) {
    const rewriter = inKernel(facts, 'rewriter');
    return rewriter === null ? 'unknown' : rewriter && !isWatchedOnly(facts) ? 'rewriting' : 'tracking';
  }
  return missing.length > 0 ? 'unknown' : 'off';
}

const AT: Record<ReturnAt, Said> = {
  'firewall reload': say('at-firewall-reload', 'firewall reload'),
  boot: say('at-boot', 'boot'),
  'package upgrade': say('at-package-upgrade', 'package upgrade'),
  sysupgrade: say('at-sysupgrade', 'sysupgrade'),
};

/** What sets the helper again, by its kind. */
const KINDS: Record<Assigner['kind'], (where: string) => Said> = {
  'zone lists sip': (where) => say('source-zone-lists', 'zone lists sip: {where}', { where }),
  'zone automatic': (where) => say('source-zone-automatic', 'zone automatic: {where}', { where }),
  'set_helper rule': (where) => say('source-rule', 'set_helper rule: {where}', { where }),
  include: (where) => say('source-include', 'include: {where}', { where }),
  script: (where) => say('source-script', 'script: {where}', { where }),
  sysctl: (where) => say('source-sysctl', 'sysctl: {where}', { where }),
  'of unknown origin': (where) => say('source-unknown', 'of unknown origin: {where}', { where }),
};

const BY_INCLUDE = say('back-by-include', 'an include sets the helper, and the kernel loads the module for it');

const back = (at: ReturnAt, because: Said, evidence: readonly Line[]): Return => {
  const { code: says, ...parameters } = coded(because);
  return { at, because: because.text, says, ...parameters, ...evidenceOf(evidence) };
};

/** What would bring the ALG back by itself, whatever it does now. */
export function returnsOf(facts: Facts): Return[] {
  // A load of the firewall tells more of scripts than reading them, and tells all there is of what nothing explains.
  const came = cameBack(facts);
  const lost = unexplainedRules(facts).map((where): Assigner => ({ kind: 'of unknown origin', where }));
  const sources = came === false ? assigners(facts).filter(({ kind }) => kind !== 'script') : [...assigners(facts), ...lost];
  const tracker = moduleIn(facts, 'tracker');
  if (tracker === null || sources.length === 0) return [];
  const evidence = sources.map(({ kind, where }) => KINDS[kind](where));
  const returns: Return[] = [];
  const builtin = tracker.state === 'built in';
  const blocked = isBlocked(facts);
  const autoload = facts.boot.autoload.state === 'present' ? facts.boot.autoload.value : [];
  // An object of type sip or a CT rule makes the kernel ask for the module by itself.
  const asksFor = sources.filter(({ kind }) => kind === 'include' || kind === 'script' || kind === 'of unknown origin');
  const loadable = tracker.state === 'loaded' || tracker.state === 'on disk';

  // The sysctl is set at boot, not by the firewall.
  const byFirewall = sources.some(({ kind }) => kind !== 'sysctl');
  if (byFirewall && (tracker.state === 'loaded' || builtin)) {
    const unknown = sources.every(({ kind }) => kind === 'of unknown origin' || kind === 'sysctl');
    const because = unknown
      ? say('back-by-somebody', 'rules that set the helper came from somewhere that was not found, and may come again')
      : say('back-by-firewall', 'the firewall sets the helper whenever it is loaded while {module} is in the kernel', { module: TRACKER });
    returns.push(back('firewall reload', because, evidence));
  } else if (tracker.state === 'on disk' && !blocked && asksFor.length > 0) {
    returns.push(
      back(
        'firewall reload',
        BY_INCLUDE,
        asksFor.map(({ where }) => where),
      ),
    );
  }
  if (builtin) {
    returns.push(
      back('boot', say('back-built-in', '{module} is part of the kernel, and the firewall sets the helper', { module: TRACKER }), evidence),
    );
  } else if (loadable && !blocked && autoload.length > 0) {
    const because = say('back-at-boot', 'the modules are loaded at boot, before the firewall');
    returns.push(back('boot', because, [...autoload.map(({ file, line, module }) => `${file}:${line}: ${module}`), ...evidence]));
  } else if (loadable && !blocked && asksFor.length > 0) {
    returns.push(
      back(
        'boot',
        BY_INCLUDE,
        asksFor.map(({ where }) => where),
      ),
    );
  }
  if (loadable && !blocked) {
    const because = say('back-by-package', 'installing a module package runs kmodloader, which loads every module that is not blacklisted');
    returns.push(back('package upgrade', because, [tracker.file ?? facts.modules.tracker.source]));
  }
  const { inImage } = facts.modules;
  if (builtin) {
    returns.push(back('sysupgrade', say('back-by-configuration', 'the configuration that sets the helper is kept'), evidence));
  } else if (loadable && !blocked && (inImage.state !== 'present' || inImage.value)) {
    const image = inImage.state === 'present' ? [`${inImage.source}/${TRACKER}.ko`] : [];
    const because = say('back-by-image', 'the firmware image brings the modules, and nothing that is kept blacklists them');
    returns.push(back('sysupgrade', because, [...image, ...evidence]));
  }
  return returns;
}

const SENTENCES: Record<AlgState, Said> = {
  rewriting: say('alg-rewriting', 'A SIP ALG rewrites calls on this router.'),
  tracking: say(
    'alg-tracking',
    'A SIP ALG watches calls on this router: it edits nothing, but drops messages and opens holes in the firewall.',
  ),
  off: say('alg-off', 'No SIP ALG touches calls on this router.'),
  unknown: say('alg-unknown', 'Whether a SIP ALG touches calls on this router could not be told.'),
};

/** What is seen of the flows, where the state alone would say too much. */
function touched(alg: AlgState, flows: Verdict['flows']): Said[] {
  if (flows === null || (alg !== 'rewriting' && alg !== 'tracking')) return [];
  const { translated, watched } = flows;
  if (translated + watched === 0) return [say('alg-no-flow', 'No flow is under it now.')];
  return alg === 'rewriting' && watched > 0
    ? [say('alg-watched', 'Of {flows} flows under it now {watched} are only watched.', { flows: translated + watched, watched })]
    : [];
}

/** @param voice what the voice rules have to say, which is part of the verdict's findings */
export function judge(facts: Facts, voice: readonly Finding[] = []): Verdict {
  const missing = unread(facts);
  const findings = findingsOf(facts, voice);
  const alg = algOf(facts, findings, missing);
  const { rewriter } = facts.modules;
  // Whether messages are edited is needed for a verdict, but not for a plan: what sets the helper goes either way.
  if (alg === 'unknown' && missing.length === 0 && rewriter.state === 'failed')
    missing.push({ source: rewriter.source, because: rewriter.because });
  const returns = returnsOf(facts);
  const flows = flowsTouched(facts);
  const said = [
    SENTENCES[alg],
    ...touched(alg, flows),
    ...(returns.length > 0 && alg === 'off'
      ? [say('alg-would-return', 'It would come back at the next {events}.', { events: returns.map(({ at }) => AT[at]) })]
      : []),
    ...missing.map(({ source, because, says }) =>
      say('alg-unread', '{source} could not be read: {because}.', {
        source,
        because: says === undefined ? because : { code: says, text: because },
      }),
    ),
  ];
  return { alg, flows, text: said.map(textOf).join(' '), said, returns, findings, unread: missing };
}
