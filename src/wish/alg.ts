/**
 * What its owner wishes of this router: /etc/config/sipalg.
 *
 * Read here: `option alg` and `option policy` of the section of type `sipalg` (the one named
 * `main`, else the first). The section `serve` is the daemon's (serve.ts); `timeouts`, `marking`, `limit` and
 * `provider` are the policy's (policy/wish.ts).
 */

import { Refused, quote } from '../languages/refused.ts';
import { addSection, setOption } from '../languages/uci/edit.ts';
import { describeSection, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciPackage, UciSection } from '../languages/uci/parse.ts';

/** unmanaged: look, never touch; disabled: keep the SIP ALG off; enabled: give back what was there before. */
export type AlgWish = 'unmanaged' | 'disabled' | 'enabled';

export interface Wish {
  alg: AlgWish;
  /** Whether the voice firewall rules are wanted; null where that can not be told, and they are left as they are. */
  policy: boolean | null;
}

/** Something in the configuration that is not in force, and what is wrong with it. */
export interface Problem {
  /** As uci names it, sipalg.main; `sipalg` where the whole file is meant. */
  section: string;
  /** '' where the whole section or file is meant. */
  option: string;
  /** What stands there. */
  given: string;
  /** What may stand there. */
  allowed: string;
  /** All of it as a sentence. */
  text: string;
}

const TYPE = 'sipalg';
const NAME = 'main';
const WISHES: readonly AlgWish[] = ['unmanaged', 'disabled', 'enabled'];
const ALLOWED = 'unmanaged, disabled or enabled';
const OPTIONS: readonly string[] = ['alg', 'policy'];

/**
 * Reads the wish.
 * @param text the file; null when there is none, which is as good as the one a package installs
 * @returns the wish in force, `unmanaged` where none is or a bad one was given, and what is wrong with the file
 */
export function readWish(text: string | null): { wish: Wish; problems: Problem[] } {
  const wish: Wish = { alg: 'unmanaged', policy: false };
  if (text === null) return { wish, problems: [] };
  let pkg: UciPackage;
  try {
    pkg = parseUci(text);
  } catch (error) {
    if (error instanceof Refused) return { wish: { ...wish, policy: null }, problems: [unreadable(text, error)] };
    throw error;
  }
  const main = mainSection(pkg);
  const problems = pkg.sections.filter((section) => section !== main).flatMap(straySection);
  if (main === undefined) return { wish, problems };
  for (const option of new Set(main.options.map(({ name }) => name))) {
    if (!OPTIONS.includes(option)) problems.push(unknownOption(main, option));
  }
  const given = givenFor(main, 'alg');
  const alg = WISHES.find((one) => one === given);
  if (alg !== undefined) wish.alg = alg;
  else if (given !== null) problems.push(badAlg(main, given));
  const policy = givenFor(main, 'policy');
  const wanted = policy === null ? false : booleanOf(policy);
  wish.policy = wanted ?? null;
  if (wanted === undefined) problems.push(badPolicy(main, policy as string));
  return { wish, problems };
}

/**
 * The file with another wish in it, everything else as it was; a file of that wish alone where there is none.
 * @throws Refused when the file is no UCI file or has another use for the name `main`
 */
export function writeWish(text: string | null, alg: AlgWish): string {
  const pkg = parseUci(text ?? '');
  const main = mainSection(pkg);
  if (main !== undefined) return setOption(pkg, main, 'alg', alg);
  return addSection(pkg, TYPE, NAME, [{ kind: 'option', name: 'alg', value: alg }]);
}

function mainSection(pkg: UciPackage): UciSection | undefined {
  const sections = pkg.sections.filter((section) => section.type === TYPE);
  return sections.find((section) => section.name === NAME) ?? sections[0];
}

/** What is given for an option, good or bad; null when nothing is. */
function givenFor(section: UciSection, option: string): string | null {
  const setting = settingsOf(section).get(option);
  if (setting === undefined) return section.options.some(({ name }) => name === option) ? '' : null;
  return setting.kind === 'option' ? (setting.values[0] ?? '') : `list ${setting.values.join(' ')}`;
}

function badPolicy(section: UciSection, given: string): Problem {
  const where = describeSection(section, 'sipalg');
  return {
    section: where,
    option: 'policy',
    given,
    allowed: '1 or 0',
    text: `${where}: the option policy is ${quote(given)}; it may be 1 or 0. Until it is, the voice firewall rules are left as they are.`,
  };
}

function badAlg(section: UciSection, given: string): Problem {
  const where = describeSection(section, 'sipalg');
  const text = `${where}: the option alg is ${quote(given)}; it may be ${ALLOWED}. ` + 'Until it is, the ALG is left as it is (unmanaged).';
  return { section: where, option: 'alg', given, allowed: ALLOWED, text };
}

function unknownOption(section: UciSection, option: string): Problem {
  const where = describeSection(section, 'sipalg');
  const given = settingsOf(section).get(option)?.values.join(' ') ?? '';
  const allowed = OPTIONS.join(' or ');
  const text = `${where}: there is no option ${quote(option)}, set here to ${quote(given)}; the options are ${allowed}.`;
  return { section: where, option, given, allowed, text };
}

/** Sections beside the main one that look like it: what they say would be silently passed over. */
function straySection(section: UciSection): Problem[] {
  const where = describeSection(section, 'sipalg');
  if (section.type === TYPE) {
    const given = givenFor(section, 'alg');
    const allowed = 'one section of type sipalg';
    const text = `${where}: a second section of type sipalg (line ${section.line}) is not read; set alg in the first one.`;
    return given === null ? [] : [{ section: where, option: 'alg', given, allowed, text }];
  }
  if (section.name !== NAME) return [];
  const text =
    `${where}: the section main is of type ${quote(section.type)}, so nothing in it is read; it must be of type sipalg `
    + `(config sipalg 'main').`;
  return [{ section: where, option: '', given: section.type, allowed: TYPE, text }];
}

function unreadable(text: string, { line, message }: Refused): Problem {
  const given = text.split('\n')[line - 1]?.trim().slice(0, 80) ?? '';
  const sentence =
    `/etc/config/sipalg, line ${line}: ${message}. Nothing in the file is in force until that is put right; `
    + 'the ALG is left as it is (unmanaged).';
  return { section: 'sipalg', option: '', given, allowed: 'a UCI file', text: sentence };
}

/** As OpenWrt's own scripts read a boolean (lib/functions.sh, get_bool); undefined for anything else. */
export function booleanOf(given: string): boolean | undefined {
  return Object.hasOwn(BOOLEANS, given) ? BOOLEANS[given] : undefined;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  1: true,
  on: true,
  true: true,
  yes: true,
  enabled: true,
  0: false,
  off: false,
  false: false,
  no: false,
  disabled: false,
};
