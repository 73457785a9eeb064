/**
 * Known vulnerabilities of the SIP helper, and releases past their end of life. What is written here was looked up on 2026-11-28
 * in the records named beside it; what came to be known later is not in it. Nothing of how they are used.
 */
import type { AlgState } from '../judge/verdict.ts';
import type { RouterFacts } from '../survey/survey.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { valueOf } from './look.ts';

/** The day on which the tables were last held against their sources. */
export const KNOWN_ON = '2026-11-28';

export interface Vulnerability {
  id: string;
  /** CVSS 3.1 base score; null where the copies of the record that were read hold none. */
  score: number | null;
  published: string;
  /** What it is of, in words that say nothing of how. */
  of: Said;
  /** The first kernel that has it. */
  since: string;
  /** The first release of each stable line without it. */
  fixed: Readonly<Record<string, number>>;
  /** The first line that never had it. */
  free: string;
  /** It needs this parameter of nf_conntrack_sip to be other than 0. */
  needs?: string;
  source: string;
}

const record = (id: string): string => `https://www.cve.org/CVERecord?id=${id}`;

/** Versions from CVEProject/cvelistV5 (assigner kernel.org) and osv.dev; that of CVE-2026-31427's score is NVD's. Worst first. */
export const VULNERABILITIES: readonly Vulnerability[] = [
  {
    id: 'CVE-2026-31414',
    score: 9.8,
    published: '2026-04-13',
    of: say(
      'cve-31414',
      "an expectation's helper is looked up by a flow that may be gone (nf_conntrack_expect, which the SIP helper fills)",
    ),
    since: '2.6.30',
    fixed: { '6.1': 168, '6.6': 134, '6.12': 81, '6.18': 22, '6.19': 12 },
    free: '7.0',
    source: record('CVE-2026-31414'),
  },
  {
    id: 'CVE-2026-53002',
    score: 9.8,
    published: '2026-06-24',
    of: say('cve-53002', 'a number is written past the end of the memory for it while a message is edited (nf_nat_sip)'),
    since: '2.6.20',
    fixed: { '5.10': 258, '5.15': 209, '6.1': 175, '6.6': 141, '6.12': 91, '6.18': 33, '7.0': 10 },
    free: '7.1',
    source: record('CVE-2026-53002'),
  },
  {
    id: 'CVE-2026-52986',
    score: 9.8,
    published: '2026-06-24',
    of: say('cve-2026-52986', 'numbers in SIP messages are read beyond the end of the packet'),
    since: '2.6.26',
    fixed: { '5.10': 258, '5.15': 209, '6.1': 175, '6.6': 141, '6.12': 91, '6.18': 33, '7.0': 10 },
    free: '7.1',
    source: record('CVE-2026-52986'),
  },
  {
    id: 'CVE-2026-72251',
    score: 9.8,
    published: '2026-08-15',
    of: say('cve-2026-72251', 'memory that was given back is used while a reply is edited (nf_nat_sip)'),
    since: '3.9',
    fixed: { '5.10': 261, '5.15': 212, '6.1': 178, '6.6': 145, '6.12': 97, '6.18': 40, '7.1': 5 },
    free: '7.2',
    source: record('CVE-2026-72251'),
  },
  {
    id: 'CVE-2026-23457',
    score: 8.6,
    published: '2026-04-03',
    of: say('cve-2026-23457', 'a length in SIP over TCP is cut short'),
    since: '2.6.34',
    fixed: { '5.10': 253, '5.15': 203, '6.1': 167, '6.6': 130, '6.12': 78, '6.18': 20, '6.19': 10 },
    free: '7.0',
    source: record('CVE-2026-23457'),
  },
  {
    id: 'CVE-2026-72253',
    score: 7.5,
    published: '2026-08-15',
    of: say('cve-2026-72253', 'a route is taken for granted that Open vSwitch and tc do not give'),
    since: '4.3',
    fixed: { '5.10': 266, '5.15': 217, '6.1': 184, '6.6': 148, '6.12': 101, '6.18': 42, '7.1': 5 },
    free: '7.2',
    needs: 'sip_external_media',
    source: record('CVE-2026-72253'),
  },
  {
    id: 'CVE-2026-31427',
    score: 5.5,
    published: '2026-04-13',
    of: say('cve-2026-31427', 'addresses in the SDP are overwritten with what happens to be in memory (calls on hold)'),
    since: '2.6.26',
    fixed: { '5.10': 253, '5.15': 203, '6.1': 168, '6.6': 131, '6.12': 80, '6.18': 21, '6.19': 11 },
    free: '7.0',
    source: record('CVE-2026-31427'),
  },
  {
    id: 'CVE-2026-74569',
    score: null,
    published: '2026-08-15',
    of: say('cve-74569', 'by how much an edit lengthens a message over TCP is counted in too small a number'),
    since: '2.6.34',
    fixed: { '6.6': 151, '6.12': 103, '6.18': 44, '7.1': 8 },
    free: '7.2',
    source: record('CVE-2026-74569'),
  },
];

