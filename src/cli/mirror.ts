/** `sipalg mirror`: the far end of `sipalg probe --mirror`, for a host on the internet. */
import { readPlace } from '../languages/address/place.ts';
import type { Doors, Given, Terminal } from './command.ts';
import type { ExitCode } from '../survey/survey.ts';
import { say, Trouble } from '../words/say.ts';

export const USAGE = say(
  'usage-mirror',
  `usage: sipalg mirror [--listen ADDR:PORT]

Stays, and tells whoever runs \`sipalg probe --mirror\` against this host what of each
message arrived. Run it on a host outside (a VPS, a laptop in another network) and let
UDP and TCP to ports 5060 and 5080 in; the second is the control, where no ALG looks.

  --listen ADDR:PORT  on one address, and with another port than 5060; the control is
                      20 above it. On a host with several addresses name the one that
                      is asked, so that answers come from it.

It answers nothing that is no probe, gives a stranger a cookie and no more, keeps
nothing of what it gets, and says a line a minute at most. It needs no root.
Ends with Ctrl-C or SIGTERM.
`,
);

/** Milliseconds between looks at whether to stop. */
const LOOK = 200;

/** @throws Error in a sentence, where it can listen nowhere */
export async function mirror({ listening, clock }: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  if (listening === undefined || clock === undefined)
    throw new Trouble(say('mirror-node', '`sipalg mirror` needs Node: run it on a host with Node 18 or later, `node sipalg.js mirror`.'));
  const listen = given.get('--listen');
  const place = listen === undefined ? null : readPlace(listen);
  if (place !== null && 'wrong' in place)
    throw new Trouble(say('mirror-listen', '`sipalg mirror --listen`: {because}.', { because: place.wrong }));
  const [{ Mirror }, { CONTROL, PORT }] = await Promise.all([import('../mirror/mirror.ts'), import('../mirror/protocol.ts')]);
  if (place !== null && (place.port < 1 || place.port + CONTROL > 65_535))
    throw new Trouble(
      say('mirror-port', '`sipalg mirror --listen` was given port {port}; it is from 1 to {most}, as the control is {control} above.', {
        port: place.port,
        most: 65_535 - CONTROL,
        control: CONTROL,
      }),
    );
  terminal.progress?.(null);
  const tell = (line: string): void => terminal.err(`sipalg: ${line}\n`);
  const served = new Mirror({ listening: await listening(), clock, say: tell });
  const shown = (address: string): string => (address.includes(':') ? `[${address}]` : address);
  const open: string[] = [];
  const failed: string[] = [];
  try {
    for (const address of place === null ? ['0.0.0.0', '::'] : [place.address]) {
      const first = place?.port ?? PORT;
      for (const port of [first, first + CONTROL]) {
        try {
          await served.listen({ address, port });
          open.push(`${shown(address)}:${port}`);
        } catch (error) {
          failed.push(`${shown(address)}:${port}: ${(error as Error).message}`);
        }
      }
    }
    // One family may be absent; a port that is taken is no mirror where a probe looks for one.
    if (open.length === 0 || failed.some((words) => !words.includes('no such address') && !words.startsWith('[::]')))
      throw new Trouble(
        say('mirror-taken', 'no mirror at {places}. Free the port, or take another by --listen ADDR:PORT and give it to the probe too.', {
          places: failed.join('; '),
        }),
      );
    tell(`mirror at ${open.join(', ')} (UDP and TCP)${failed.length > 0 ? `; not at ${failed.join('; ')}` : ''}`);
    while (terminal.goOn()) await new Promise<void>((resolve) => void clock.after(LOOK, resolve));
    tell(`ending: ${served.words()}`);
    return 0;
  } finally {
    served.close();
  }
}
