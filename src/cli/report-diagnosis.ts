/** Causes that were found, as a section of the document for the provider. */
import { diagnose } from '../diagnose/diagnose.ts';
import { KNOWN_ON } from '../diagnose/advisories.ts';
import { readAsked } from '../diagnose/symptoms.ts';
import type { Block, Item, Section } from '../report/document.ts';
import type { Report } from '../survey/survey.ts';
import { say } from '../words/say.ts';
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
  const open: Item[] = unknown.map(({ what, because, tell }) => ({
    tone: 'plain',
    line: what,
    evidence: [because, say('diagnosis-tell', 'To find out: {tell}', { tell })],
  }));
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
