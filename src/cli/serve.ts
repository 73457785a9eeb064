/** `sipalg serve`: what its options say, and the engine's own way of staying. */
import { readPlace } from '../languages/address/place.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { say } from '../words/say.ts';

export const USAGE = say(
  'usage-serve',
  `usage: sipalg serve [--listen ADDR:PORT] [--no-page]

Stays, and serves the object \`sipalg\` on ubus and a web page. The page listens
on loopback (127.0.0.1:8061, or the next port that is free), behind a one-time
link, which is printed in a terminal and else written into /var/run/sipalg.link;
on any other address it asks for the router's own login, over TLS where there is
a certificate. Without options it does as the section \`serve\` of
/etc/config/sipalg says (page, listen, every, log, cert, key).

  --listen ADDR:PORT  where the page listens
  --no-page           no page, ubus alone

Signals: SIGHUP reads the configuration and looks again; SIGTERM ends it, and
takes back a change that is under way.
`,
);

export async function serve({ serve: stay }: Doors, given: Given, terminal: Terminal): Promise<0 | 2> {
  const listen = given.get('--listen') ?? null;
  const page = !given.has('--no-page');
  const place = listen === null ? null : readPlace(listen);
  const wrong =
    place !== null && 'wrong' in place
      ? say('serve-listen', '`sipalg serve --listen`: {because}.', { because: place.wrong })
      : !page && listen !== null
        ? say('serve-both', '`sipalg serve` was given both --listen and --no-page; the page is to be served, or it is not.')
        : stay === undefined
          ? say(
              'serve-node',
              '`sipalg serve` needs Node, which OpenWrt packages up to 24.10: install sipalg-daemon there. No other command needs it.',
            )
          : null;
  if (wrong !== null || stay === undefined) {
    terminal.err(`sipalg: ${wrong === null ? '' : terminal.put(wrong)}\n`);
    return 2;
  }
  terminal.progress?.(null);
  return stay({ listen, page });
}