/** Kernels of OpenWrt's newest releases known here: the names of their module folders on downloads.openwrt.org. */
export const OPENWRT_KERNELS: Readonly<Record<string, string>> = { '24.10.8': '6.6.144', '25.12.5': '6.12.94' };

/** End of life of each line (openwrt.org's support status, by way of endoflife.date). */
export const END_OF_LIFE: Readonly<Record<string, string>> = {
  '17.01': '2019-02-01',
  '18.06': '2021-07-01',
  '19.07': '2022-04-30',
  '21.02': '2023-04-30',
  '22.03': '2024-04-11',
  '23.05': '2025-08-16',
  '24.10': '2026-09-05',
};
const CURRENT = '25.12';

export interface Advisory {
  /** A CVE number, `alg-on`, `end-of-life` or `kernel-unknown`. */
  id: string;
  /** now: the code runs on calls. ready: it is in the kernel, and nothing leads calls to it. on disk: it is not in the kernel. */
  reach: 'now' | 'ready' | 'on disk' | null;
  score: number | null;
  text: Said;
  fix: Said;
  source: string;
}

const numbers = (version: string): number[] => version.split('.').map(Number);

function isBefore(one: string, other: string): boolean {
  const [these, those] = [numbers(one), numbers(other)];
  for (let at = 0; at < 3; at++) if ((these[at] ?? 0) !== (those[at] ?? 0)) return (these[at] ?? 0) < (those[at] ?? 0);
  return false;
}

/** Whether a kernel has the fault. @param kernel such as 6.6.73 */
export function isVulnerable({ since, fixed, free }: Vulnerability, kernel: string): boolean {
  if (isBefore(kernel, since) || !isBefore(kernel, free)) return false;
  const [major = 0, minor = 0, patch = 0] = numbers(kernel);
  const line = `${major}.${minor}`;
  const first = Object.hasOwn(fixed, line) ? fixed[line] : undefined;
  return first === undefined || patch < first;
}

/**
 * The upstream version of a kernel: OpenWrt calls its kernels by it (`6.6.73`), Debian says it in what it was built of (`#1 SMP Debian
 * 6.1.170-3`), for its release is that of a whole line (`6.1.0-50-amd64`). null: it cannot be told.
 */
export function kernelVersion(release: string, build: string | null): string | null {
  const debian = /\bDebian (\d+\.\d+\.\d+)(?:-|\b)/.exec(build ?? '')?.[1];
  if (debian !== undefined) return debian;
  const [, version = null, rest = ''] = /^(\d+\.\d+\.\d+)(.*)$/.exec(release) ?? [];
  // A distribution's release such as 6.1.0-50-amd64 says nothing of what was mended in it.
  return version === null || (/^\d+\.\d+\.0$/.test(version) && rest !== '') ? null : version;
}

const lineOf = (version: string): string => version.split('.').slice(0, 2).join('.');

/** Which release mends it, in words. */
function mendedBy(one: Vulnerability, kernel: string, release: string): Said {
  const line = lineOf(kernel);
  const first = Object.hasOwn(one.fixed, line) ? one.fixed[line] : undefined;
  const within =
    first === undefined
      ? say('fix-in-no-kernel', 'no kernel of line {line} has the fix', { line })
      : say('fix-in-kernel', 'kernel {version} and later have the fix', { version: `${line}.${first}` });
  if (!/OpenWrt/.test(release)) return within;
  const fine = Object.entries(OPENWRT_KERNELS).filter(([, its]) => !isVulnerable(one, its));
  const known = Object.entries(OPENWRT_KERNELS).map(([name, its]) => `${name}, ${its}`);
  return fine.length > 0
    ? say('fix-in-releases', "{within}; of OpenWrt's releases {releases}", {
        within,
        releases: fine.map(([name, its]) => `${name} (${its})`),
      })
    : say('fix-in-no-release', "{within}; none of OpenWrt's releases known here does (newest: {known})", {
        within,
        known: known.join('; '),
      });
}

