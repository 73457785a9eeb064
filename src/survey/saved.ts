/** Facts that were saved on a router (`sipalg status --json`) and are judged elsewhere: nothing of the machine at hand is looked at. */
import type { Reading } from '../host/host.ts';
import type { Report, RouterFacts, Surveyor } from './survey.ts';

/** Bytes a saved document may have: ten thousand networks and a day of attempts are 4 MB. */
export const MOST_SAVED = 64 << 20;

const SAVE = 'save one with `sipalg status --json > FILE` on the router';

/** What facts are made of, by path from the top: `reading`, a list of readings, an object, a number. */
const SHAPE: readonly (readonly [path: string, kind: 'reading' | 'readings' | 'object' | 'number'])[] = [
  ['at', 'number'],
  ['uid', 'number'],
  ...[
    'system.release',
    'system.kernel',
    'system.packageManager',
    'system.firewall',
    'modules.tracker',
    'modules.rewriter',
    'modules.inImage',
    'boot.autoload',
    'boot.blacklist',
    'boot.loader',
    'boot.automatic',
    'automatic',
    'nft',
    'firewall.uci',
    'firewall.definitions',
    'firewall.includes',
    'flows',
    'expectations',
    'drops',
    'timeouts.udp',
    'timeouts.udpStream',
    'wan',
    'wish.text',
    'journal',
    'policy',
  ].map((path) => [path, 'reading'] as const),
  ['iptables', 'readings'],
  ['wish.wish', 'object'],
  ['wish.problems', 'object'],
  ['edited', 'object'],
];

const isObject = (data: unknown): data is Record<string, unknown> => typeof data === 'object' && data !== null;

function isReading(data: unknown): boolean {
  if (!isObject(data) || typeof data['source'] !== 'string') return false;
  const { state } = data;
  return (
    state === 'absent'
    || (state === 'present' && data['value'] !== undefined)
    || (state === 'failed' && typeof data['because'] === 'string')
  );
}

const FITS: Record<(typeof SHAPE)[number][1], (data: unknown) => boolean> = {
  reading: isReading,
  readings: (data) => Array.isArray(data) && data.every(isReading),
  object: isObject,
  number: (data) => typeof data === 'number' && Number.isFinite(data),
};

/** The first path of facts that is missing or not what it should be; null where all are there. */
function lacking(facts: Record<string, unknown>): string | null {
  const [path] =
    SHAPE.find(([path, kind]) => !FITS[kind](path.split('.').reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), facts)))
    ?? [];
  return path ?? null;
}

/** Facts keep their shape within a minor version (0.1.x). */
const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

/**
 * @param text what was read of the document: a report as `--json` prints it, or its `facts` alone
 * @param name what it is called in a sentence
 * @param version of this program
 * @throws Error in a sentence
 */
export function savedFacts(text: Reading<string>, name: string, version: string): RouterFacts {
  if (text.state === 'absent') throw new Error(`There is no ${name}; ${SAVE}.`);
  if (text.state === 'failed') throw new Error(`${name} could not be read: ${text.because}.`);
  if (text.value.trim() === '') throw new Error(`${name} is empty; ${SAVE}.`);
  let data: unknown;
  try {
    data = JSON.parse(text.value);
  } catch {
    const cut = text.value.trimStart().startsWith('{') && !text.value.trimEnd().endsWith('}');
    throw new Error(
      cut
        ? `${name} ends in the middle of the document, after ${text.value.length} characters: it was cut. Save it again, whole.`
        : `${name} is not JSON: it begins with ${JSON.stringify(text.value.trimStart().slice(0, 40))}; ${SAVE}.`,
    );
  }
  const document = isObject(data) ? data : {};
  const isReport = document['facts'] !== undefined;
  const facts = isReport ? document['facts'] : document;
  if (isReport && typeof document['version'] === 'string' && minor(document['version']) !== minor(version)) {
    throw new Error(
      `${name} was saved by sipalg ${document['version'].slice(0, 20)}, and this is ${version}: facts of another version are not judged. `
        + `Save the document with sipalg ${minor(version)}, or judge it with sipalg ${minor(document['version']).slice(0, 20)}.`,
    );
  }
  if (facts === null) throw new Error(`${name} holds a reply without facts: sipalg was still looking when it was saved. Save it again.`);
  const missing = isObject(facts) ? lacking(facts) : null;
  if (!isObject(facts) || missing === 'at')
    throw new Error(`${name} is JSON, but no document of sipalg: it has neither \`facts\` nor what they hold; ${SAVE}.`);
  if (missing !== null)
    throw new Error(
      `${name}: the facts lack "${missing}", or hold something else there; was the document shortened or edited? To judge it, ${SAVE}.`,
    );
  return facts as unknown as RouterFacts;
}

/** @throws Error in a sentence where facts of the right outer shape turn out not to be whole */
export async function savedReport(surveyor: Surveyor, facts: RouterFacts, name: string): Promise<Report> {
  try {
    return await surveyor.report(facts);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error(
      `${name}: the facts are not whole, and cannot be judged (${error.message}); was the document edited? To judge it, ${SAVE}.`,
    );
  }
}
