/** What `sipalg help` says. */
import { english } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say, Trouble } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { shownOption } from './command.ts';
import { folded } from './fold.ts';
import type { Command } from './command.ts';

/** A command as it is typed, in lines. */
const usageOf = ({ name, options, arguments: places = [] }: Command, before: string, width?: number): string =>
  // No option is parted from its value.
  folded(
    [before + name, ...places, ...options.map((option) => `[${shownOption(option).replace(' ', '\u00a0')}]`)].join(' '),
    width,
    before.length + 4,
  ).replaceAll('\u00a0', ' ');

/** What each command does, in a line. */
export const DOES: Readonly<Record<string, Said>> = {
  status: say('does-status', 'say whether a SIP ALG touches calls here, with evidence'),
  plan: say('does-plan', 'show every command that reaching the wish would run, and why'),
  policy: say('does-policy', 'show the voice firewall rules with their counters'),
  diagnose: say('does-diagnose', 'from a symptom to its causes on this router'),
  disable: say('does-disable', 'switch the SIP ALG off, now and for good'),
  enable: say('does-enable', 'give back what was there before'),
  apply: say('does-apply', 'make the router match /etc/config/sipalg'),
  serve: say('does-serve', 'stay: ubus object, web page, watch'),
  probe: say('does-probe', 'prove by live messages whether SIP is changed, here or on the way'),
  compare: say('does-compare', 'say what changed in SIP between two captures'),
  watch: say('does-watch', 'tell what happens to calls while it happens'),
  mirror: say('does-mirror', 'stay: answer `sipalg probe --mirror` of others'),
  report: say('does-report', 'one document for the provider: findings, what was done, captures'),
  metrics: say('does-metrics', 'print what a fleet wants to see, for Prometheus'),
  help: say('does-help', 'show this help, or that of one command'),
  version: say('does-version', 'show the version'),
};

/** A line to type for each command, with what it is for. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  status: ['sipalg status', 'sipalg status --json > router.json', 'sipalg status --from router.json'],
  plan: ['sipalg plan'],
  policy: ['sipalg policy'],
  diagnose: ['sipalg diagnose "calls drop after 32 seconds"'],
  disable: ['sipalg disable --dry-run', 'sipalg disable'],
  enable: ['sipalg enable'],
  apply: ['sipalg apply --dry-run'],
  serve: ['sipalg serve --listen 192.168.1.1:8061'],
  probe: ['sipalg probe', 'sipalg probe --phones --for 60', 'sipalg probe --provider sip.example.com'],
  compare: ['sipalg compare lan.pcap wan.pcap'],
  watch: ['sipalg watch --for 600', 'sipalg watch --hep'],
  mirror: ['sipalg mirror'],
  report: ['sipalg report -o /tmp/report.html'],
  metrics: ['sipalg metrics --file /var/prometheus/sipalg.prom'],
  help: ['sipalg help probe'],
  version: ['sipalg version'],
};

/** What `sipalg help COMMAND` says, and `sipalg COMMAND --help`. */
export async function helpOf(command: Command, put: Put = english, width?: number): Promise<string> {
  const usage = await command.usage?.(put);
  const does = DOES[command.name];
  // Options stand in a column, and what is said of them in another.
  const own = (typeof usage === 'object' ? put(usage) : usage)
    ?.split('\n')
    .map((line) => folded(line, width, /^ *-\S+(?: \S+)? +(?=\S)/.exec(line)?.[0].length))
    .join('\n');
  const about = own ?? `${usageOf(command, 'sipalg ', width)}\n${does === undefined ? '' : `\n${folded(put(does), width)}\n`}`;
  const examples = (EXAMPLES[command.name] ?? []).map((line) => `  ${line}\n`).join('');
  return examples === '' ? about : `${about}\n${put(say('help-examples', 'For example:'))}\n${examples}`;
}

/** @param named one command alone; undefined: all of them @throws Error in a sentence, where there is none of that name */
export async function helpFor(all: readonly Command[], named: string | undefined, put: Put, width?: number): Promise<string> {
  if (named === undefined) return help(all, put, width);
  const commands = all.filter(({ internal }) => internal !== true);
  const command = commands.find(({ name }) => name === named);
  if (command !== undefined) return helpOf(command, put, width);
  throw new Trouble(
    say('help-unknown', 'sipalg knows no command "{given}"; commands are {names}.', {
      given: named.slice(0, 60),
      names: commands.map(({ name }) => name).join(', '),
    }),
  );
}

export function help(all: readonly Command[], put: Put = english, width?: number): string {
  const words = (said: Said, before = ''): string => folded(before + put(said), width);
  const rows = all
    .filter(({ internal }) => internal !== true)
    .flatMap((command) => {
      const does = DOES[command.name];
      return [usageOf(command, '  ', width), ...(does === undefined ? [] : [words(does, '      ')])];
    });
  return [
    words(say('help-about', 'sipalg finds the SIP ALG of this router, switches it off for good, and gives it back as it was.')),
    '',
    words(say('help-usage', 'usage: sipalg [COMMAND]; `sipalg help COMMAND` tells more of one')),
    '',
    ...rows,
    '',
    words(say('help-from', '--from FILE judges what `--json` has saved on any router (- for standard input) and looks at nothing here.')),
    '',
    words(
      say(
        'help-exit',
        'Exit codes: 0 the ALG is off and nothing would bring it back; 1 it is on, would come back, or a wanted change is not in place; '
          + '2 trouble, unknown, or wrong usage. `enable` and `apply` answer 0 when what they are asked for is reached and verified.',
      ),
    ),
    '',
  ].join('\n');
}
