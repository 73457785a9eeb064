// What a person reads of a run.

/** @typedef {import('./verdict.mjs').Verdict} Verdict */

/**
 * One line for a file; under it, for one that failed, what is wrong and what its process said.
 * @param {Verdict} verdict
 * @param {{ skipFails: boolean }} options
 */
export function line({ file, suites, passed, failed, skips, problems, output, ms }, { skipFails }) {
  const bad = failed > 0 || (skipFails && skips.length > 0);
  const word = bad ? 'FAIL' : passed === 0 && skips.length > 0 ? 'skip' : 'ok  ';
  const counts = [
    suites > 0 ? `${suites} suite${suites === 1 ? '' : 's'}` : '',
    passed + failed > 0 ? `${passed} of ${passed + failed}` : '',
    skips.length > 0 ? `${skips.length} skipped` : '',
  ]
    .filter((each) => each !== '')
    .join(', ');
  const head = `${word}  ${file.padEnd(44)} ${counts.padEnd(26)} ${String(ms).padStart(6)} ms`;
  if (failed === 0) return head;
  return [head, ...problems.map((each) => `      ${each}`), indent(output)].filter((each) => each !== '').join('\n');
}

/** @param {string} text */
const indent = (text) =>
  text.trim() === ''
    ? ''
    : text
        .trimEnd()
        .split('\n')
        .map((each) => `    | ${each}`)
        .join('\n');

/**
 * The end of a run: the files that failed once more, those that needed a second try, the skips with their reasons, and the last line.
 * @param {Verdict[]} verdicts
 * @param {{ skipFails: boolean }} options a skip is a failure
 */
export function summary(verdicts, { skipFails }) {
  const lines = [''];
  const sum = (/** @type {(verdict: Verdict) => number} */ of) => verdicts.reduce((total, each) => total + of(each), 0);
  for (const { file, problems } of verdicts.filter((each) => each.failed > 0)) lines.push(`failed: ${file}: ${problems[0]}`);
  for (const { file, again } of verdicts.filter((each) => each.again !== undefined)) lines.push(`second try: ${file}: first it said: ${again}`);
  for (const { file, skips } of verdicts) for (const reason of skips) lines.push(`skipped: ${file}: ${reason}`);
  const skips = sum((each) => each.skips.length);
  const failed = sum((each) => each.failed) + (skipFails ? skips : 0);
  if (skipFails && skips > 0) lines.push('CI=true: a skip is a failure here.');
  lines.push('', `${sum((each) => each.passed)} passed, ${failed} failed${skips > 0 ? `, ${skips} skipped` : ''}`);
  return { text: lines.join('\n'), failed: failed > 0 };
}

/** How long each layer took, without what was installed for it. @param {ReadonlyMap<string, number>} durations seconds by layer */
export const spent = (durations) => `took: ${[...durations].map(([name, seconds]) => `${name} ${seconds.toFixed(0)} s`).join(', ')}`;

const SLOWEST = 10;

/**
 * The files that took longest, where there are more than are listed: whoever looks for time begins there.
 * @param {readonly Verdict[]} verdicts
 * @returns {string[]} lines
 */
export function slowest(verdicts) {
  if (verdicts.length <= SLOWEST) return [];
  const all = [...verdicts].sort((one, other) => other.ms - one.ms).slice(0, SLOWEST);
  return ['slowest:', ...all.map(({ file, ms }) => `${(ms / 1000).toFixed(0).padStart(6)} s  ${file}`)];
}