function reachOf(facts: RouterFacts, alg: AlgState): Advisory['reach'] {
  const tracker = valueOf(facts.modules.tracker);
  if (tracker === null || tracker.state === 'not there') return null;
  if (tracker.state === 'on disk') return 'on disk';
  return alg === 'rewriting' || alg === 'tracking' ? 'now' : 'ready';
}

const REACH: Record<NonNullable<Advisory['reach']>, Said> = {
  now: say('reach-now', 'the helper is on'),
  ready: say('reach-ready', 'the helper is in the kernel, and nothing leads calls to it now'),
  'on disk': say('reach-on-disk', 'the helper is on this router, and not in the kernel'),
};

const scored = ({ score }: Vulnerability): Said =>
  score === null ? say('cvss-unknown', 'no CVSS score known here') : say('cvss', 'CVSS {score}', { score: score.toFixed(1) });

/** Vulnerabilities of this kernel's helper, an ALG that is on, and a release past its end. Worst first. */
export function advise(facts: RouterFacts, alg: AlgState): Advisory[] {
  const found: Advisory[] = [];
  const reach = reachOf(facts, alg);
  const release = valueOf(facts.system.release) ?? '';
  const kernel = kernelVersion(valueOf(facts.system.kernel) ?? '', facts.calls === undefined ? null : valueOf(facts.calls.build));
  if (reach === 'now')
    found.push({
      id: 'alg-on',
      reach,
      score: null,
      text: say(
        'advisory-alg-on',
        'The SIP ALG is on: it reads packets of strangers in the kernel, and opens holes in the firewall for what they say.',
      ),
      fix: say('advisory-switch-off', 'sipalg disable'),
      source: 'RFC 4787 REQ-10; NAT slipstreaming (2020, 2021)',
    });
  if (reach !== null && kernel === null)
    found.push({
      id: 'kernel-unknown',
      reach,
      score: null,
      text: say('advisory-kernel-unknown', 'Which fixes the kernel has could not be told by its version ({kernel}).', {
        kernel: valueOf(facts.system.kernel) ?? '?',
      }),
      fix: say(
        'advisory-compare',
        'hold the version of your kernel package against the numbers in `sipalg diagnose --json`, or switch the ALG off',
      ),
      source: '/proc/sys/kernel/osrelease, /proc/sys/kernel/version',
    });
  if (reach !== null && kernel !== null)
    for (const one of VULNERABILITIES) {
      if (!isVulnerable(one, kernel)) continue;
      const parameter = one.needs === undefined ? undefined : valueOf(facts.modules.tracker)?.parameters[one.needs];
      if (parameter === '0' || parameter === 'N') continue;
      found.push({
        id: one.id,
        reach,
        score: one.score,
        text: say('advisory-cve', '{id} ({score}, {published}): {what}. Kernel {kernel} has it; {reach}.', {
          id: one.id,
          score: scored(one),
          published: one.published,
          what: one.of,
          kernel,
          reach: REACH[reach],
        }),
        fix:
          reach === 'now'
            ? say('advisory-disable-and', '`sipalg disable` at once; {fix}.', { fix: mendedBy(one, kernel, release) })
            : say('advisory-fix', '{fix}.', { fix: mendedBy(one, kernel, release) }),
        source: one.source,
      });
    }
  const line = /OpenWrt (\d\d\.\d\d)/.exec(release)?.[1];
  const end = line !== undefined && Object.hasOwn(END_OF_LIFE, line) ? END_OF_LIFE[line] : undefined;
  if (line !== undefined && end !== undefined && facts.at >= Date.parse(end))
    found.push({
      id: 'end-of-life',
      reach: null,
      score: null,
      text: say('advisory-end-of-life', 'OpenWrt {line} has been past its end of life since {date}: it gets no fixes any more.', {
        line,
        date: end,
      }),
      fix: say('advisory-upgrade', 'upgrade to {line}', { line: CURRENT }),
      source: 'https://openwrt.org/docs/guide-developer/security#support_status',
    });
  return found;
}

/** Of vulnerabilities that one kernel has, the one whose fix came last: who has that, has all of them. */
export function lastMended(advisories: readonly Advisory[]): Advisory | undefined {
  const patchOf = ({ id, text }: Advisory): number => {
    const line = lineOf(String(text.parameters?.['kernel'] ?? ''));
    return VULNERABILITIES.find((one) => one.id === id)?.fixed[line] ?? Infinity;
  };
  return [...advisories].sort((one, other) => patchOf(other) - patchOf(one))[0];
}
