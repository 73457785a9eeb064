/**
 * What a verdict and a plan say, taken apart from what they mean. The expected files of a router hold codes and evidence;
 * the sentences lie once for each code in {@link WORDS}, with the router whose facts make it speak.
 */
import type { Verdict } from '../src/judge/verdict.ts';
import { RANK } from '../src/plan/step.ts';
import type { Plan, Step } from '../src/plan/step.ts';

export const WORDS = 'test/fixtures/words.json';

/** A sentence, and the recorded router that says it. */
export interface Said {
  router: string;
  text: string;
}

/** What is said under each code: 'finding CODE', 'return AT', 'step TOWARDS RANK WHY', 'refused ...'. */
export type Words = Record<string, Said>;

/** The parts of a sentence that are facts: what it quotes, its paths and its numbers. */
const facts = (sentence: string): string => (sentence.match(/"(?:[^"\\]|\\.)*"|\/[\w./-]*\w|\b\d[\w.:]*/g) ?? []).join(' ');

/** The sentence with a mark for each of those: the same for every router it is said of. */
const shape = (sentence: string): string => sentence.replace(/"(?:[^"\\]|\\.)*"|\/[\w./-]*\w|\b\d[\w.:]*/g, '~');

const rankOf = ({ rank }: Step): string => Object.entries(RANK).find(([, value]) => value === rank)?.[0] ?? String(rank);

export function verdictWithoutWords({ alg, returns, findings, unread }: Verdict): object {
  return {
    alg,
    returns: returns.map(({ at, evidence }) => ({ at, evidence })),
    findings: findings.map(({ code, weight, evidence }) => ({ code, weight, evidence })),
    unread: unread.map(({ source, because }) => ({ source, because })),
  };
}

export function planWithoutWords({ steps, refused, lacking, held, refusedCoded: _, lackingCoded: __, ...plan }: Plan): object {
  return {
    ...plan,
    steps: steps.map(({ text: _, code: __, parameters: ___, ...step }) => step),
    refused: refused.map(facts),
    lacking: lacking.map(facts),
    held: held === null ? null : { about: facts(held.because), lines: held.lines },
  };
}

/** Every sentence of a verdict and the plans made for it, with its code. */
export function sentences(verdict: Verdict, plans: readonly Plan[]): [code: string, text: string][] {
  return [
    // The sentence of a verdict names what would bring the ALG back.
    [`verdict ${verdict.alg}${verdict.returns.length > 0 ? ', comes back' : ''}`, verdict.text],
    ...verdict.findings.map(({ code, text }): [string, string] => [`finding ${code}`, text]),
    ...verdict.returns.map(({ at, because }): [string, string] => [`return ${at}`, because]),
    ...plans.flatMap(({ towards, steps, refused, lacking, held }) => [
      ...steps.map((step): [string, string] => [`step ${towards} ${rankOf(step)} ${step.why}`, step.text]),
      ...refused.map((text): [string, string] => [`refused ${shape(text)}`, text]),
      ...lacking.map((text): [string, string] => [`lacking ${shape(text)}`, text]),
      ...(held === null ? [] : [[`held ${shape(held.because)}`, held.because] as [string, string]]),
    ]),
  ];
}

/**
 * What {@link WORDS} is to hold: for each code the router it names already, where that one still speaks so, or the first
 * that does. A router more changes nothing that is there.
 * @param said every router's sentences by code
 */
export function chosen(known: Words, said: ReadonlyMap<string, readonly [code: string, text: string][]>): Words {
  const words: Words = {};
  for (const code of [...new Set([...said.values()].flat().map(([each]) => each))].sort()) {
    const router = [known[code]?.router ?? '', ...said.keys()].find((name) => said.get(name)?.some(([each]) => each === code)) as string;
    words[code] = { router, text: said.get(router)?.find(([each]) => each === code)?.[1] as string };
  }
  return words;
}
