/**
 * Facts that were saved on a router (`sipalg status --json`) and are judged somewhere else. Nothing of the machine at hand is
 * looked at.
 */
import type { Reading } from '../host/host.ts';
import { Refused } from '../languages/refused.ts';
import { say, Trouble } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { FACTS } from './facts-shape.ts';
import type { Outcome, Report, RouterFacts, Surveyor } from './survey.ts';

/** Bytes a saved document may have: ten thousand networks and a day of attempts are 4 MB. */
export const MOST_SAVED = 64 << 20;

const SAVE = say('saved-save', 'save one with `sipalg status --json > FILE` on the router');

const isObject = (data: unknown): data is Record<string, unknown> => typeof data === 'object' && data !== null && !Array.isArray(data);

/** Facts that were saved, and what the document says of them; null where it holds the facts alone. */
export interface Saved {
  facts: RouterFacts;
  said: { verdict: unknown; plan: unknown } | null;
}

/** Facts keep their shape within a minor version (0.1.x). */
const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

/**
 * @param text what was read of the document: a report as `--json` prints it, or its `facts` alone
 * @param name what it is called in a sentence
 * @param version of this program
 * @param found sees the document as soon as it is known to be JSON
 * @throws Error in a sentence
 */
export function savedFacts(text: Reading<string>, name: string, version: string, found?: (document: unknown) => void): Saved {
  if (text.state === 'absent') throw new Trouble(say('saved-none', 'There is no {name}; {save}.', { name, save: SAVE }));
  if (text.state === 'failed')
    throw new Trouble(say('saved-unread', '{name} could not be read: {because}.', { name, because: text.because }));
  if (text.value.trim() === '') throw new Trouble(say('saved-empty', '{name} is empty; {save}.', { name, save: SAVE }));
  let data: unknown;
  try {
    data = JSON.parse(text.value);
  } catch {
    // More is opened than closed, strings aside, of which the last may be open too.
    const rest = text.value.replace(/"(?:[^"\\]|\\.)*"?/gs, '');
    const cut = rest.trimStart().startsWith('{') && rest.replace(/[^{[]/g, '').length > rest.replace(/[^}\]]/g, '').length;
    throw new Trouble(
      cut
        ? say('saved-cut', '{name} ends in the middle of the document, after {length} characters: it was cut. Save it again, whole.', {
            name,
            length: text.value.length,
          })
        : say('saved-no-json', '{name} is not JSON: it begins with {beginning}; {save}.', {
            name,
            beginning: JSON.stringify(text.value.trimStart().slice(0, 40)),
            save: SAVE,
          }),
    );
  }
  found?.(data);
  const document = isObject(data) ? data : {};
  const isReport = document['facts'] !== undefined;
  const facts = isReport ? document['facts'] : document;
  const by = document['version'];
  if (isReport && typeof by === 'string' && minor(by) !== minor(version)) {
    throw new Trouble(
      say(
        'saved-version',
        '{name} was saved by sipalg {by}, and this is {version}: facts of another version are not judged. '
          + 'Save the document with sipalg {own}, or judge it with sipalg {other}.',
        { name, by: by.slice(0, 20), version, own: minor(version), other: minor(by).slice(0, 20) },
      ),
    );
  }
  if (isReport && typeof by !== 'string')
    throw new Trouble(
      say('saved-no-version', '{name} does not say which version of sipalg saved it; was it edited? To judge it, {save}.', {
        name,
        save: SAVE,
      }),
    );
  if (facts === null)
    throw new Trouble(
      say('saved-no-facts', '{name} holds a reply without facts: sipalg was still looking when it was saved. Save it again.', { name }),
    );
  if (!isObject(facts) || facts['at'] === undefined)
    throw new Trouble(
      say('saved-foreign', '{name} is JSON, but no document of sipalg: it has neither `facts` nor what they hold; {save}.', {
        name,
        save: SAVE,
      }),
    );
  if (document['shortened'] !== undefined)
    throw new Trouble(
      say(
        'saved-shortened',
        '{name} is a reply that ubus had to shorten: its facts are not whole, and cannot be judged. To judge them, {save}.',
        { name, save: SAVE },
      ),
    );
  const lacking = FACTS(facts, '');
  if (lacking !== null)
    throw new Trouble(
      say(
        'saved-lacking',
        '{name}: the facts lack "{lacking}", or hold something else there; was the document shortened or edited? To judge it, {save}.',
        { name, lacking, save: SAVE },
      ),
    );
  const { verdict, plan } = document;
  // Another version may judge the same facts in another way.
  const said = isReport && by === version && verdict !== undefined && plan !== undefined ? { verdict, plan } : null;
  return { facts: facts as unknown as RouterFacts, said };
}

/** The same text for the same value, in whatever order its fields stand. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1))) : inner,
  );
}

/** What was made of saved facts; where that failed, a sentence. */
async function judged<T>(making: Promise<T>, name: string): Promise<T> {
  try {
    return await making;
  } catch (error) {
    // Texts that the program itself never writes are refused by their language; all else was found out by its shape.
    if (!(error instanceof Refused || error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new Trouble(
      say('saved-unjudged', '{name}: the facts cannot be judged: {because}. Was the document edited? To judge it, {save}.', {
        name,
        because: error.message,
        save: SAVE,
      }),
    );
  }
}

const edited = (name: string, what: Said): Trouble =>
  new Trouble(
    say(
      'saved-edited',
      '{name}: its facts do not lead to the {what} that it holds; was it edited? Save one with `sipalg status --json > FILE` on the '
        + 'router, or give its `facts` alone to judge them as they are.',
      { name, what },
    ),
  );

/** Mostly both were written by one program, in one order. */
const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other) || canonical(one) === canonical(other);

/**
 * The report on saved facts, made here.
 * @throws Error in a sentence where they cannot be judged, or the document says something else of them
 */
export async function savedReport(surveyor: Surveyor, { facts, said }: Saved, name: string): Promise<Report> {
  const report = await judged(surveyor.report(facts), name);
  if (said !== null && !isSame(said, { verdict: report.verdict, plan: report.plan }))
    throw edited(name, say('saved-verdict-and-plan', 'verdict and the plan'));
  return report;
}

/**
 * The verdict and the exit code alone, for very many documents: of what a document says of its facts only the verdict is compared.
 * @throws Error as `savedReport`
 */
export async function savedOutcome(surveyor: Surveyor, { facts, said }: Saved, name: string): Promise<Outcome> {
  const outcome = await judged(surveyor.outcome(facts), name);
  if (said !== null && !isSame(said.verdict, outcome.verdict)) throw edited(name, say('saved-verdict', 'verdict'));
  return outcome;
}
