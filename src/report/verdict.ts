/** What was found: the verdict, each finding with what it rests on, and what would bring the ALG back. */
import type { Finding } from '../judge/verdict.ts';
import type { Report } from '../survey/survey.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { Block, Item, Section, Tone } from './document.ts';
import { lineOf, linesOf } from './said.ts';

const TONES: Record<Finding['weight'], Tone> = { alarm: 'alarm', trouble: 'alarm', risk: 'risk', note: 'plain' };

/** Attempts of strangers have a table of their own. */
const ELSEWHERE = ['attempts'];

export function verdictSection({ verdict }: Report): Section {
  const { alg, said, text, findings, returns, unread } = verdict;
  const [first, ...others] = said ?? [text];
  const tone: Tone = alg === 'off' ? (returns.length > 0 ? 'risk' : 'fine') : alg === 'unknown' ? 'risk' : 'alarm';
  const items = findings
    .filter(({ code }) => !ELSEWHERE.includes(code))
    .map((one): Item => ({
      tone: TONES[one.weight],
      line: lineOf(one.says ?? one.code, one.parameters, one.text),
      evidence: linesOf(one.evidence, one.coded),
    }));
  const blocks: Block[] = [{ is: 'answer', tone, line: first ?? text }, ...others.map((line): Block => ({ is: 'text', line }))];
  if (items.length > 0) blocks.push({ is: 'text', line: say('report-evidence', 'What that rests on:') }, { is: 'items', items });
  if (returns.length > 0)
    blocks.push(
      { is: 'text', line: say('report-returns', 'What would bring it back:') },
      {
        is: 'items',
        items: returns.map(({ at, because, says, parameters, evidence, coded }): Item => ({
          tone: 'risk',
          line: say('report-return', '{event}: {why}.', { event: AT[at], why: lineOf(says, parameters, because) }),
          evidence: linesOf(evidence, coded),
        })),
      },
    );
  if (unread.length > 0)
    blocks.push(
      { is: 'text', line: say('report-unread', 'What could not be read, so that nothing is known of it:') },
      {
        is: 'items',
        items: unread.map(({ source, because, says }): Item => ({
          tone: 'risk',
          line: say('because', '{what}: {because}', { what: source, because: lineOf(says, undefined, because) }),
          evidence: [],
        })),
      },
    );
  return { name: 'verdict', title: say('report-verdict', 'What was found'), blocks };
}

const AT: Record<Report['verdict']['returns'][number]['at'], Said> = {
  'firewall reload': say('at-firewall-reload', 'firewall reload'),
  boot: say('at-boot', 'boot'),
  'package upgrade': say('at-package-upgrade', 'package upgrade'),
  sysupgrade: say('at-sysupgrade', 'sysupgrade'),
};
