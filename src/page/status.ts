/** The tab *Status*: the verdict, why, the switch; what else was found; the rest behind one fold. */
import type { Reply } from '../object/object.ts';
import type { Verdict, Weight } from '../judge/verdict.ts';
import { evidenceFold, sentenceOf } from './blocks.ts';
import { detailsOf, returnsOf } from './sections.ts';
import type { State } from './state.ts';
import { switchOf } from './switch.ts';
import type { Block, Details, Finding, Tone, VerdictBlock } from './view.ts';
import type { Words } from './words.ts';

type Full = Extract<Reply, { facts: object }>;

const TONES: Record<Weight, Tone> = { alarm: 'danger', trouble: 'danger', risk: 'warning', note: 'notice' };

function findingOf(finding: Verdict['findings'][number], state: State, words: Words): Finding {
  return {
    name: finding.code,
    tone: TONES[finding.weight],
    weight: words.weights[finding.weight],
    text: sentenceOf(finding, words),
    fold: evidenceFold(`finding ${finding.code}`, finding, state, words),
  };
}

function verdictOf(verdict: Verdict, why: Finding | null, working: boolean, words: Words): VerdictBlock {
  const returns = verdict.alg === 'off' && verdict.returns.length > 0;
  const tone: Tone =
    verdict.alg === 'rewriting' || verdict.alg === 'tracking' ? 'danger' : verdict.alg === 'unknown' || returns ? 'warning' : 'success';
  return {
    kind: 'verdict',
    name: 'verdict',
    tone,
    state: returns ? words.states.returns : words.states[verdict.alg],
    text: verdict.said === undefined ? verdict.text : verdict.said.map((one) => words.put(one)).join(' '),
    why,
    more: returns ? words.wouldReturn : '',
    working,
  };
}

export function statusOf(reply: Full, state: State, words: Words): Block[] {
  const { verdict, now } = reply;
  const findings = verdict.findings.map((finding) => findingOf(finding, state, words));
  const why = findings[0] ?? null;
  const rest = findings.slice(1);
  const details: Details = {
    kind: 'details',
    name: 'details',
    label: words.details,
    open: state.open.includes('details'),
    blocks: detailsOf(reply, words),
  };
  return [
    verdictOf(verdict, why, state.asked !== null || now.running !== null, words),
    { ...switchOf(reply, state, words), kind: 'switch', name: 'switch' },
    ...(rest.length === 0 ? [] : [{ kind: 'findings' as const, name: 'findings', title: words.findings, rows: rest }]),
    ...returnsOf(verdict, state, words),
    details,
  ];
}
