/** A report for people: sentences they can check, with the evidence under each. */
import type { Reading } from '../host/host.ts';
import type { Finding, ReturnAt, Verdict } from '../judge/verdict.ts';
import type { Report } from '../survey/survey.ts';
import type { Problem } from '../wish/wish.ts';
import { english, putLines } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Coded, Said } from '../words/say.ts';
import { folded } from './fold.ts';

/** Where a line of evidence ends on a terminal. */
export const INDENT = '      ';

function value(reading: Reading<unknown>, put: Put): string {
  return reading.state === 'present'
    ? String(reading.value)
    : put(reading.state === 'absent' ? say('cli-none', 'none') : say('cli-unreadable', 'unreadable'));
}

const SIGNS: Record<Finding['weight'], string> = { alarm: '!', trouble: '!', risk: '*', note: '-' };

export const codeOf = (code: string, parameters: Coded['parameters']): Coded =>
  parameters === undefined ? { code } : { code, parameters };

/** Lines of evidence: what is words is folded, and a rule or a path, which is to be copied, is not. */
export const evidenceLines = (lines: readonly string[], coded: Finding['coded'], put: Put, width?: number): string[] =>
  putLines(put, lines, coded).map((one, at) => (coded?.[at] === undefined ? INDENT + one : folded(INDENT + one, width)));

/** Each finding, and its evidence under it. */
export function findingLines(findings: readonly Finding[], put: Put = english, width?: number): string[] {
  return findings.flatMap(({ code, says = code, parameters, weight, text, evidence, coded }) => [
    folded(`  ${SIGNS[weight]} ${put(codeOf(says, parameters), text)}`, width),
    ...evidenceLines(evidence, coded, put, width),
  ]);
}

export const AT: Readonly<Record<ReturnAt, Said>> = {
  'firewall reload': say('at-firewall-reload', 'firewall reload'),
  boot: say('at-boot', 'boot'),
  'package upgrade': say('at-package-upgrade', 'package upgrade'),
  sysupgrade: say('at-sysupgrade', 'sysupgrade'),
};

/** The verdict in sentences. */
export const verdictText = ({ said, text }: Verdict, put: Put): string => said?.map((one) => put(one)).join(' ') ?? text;

export function statusText({ version, facts, verdict }: Omit<Report, 'plan'>, put: Put = english, width?: number): string {
  const words = (text: string): string => folded(text, width);
  const lines = [words(verdictText(verdict, put)), '', ...findingLines(verdict.findings, put, width)];
  if (verdict.returns.length > 0) {
    lines.push('', put(say('cli-returns', 'What would bring it back:')));
    for (const { at, because, says, parameters, evidence, coded } of verdict.returns) {
      const why = put(says === undefined ? undefined : codeOf(says, parameters), because);
      lines.push(words(`  ${put(AT[at])}: ${why}.`), ...evidenceLines(evidence, coded, put, width));
    }
  }
  const journal =
    facts.journal.state === 'present'
      ? put(
          say('cli-taken', '; taken away by sipalg since {date}, given back by `sipalg enable`', {
            date: new Date(facts.journal.value.since).toISOString().slice(0, 10),
          }),
        )
      : '';
  const { system } = facts;
  const wish = facts.wish.said === false ? put(say('cli-not-known', 'not known')) : facts.wish.wish.alg;
  lines.push(
    '',
    words(
      put(
        say('cli-router', '{release}, kernel {kernel}, firewall {firewall}; wish: {wish}{journal}; sipalg {version}', {
          release: value(system.release, put),
          kernel: value(system.kernel, put),
          firewall: value(system.firewall, put),
          wish,
          journal,
          version,
        }),
      ),
    ),
  );
  // Also where the plan is refused: it says why.
  if (verdict.alg !== 'off' && verdict.unread.length === 0 && facts.wish.wish.alg !== 'enabled')
    lines.push(words(put(say('cli-next', '`sipalg plan` shows what would be done about it, `sipalg disable` does it.'))));
  return lines.join('\n').replaceAll('\n\n\n', '\n\n') + '\n';
}

/** What of /etc/config/sipalg is not in force, and why. */
export const problemText = ({ code, parameters, text }: Problem, put: Put): string =>
  put(code === undefined ? undefined : codeOf(code, parameters), text);
