/** Causes that were found, as a section of the document for the provider. */
import { diagnose } from '../diagnose/diagnose.ts';
import { KNOWN_ON } from '../diagnose/advisories.ts';
import { readAsked } from '../diagnose/symptoms.ts';
import type { Block, Item, Section } from '../report/document.ts';
import type { Report } from '../survey/survey.ts';
import { say, textOf } from '../words/say.ts';
import type { Line } from '../words/say.ts';
import { fixSaid } from './diagnosis.ts';

/** @returns null where the facts hold nothing of calls: a document that another command has saved */
export function diagnosisSection({ facts, verdict }: Report): Section | null {
  if (facts.calls === undefined) return null;
  const { found, unknown, advisories } = diagnose(facts, verdict.alg, readAsked(''));
  const items: Item[] = found.map(({ what, evidence, fix, alike }) => ({
    tone: 'risk',
    line: what,
    evidence: [
      ...evidence,
      fixSaid(fix),
      ...(alike === null
        ? []
        : [
            say('diagnosis-alike', 'Here it cannot be told from {causes}. What would tell: {tell}', {
              causes: alike.codes,
              tell: alike.tell,
            }),
          ]),
    ],
  }));
  // What one observation would tell stands together, under it: a sentence that is the same of five causes is said once.
  const groups = new Map<string, typeof unknown>();
  for (const one of unknown) groups.set(textOf(one.tell), [...(groups.get(textOf(one.tell)) ?? []), one]);
  const open = [...groups.values()].map((group): Item => {
    const [{ tell }] = group as [(typeof group)[number]];
    const reasons = group.filter(({ because }, at) => group.findIndex((one) => one.because.text === because.text) === at);
    return {
      tone: 'plain',
      line: say('diagnosis-tell', 'To find out: {tell}', { tell }),
      evidence: [...group.map(({ what }) => what), ...reasons.map(({ because }) => because)],
    };
  });
  const known: Item[] = advisories.map(({ text, fix, source }) => ({ tone: 'risk', line: text, evidence: [fix, source] }));
  const group = (title: Line, some: Item[]): Block[] =>
    some.length === 0
      ? []
      : [
          { is: 'text', line: title },
          { is: 'items', items: some },
        ];
  return {
    name: 'diagnosis',
    title: say('diagnosis-title', 'Causes of trouble with calls'),
    blocks: [
      ...(found.length === 0
        ? [{ is: 'text', line: say('diagnosis-none', 'No cause of trouble with calls was found on this router.') } as const]
        : group(say('diagnosis-found', 'Found on this router, worst first:'), items)),
      ...group(say('diagnosis-unknown', 'Cannot be known from this router:'), open),
      ...group(say('diagnosis-security', 'Security, as known on {date}:', { date: KNOWN_ON }), known),
    ],
  };
}
