/** `probe`: what this router does to a call, by live packets. */
import { noteProbe } from '../probe/last.ts';
import type { ProbeReport } from '../probe/probe.ts';
import type { ExitCode } from '../survey/survey.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { published } from '../words/published.ts';
import { say, Trouble } from '../words/say.ts';

export const USAGE = say(
  'usage-probe',
  `usage: sipalg probe [--lan DEVICE] [--json]
       sipalg probe --phones [--for SECONDS] [--json]
       sipalg probe --provider HOST[:PORT] [--silence SECONDS] [--json]
       sipalg probe --mirror HOST[:PORT] [--json]

Alone it sends messages of SIP through this router as a phone in its LAN would,
to an address that nobody has, and compares byte for byte what comes out towards
the internet; answers go back the same way. Nothing leaves the router: what comes
out is recorded and dropped there, and all that was made for it is taken away.
It takes about a second, needs root, nft, and of OpenWrt 24.10 or later
kmod-nft-netdev and kmod-veth.

--lan       the device of the network to test, where it is not the LAN: br-guest
--phones    sends nothing: what your own phones send and get over UDP and TCP by
            the ports of SIP is recorded at both sides of the router, for --for
            SECONDS (300) or until Ctrl-C, and compared as \`sipalg compare\` does
--provider  asks your own provider's server (OPTIONS over UDP, TCP and TLS; about
            ten messages), and says what its answers prove of an ALG on the way,
            by which transports it is reached, whether the source port is kept,
            and whether long messages arrive
--silence   with it: how long the way back stays open while nothing is said, tried
            after so many seconds each, such as 30,60,120,300
--mirror    sends what phones send to a host that runs \`sipalg mirror\`, and says
            field by field what of it was changed on the way there and back
--json      everything, for programs

--provider and --mirror also run on any computer behind any router, without root.
Nothing is sent to anybody but that host and the name servers.

Exit codes: 0 nothing was changed or lost; 1 something was; 2 it could not be
told, or trouble.
`,
);

/** The kinds of probe by the option that asks for them, and what else goes with each; '' is the probe of this router. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  '': ['--lan'],
  '--phones': ['--for'],
  '--provider': ['--silence'],
  '--mirror': [],
};

/** @throws Error in a sentence, where two kinds are asked for, or an option that goes with another */
function kindOf(given: Given): string {
  const asked = Object.keys(KINDS).filter((kind) => given.has(kind));
  const [kind = '', second] = asked;
  if (second !== undefined)
    throw new Trouble(
      say('probe-both', '`sipalg probe` was given both {one} and {other}; run it once for each.', { one: kind, other: second }),
    );
  const [lost] = Object.entries(KINDS).flatMap(([other, options]) =>
    other === kind ? [] : options.filter((option) => given.has(option)).map((option) => ({ option, other })),
  );
  if (lost !== undefined)
    throw new Trouble(
      lost.other === ''
        ? say('probe-goes-without', '`sipalg probe {option}` goes without {kind}.', { option: lost.option, kind })
        : say('probe-goes-with', '`sipalg probe {option}` goes with {kind} alone.', { option: lost.option, kind: lost.other }),
    );
  return kind;
}

/** Milliseconds for which another test is waited for. */
const PATIENCE = 8000;

export async function probeNow({ host, clock, surveyor }: Doors, lan: string | null, terminal: Terminal): Promise<ProbeReport> {
  if (clock === undefined) throw new Trouble(say('probe-unable', 'this build cannot wait for packets.'));
  // What the firewall would load next is asked for by rendering all of it, which takes a router longer than the test.
  const unasked = { state: 'absent', source: 'fw4 check' } as const;
  const [facts, { probe }] = await Promise.all([surveyor.look(host, unasked), import('../probe/probe.ts')]);
  const report = await probe(host, clock, facts, { lan, patience: PATIENCE, goOn: terminal.goOn });
  const tried = report.messages.filter(({ control, fate }) => !control && fate !== 'not tried');
  const changed = tried.filter(({ fate }) => fate !== 'unchanged');
  const complain = (text: string): void => terminal.err(`sipalg: ${text}\n`);
  if (terminal.goOn()) await noteProbe(host, complain, 'router', probeExit(report), tried.length, changed.length);
  return report;
}

export const probeExit = ({ verdict, leftOver }: ProbeReport): ExitCode =>
  leftOver.length > 0 || verdict === 'inconclusive' ? 2 : verdict === 'unchanged' ? 0 : 1;

/** @throws Error in a sentence */
export async function probeCommand(doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const kind = kindOf(given);
  if (kind === '--phones') return (await import('./phones.ts')).phones(doors, given, terminal);
  if (kind !== '') return (await import('./probe-far.ts')).probeFar(doors, given, terminal);
  const report = await probeNow(doors, given.get('--lan') ?? null, terminal);
  if (given.has('--json')) {
    const text = JSON.stringify({ version: doors.surveyor.version, ...published(report) }, null, 2);
    terminal.json(`${text.replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)}\n`);
  } else {
    terminal.out((await import('./probe-text.ts')).probeText(report, terminal.put, terminal.width));
  }
  return probeExit(report);
}

/**
 * Proves what `disable` or `enable` has reached: with the ALG off nothing may be changed, and where the router's rules put
 * calls under it something has to be.
 * @param code what it was to end with otherwise
 */
export async function verify(doors: Doors, towards: 'disabled' | 'enabled', code: ExitCode, terminal: Terminal): Promise<ExitCode> {
  const report = await probeNow(doors, null, terminal);
  const { probeText } = await import('./probe-text.ts');
  terminal.out(`\n${probeText(report, terminal.put, terminal.width)}`);
  if (probeExit(report) === 2) return 2;
  if (towards === 'disabled') return report.verdict === 'unchanged' ? code : 1;
  const { alg } = (await doors.surveyor.report(await doors.surveyor.look(doors.host))).verdict;
  if (alg !== 'rewriting' || report.verdict === 'rewritten here') return code;
  const odd = say(
    'probe-odd',
    'the rules of this router put calls under the ALG, and what a phone sent was not rewritten: `sipalg status` has the rules.',
  );
  terminal.err(`sipalg: ${terminal.put(odd)}\n`);
  return 1;
}
