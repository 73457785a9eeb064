/** Judge: what the facts mean. Pure. */
import type { Facts } from '../observe/facts.ts';
import { TRACKER } from '../observe/modules.ts';
import { ASSIGNED, findingsOf } from './findings.ts';
import { cameBack, unexplainedRules } from './origin.ts';
import { assigners, flowsTouched, inKernel, isBlocked, isWatchedOnly, moduleIn, unread } from './questions.ts';
import type { Assigner } from './questions.ts';
import type { AlgState, Finding, Return, Verdict } from './verdict.ts';

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

/** What would bring the ALG back by itself, whatever it does now. */
export function returnsOf(facts: Facts): Return[] {
  // A load of the firewall tells more of scripts than reading them, and tells all there is of what nothing explains.
  const back = cameBack(facts);
  const lost = unexplainedRules(facts).map((where): Assigner => ({ kind: 'of unknown origin', where }));
  const sources = back === false ? assigners(facts).filter(({ kind }) => kind !== 'script') : [...assigners(facts), ...lost];
  const tracker = moduleIn(facts, 'tracker');
  if (tracker === null || sources.length === 0) return [];
  const evidence = sources.map(({ kind, where }) => `${kind}: ${where}`);
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
    returns.push({
      at: 'firewall reload',
      because: sources.every(({ kind }) => kind === 'of unknown origin' || kind === 'sysctl')
        ? 'rules that set the helper came from somewhere that was not found, and may come again'
        : `the firewall sets the helper whenever it is loaded while ${TRACKER} is in the kernel`,
      evidence,
    });
  } else if (tracker.state === 'on disk' && !blocked && asksFor.length > 0) {
    returns.push({
      at: 'firewall reload',
      because: 'an include sets the helper, and the kernel loads the module for it',
      evidence: asksFor.map(({ where }) => where),
    });
  }
  if (builtin) {
    returns.push({ at: 'boot', because: `${TRACKER} is part of the kernel, and the firewall sets the helper`, evidence });
  } else if (loadable && !blocked && autoload.length > 0) {
    returns.push({
      at: 'boot',
      because: 'the modules are loaded at boot, before the firewall',
      evidence: [...autoload.map(({ file, line, module }) => `${file}:${line}: ${module}`), ...evidence],
    });
  } else if (loadable && !blocked && asksFor.length > 0) {
    returns.push({
      at: 'boot',
      because: 'an include sets the helper, and the kernel loads the module for it',
      evidence: asksFor.map(({ where }) => where),
    });
  }
  if (loadable && !blocked) {
    returns.push({
      at: 'package upgrade',
      because: 'installing a module package runs kmodloader, which loads every module that is not blacklisted',
      evidence: [tracker.file ?? facts.modules.tracker.source],
    });
  }
  const { inImage } = facts.modules;
  if (builtin) {
    returns.push({ at: 'sysupgrade', because: 'the configuration that sets the helper is kept', evidence });
  } else if (loadable && !blocked && (inImage.state !== 'present' || inImage.value)) {
    const image = inImage.state === 'present' ? [`${inImage.source}/${TRACKER}.ko`] : [];
    returns.push({
      at: 'sysupgrade',
      because: 'the firmware image brings the modules, and nothing that is kept blacklists them',
      evidence: [...image, ...evidence],
    });
  }
  return returns;
}

const SENTENCES: Record<AlgState, string> = {
  rewriting: 'A SIP ALG rewrites calls on this router.',
  tracking: 'A SIP ALG watches calls on this router: it edits nothing, but drops messages and opens holes in the firewall.',
  off: 'No SIP ALG touches calls on this router.',
  unknown: 'Whether a SIP ALG touches calls on this router could not be told.',
};

/** What is seen of the flows, where the state alone would say too much. */
function touched(alg: AlgState, flows: Verdict['flows']): string {
  if (flows === null || (alg !== 'rewriting' && alg !== 'tracking')) return '';
  const { translated, watched } = flows;
  if (translated + watched === 0) return ' No flow is under it now.';
  return alg === 'rewriting' && watched > 0 ? ` Of ${translated + watched} flows under it now ${watched} are only watched.` : '';
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
  const back = returns.length > 0 && alg === 'off' ? ` It would come back at the next ${returns.map(({ at }) => at).join(', ')}.` : '';
  const because = missing.length > 0 ? ` ${missing.map((one) => `${one.source} could not be read: ${one.because}`).join('; ')}.` : '';
  const flows = flowsTouched(facts);
  return { alg, flows, text: SENTENCES[alg] + touched(alg, flows) + back + because, returns, findings, unread: missing };
}
