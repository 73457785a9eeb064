// A second try for files whose peers are a kernel, virtual machines or a browser, on a machine that others keep busy. It is
// never silent: what failed first is printed where it failed, and the end of the run names every file that needed it.

/** @typedef {import('./verdict.mjs').Verdict} Verdict */

/** More than so many in one run are no bad luck: something is broken, and a second try would only hide it. */
export const MOST_TRIED_AGAIN = 3;

/**
 * @param {object} task
 * @param {Verdict[]} task.failed of one layer
 * @param {number} task.left     how many files of this run may still be tried again
 * @param {(file: string) => Promise<Verdict>} task.run  runs one file again, with nothing beside it
 * @returns {Promise<Verdict[]>} one for each of them, in their order; those that were not tried again as they were
 */
export async function tryAgain({ failed, left, run }) {
  if (failed.length > left) return failed;
  const verdicts = [];
  for (const first of failed) {
    const second = await run(first.file);
    verdicts.push({ ...second, again: first.problems[0] ?? 'It failed.' });
  }
  return verdicts;
}
