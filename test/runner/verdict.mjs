// Judges what a test file did by what it said (report.ts) and how its process ended. uvu's word is not asked.

/** @typedef {import('./report.ts').Event} Event */

/**
 * @typedef {object} Verdict
 * @property {string} file
 * @property {number} suites
 * @property {number} passed
 * @property {number} failed      at least 1 when there is a problem
 * @property {string[]} skips     what this machine cannot run, with reasons
 * @property {string[]} problems  sentences; empty when all is well
 * @property {string} output      what its process said
 * @property {number} ms
 * @property {string} [again] it was run twice: what the first run said
 */

/**
 * @param {string} file
 * @param {string} journal what was reported, one JSON line per event
 * @param {import('./process.mjs').Ended} ended
 * @returns {Verdict}
 */
export function judge(file, journal, ended) {
  const problems = [];
  /** @type {Event[]} */
  const events = [];
  for (const line of journal.split('\n').filter((each) => each !== '')) {
    try {
      events.push(JSON.parse(line));
    } catch {
      problems.push(`An event was not told to its end: ${line.slice(0, 80)}.`);
    }
  }

  const suites = new Map();
  const tests = new Map();
  const skips = [];
  for (const each of events) {
    switch (each.event) {
      case 'suite':
        suites.set(each.suite, { title: each.title, tests: 0, runs: 0 });
        break;
      case 'registered':
        tests.set(each.test, { title: each.title, state: 'registered' });
        suites.get(each.suite).tests++;
        break;
      case 'run':
        suites.get(each.suite).runs++;
        break;
      case 'started':
      case 'passed':
      case 'failed':
        tests.get(each.test).state = each.event;
        break;
      case 'hook':
        problems.push(`${each.hook} of suite '${suites.get(each.suite).title}' threw ${each.because}`);
        break;
      case 'hidden':
        problems.push(`.${each.by} hides tests: suite '${suites.get(each.suite).title}', '${each.title}'.`);
        break;
      case 'rejection':
        problems.push(`A rejection was handled by nobody: ${each.because}`);
        break;
      case 'skip':
        skips.push(each.reason);
        break;
    }
  }

  const all = [...tests.values()];
  const inState = (/** @type {string} */ state) => all.filter((each) => each.state === state);
  const passed = inState('passed').length;
  if (inState('failed').length > 0) problems.push(`${inState('failed').length} of ${all.length} tests failed.`);
  for (const { title } of inState('started')) problems.push(`'${title}' began and never ended.`);
  const idle = inState('registered');
  if (idle.length > 0) problems.push(`${idle.length} of ${all.length} tests never started, the first of them '${idle[0].title}'.`);
  if (all.length === 0 && skips.length === 0) problems.push('No test was registered.');

  // The suite without a name is there in every file, wanted or not.
  const named = [...suites.values()].filter((each) => each.title !== '' || each.tests > 0 || each.runs > 0);
  for (const { title, tests: size, runs } of named) {
    if (runs === 0) problems.push(`Suite '${title}' is never run: it lacks its .run().`);
    else if (size === 0 && skips.length === 0) problems.push(`Suite '${title}' holds no test.`);
  }

  if (ended.late) problems.push(`It did not end within its time limit and was killed after ${ended.ms} ms.`);
  else if (ended.signal !== null) problems.push(`Its process was ended by ${ended.signal}.`);
  else if (ended.code !== 0) problems.push(`Its process exited with code ${ended.code}.`);
  if (ended.leftovers.length > 0) problems.push(`It left processes running: ${ended.leftovers.join(', ')}.`);

  const failed = Math.max(all.length - passed, problems.length > 0 ? 1 : 0);
  return { file, suites: named.length, passed, failed, skips, problems, output: ended.output, ms: ended.ms };
}
