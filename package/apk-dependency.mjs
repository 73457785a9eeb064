// Names, versions and dependencies as apk-tools 3 takes them (doc/apk-package.5.scd, src/version.c there).

const NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]*$/;
const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];
const VERSION = /^\d+(?:\.\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(?:~[0-9a-f]+)?(?:-r\d+)?$/;
const PARTS = new RegExp(
  [
    '(?<digits>^\\d+)',
    '\\.(?<more>\\d+)',
    '(?<letter>(?<=\\d)[a-z])',
    '_(?<suffix>[a-z]+)',
    '(?<=_[a-z]+)(?<count>\\d+)',
    '~(?<commit>[0-9a-f]+)',
    '-r(?<revision>\\d+)',
  ].join('|'),
  'g',
);

/** @param {string} name @returns {string} the same; throws where apk would refuse it */
export function checkedName(name) {
  if (!NAME.test(name)) {
    throw new Error(`"${name}" is no name of a package: letters, digits, +, -, . and _ make one, and it begins with a letter or digit.`);
  }
  return name;
}

/** @param {string} version @returns {string} the same; throws where apk would refuse it */
export function checkedVersion(version) {
  if (!VERSION.test(version)) {
    throw new Error(
      `"${version}" is no version that apk takes: 1.2.3, and behind it, in this order and each where there is one,`
        + " a letter, _rc1 or the like, ~ and a commit's hexadecimal digits, -r1.",
    );
  }
  return version;
}

/** The parts of a version that count. @param {string} version */
const partsOf = (version) =>
  [...checkedVersion(version).matchAll(PARTS)].flatMap(({ groups = {} }) =>
    Object.entries(groups).flatMap(([kind, text]) => (text === undefined ? [] : [{ kind, text }])),
  );

const RANK = ['digits', 'more', 'letter', 'suffix', 'count', 'commit', 'revision'];

/** @param {{ kind: string, text: string }} one @param {{ kind: string, text: string }} other of the same kind */
function comparedPart({ kind, text: one }, { text: other }) {
  if (kind === 'suffix') return SUFFIXES.indexOf(one) - SUFFIXES.indexOf(other);
  // With a zero before it, a part of a version is text, as Gentoo has it.
  const numeric = kind === 'digits' || kind === 'count' || kind === 'revision' || (kind === 'more' && one[0] !== '0' && other[0] !== '0');
  if (!numeric) return one < other ? -1 : one > other ? 1 : 0;
  const [left, right] = [BigInt(one), BigInt(other)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * The order of two versions, as apk has it and not opkg: 1.0_rc1 < 1.0 < 1.0_p1, 1.0 < 1.0-r1 < 1.0.1.
 * @param {string} one @param {string} other @returns {number} below 0 where `one` is older, above where it is newer
 */
export function compareVersions(one, other) {
  const [left, right] = [partsOf(one), partsOf(other)];
  const early = (/** @type {typeof left[number] | undefined} */ part) =>
    part?.kind === 'suffix' && SUFFIXES.indexOf(part.text) < SUFFIXES.indexOf('');
  for (let at = 0; ; at++) {
    const [a, b] = [left[at], right[at]];
    if (a === undefined && b === undefined) return 0;
    if (a !== undefined && b !== undefined && a.kind === b.kind) {
      const found = comparedPart(a, b);
      if (found !== 0) return found;
      continue;
    }
    if (early(a)) return -1;
    if (early(b)) return 1;
    const rank = (/** @type {typeof a} */ part) => (part === undefined ? RANK.length : RANK.indexOf(part.kind));
    return rank(b) - rank(a);
  }
}

/**
 * `version` undefined: any. `match`: what the version found may be, as a sum of 1 the same, 2 less, 4 greater, 8 as far as it
 * goes, 16 not.
 * @typedef {{ name: string, version?: string, match: number }} Dependency
 */

/** @type {Record<string, number>} */
const OPERATORS = { '=': 1, '<': 2, '<=': 3, '>': 4, '>=': 5, '~': 9, '<~': 11, '>~': 13 };
const ANY = 7;
const NOT = 16;

/**
 * `name`, `name>=1.2`, `!name`: one dependency, or one thing a package provides.
 *
 * A package of OpenWrt with an ABI version (`libfoo` as libfoo2024) provides its plain name without a version, so no
 * dependency with a version on that name is ever met: ask for it by the name alone.
 * @param {string} word @returns {Dependency}
 */
export function parseDependency(word) {
  const [, not, name = '', operator, version] = /^(!?)([^!<>=~\s]+)(?:([<>=~]+)([^<>=~\s][^<>=\s]*))?$/.exec(word) ?? [];
  if (word.includes(',')) {
    throw new Error(`The dependency "${word}" holds a comma, which apk takes for a part of the name. Give each one as a word of its own.`);
  }
  const operators = Object.keys(OPERATORS).join(' ');
  if (!/^[A-Za-z0-9+._:/[\]-]+$/.test(name)) {
    throw new Error(`"${word}" is no dependency: a name is, with ! before it, or with one of ${operators} and a version behind it.`);
  }
  const match = operator === undefined ? ANY : OPERATORS[operator];
  if (match === undefined) throw new Error(`The dependency "${word}" compares by "${operator}"; allowed are ${operators}.`);
  return { name, ...(version === undefined ? {} : { version: checkedVersion(version) }), match: match + (not === '!' ? NOT : 0) };
}

/** @param {Dependency} dependency @returns {string} the word for it */
export function dependencyWord({ name, version, match }) {
  const operator = Object.keys(OPERATORS).find((one) => OPERATORS[one] === match % NOT);
  if (version === undefined ? match % NOT !== ANY : operator === undefined) {
    throw new Error(`The dependency on "${name}" compares by ${match}, which no word says.`);
  }
  return `${match >= NOT ? '!' : ''}${name}${version === undefined ? '' : `${operator}${version}`}`;
}

/**
 * Reads a list, and refuses one whose order apk itself would leave to chance.
 * @param {readonly string[]} list @returns {Dependency[]} in the order given
 */
export function parseDependencies(list) {
  const all = list.map(parseDependency);
  all.forEach((one, at) => {
    const twin = all.slice(0, at).find((other) => other.name === one.name && compareDependencies(one, other) === 0);
    if (twin !== undefined && dependencyWord(twin) !== dependencyWord(one)) {
      throw new Error(`"${dependencyWord(twin)}" and "${dependencyWord(one)}" ask for the same in two ways. Leave one of the two out.`);
    }
  });
  return all;
}

/**
 * The order of a list: by the bytes of the name, then version, then match.
 * @param {Dependency} one @param {Dependency} other @returns {number}
 */
export function compareDependencies(one, other) {
  const names = Buffer.compare(Buffer.from(one.name), Buffer.from(other.name));
  if (names !== 0) return names;
  // Any version is as old as any other.
  if ((one.version === undefined) !== (other.version === undefined)) return 0;
  const versions = one.version === undefined || other.version === undefined ? 0 : compareVersions(one.version, other.version);
  return versions !== 0 ? versions : one.match - other.match;
}
