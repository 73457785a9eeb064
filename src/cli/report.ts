/** `report`: one document for the second line of a provider. */
import { bounded, bytesOf, FIRST, half } from '../report/bounded.ts';
import type { Most } from '../report/bounded.ts';
import { documentOf } from '../report/document.ts';
import type { Input, Section } from '../report/document.ts';
import type { ProbeDocument } from '../report/probe.ts';
import { dateOf } from '../report/router.ts';
import { redacting } from '../report/redact.ts';
import type { Comparison } from '../compare/comparison.ts';
import type { ExitCode, Report } from '../survey/survey.ts';
import { observeCalls } from '../survey/calls.ts';
import { exitCode } from '../survey/survey.ts';
import { putLine } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say, Trouble } from '../words/say.ts';
import type { Line } from '../words/say.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { reportFrom } from './elsewhere.ts';
import { factsNow } from './look.ts';
import { page } from './report-html.ts';
import { markdown } from './report-markdown.ts';

export const usage = (put: Put): string =>
  `${put(
    say(
      'report-usage',
      'usage: sipalg report [--html|--markdown] [-o FILE] [--from FILE]\n'
        + '                     [--compare LAN [WAN]] [--probe FILE] [--unredacted]\n'
        + '\n'
        + 'Writes one document for the support of your provider: the verdict and what it\n'
        + 'rests on, what was done and when, timeouts against intervals, the voice\n'
        + 'firewall rules and what they counted, the router and versions. Nothing is\n'
        + 'changed, and nothing is sent.\n'
        + '\n'
        + '  sipalg report -o /tmp/report.html\n'
        + '  sipalg report --compare lan.pcap wan.pcap -o /tmp/report.html\n'
        + '\n'
        + '--html        one page that needs nothing beside it; so it is where FILE ends in .html\n'
        + '--markdown    text; so it is without a FILE\n'
        + '-o FILE       writes it there instead of printing it\n'
        + '--from FILE   of a document that `sipalg diagnose --json` (or status) has saved, on any router\n'
        + "--compare     two captures, of the phone's side and beyond the router, or one of both\n"
        + '--probe FILE  what `sipalg probe --json` has printed\n'
        + '--unredacted  numbers, names and addresses of others stay in it\n'
        + '\n'
        + 'Passwords, answers to challenges and keys are never in it. The same facts give\n'
        + 'the same document. Exit codes are those of `sipalg status`.',
    ),
  )}\n`;

/** Bytes a document may have: mail servers and tickets take that everywhere. */
const MOST_BYTES = 290_000;

/** @throws Error in a sentence */
async function comparisonFor(given: Given, doors: Doors, terminal: Terminal): Promise<Comparison | null> {
  const names = [given.get('--compare'), given.get('[WAN]')].filter((name) => name !== undefined);
  if (given.get('--compare') === undefined) {
    if (names.length > 0)
      throw new Trouble(
        say('report-no-compare', '"{given}" is not understood; captures are given as --compare LAN WAN.', {
          given: (names[0] ?? '').slice(0, 60),
        }),
      );
    return null;
  }
  if (doors.streaming === undefined) throw new Trouble(say('report-no-captures', 'this build cannot read captures.'));
  return (await import('./compare.ts')).comparisonOf(names, doors, await doors.streaming(), terminal);
}

async function probeFor(given: Given, { host }: Doors): Promise<ProbeDocument | null> {
  const name = given.get('--probe');
  if (name === undefined) return null;
  const text = await host.read(name, { most: 4 << 20 });
  if (text.state === 'absent') throw new Trouble(say('report-no-file', 'there is no file {name}.', { name }));
  if (text.state === 'failed')
    throw new Trouble(say('report-unread-file', '{name} could not be read: {because}.', { name, because: text.because }));
  return (await import('../report/probe.ts')).probeOf(text.value, name);
}

/** How a document is to be. */
export interface Manner {
  html: boolean;
  /** Only what is secret is taken out. */
  whole: boolean;
}

/** The document as text. Pure. */
export function reportText(input: Input, { html, whole }: Manner, put: Put): string {
  const { version, facts } = input.report;
  const title = put(say('report-title', 'Report on the SIP ALG of a router'));
  const values = { version, date: dateOf(facts.at) };
  const about = put(
    whole
      ? say(
          'report-about-whole',
          'Made by sipalg {version} from what was seen of the router at {date}. Passwords and keys are taken out.',
          values,
        )
      : say(
          'report-about',
          'Made by sipalg {version} from what was seen of the router at {date}. Passwords, keys, numbers and names of people and public '
            + 'addresses of others are taken out; the same name always stands for the same one.',
          values,
        ),
  );
  const comparison = input.comparison === null ? null : redacting(facts, whole).comparison(input.comparison);
  const all = documentOf({ ...input, comparison });
  const written = (most: Most): string => {
    // Names are given anew, so that the same document comes out however often it is written: those of the comparison first.
    const redact = redacting(facts, whole);
    const write = (line: Line): string => {
      const whole = redact.text(putLine(put, line));
      const over = whole.length - most.letters;
      const more = (): string => put(say('report-line-cut', '... ({letters} more characters are left out here)', { letters: over }));
      // No half of a character beyond U+FFFF.
      return over > 0 ? `${whole.slice(0, most.letters).replace(/[\ud800-\udbff]$/, '')} ${more()}` : whole;
    };
    if (input.comparison !== null) redact.comparison(input.comparison);
    const sections = bounded(all, most);
    return html
      ? page(
          { title, about, contents: put(say('report-contents', 'Contents')), language: put(say('language', 'en')) },
          sections,
          write,
          put,
        )
      : markdown(title, about, sections, write, put);
  };
  let text = written(FIRST);
  for (let most = half(FIRST); most !== null && bytesOf(text) > MOST_BYTES; most = half(most)) text = written(most);
  return text;
}

/** Causes that were found, where the facts hold what it takes to find them. */
async function moreSections(report: Report): Promise<Section[]> {
  if (report.facts.calls === undefined) return [];
  const section = (await import('./report-diagnosis.ts')).diagnosisSection(report);
  return section === null ? [] : [section];
}

/** @throws Error in a sentence */
export async function report(doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  if (given.has('--html') && given.has('--markdown'))
    throw new Trouble(say('report-twice', '`sipalg report` was given both --html and --markdown; it writes one document.'));
  const from = given.get('--from');
  const [comparison, probe] = [await comparisonFor(given, doors, terminal), await probeFor(given, doors)];
  const made =
    from === undefined
      ? await doors.surveyor.report(await observeCalls(doors.host, (also) => factsNow(doors, also), null))
      : await reportFrom(doors, from, null, terminal);
  const file = given.get('-o');
  const html = given.has('--html') || (!given.has('--markdown') && /\.html?$/i.test(file ?? ''));
  const input: Input = { report: made, comparison, probe, more: await moreSections(made) };
  const text = reportText(input, { html, whole: given.has('--unredacted') }, terminal.put);
  if (file === undefined) terminal.out(text);
  else await doors.host.write(file.includes('/') ? file : `./${file}`, text);
  return exitCode(made);
}
