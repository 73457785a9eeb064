/** The words after `sipalg serve`. */
import { readPlace } from '../http/listen-address.ts';

export type AskedServe =
  /** `listen`: as given, and known to be a place; null: as the configuration says. */
  | { help: boolean; listen: string | null; page: boolean }
  /** A sentence. */
  | { wrong: string };

export const USAGE = `usage: sipalg serve [--listen ADDR:PORT] [--no-page]

Stays, and serves the object \`sipalg\` on ubus and a web page. The page listens on loopback (127.0.0.1:8061, or the
next port that is free), behind a one-time link that is printed; on any other address it asks for the router's own
login. Without options it does as the section \`serve\` of /etc/config/sipalg says (options page, listen, every).

  --listen ADDR:PORT  where the page listens
  --no-page           no page, ubus alone

Signals: SIGHUP reads the configuration and looks again; SIGTERM ends it, and takes back a change that is under way.
`;

export function readWords(words: readonly string[]): AskedServe {
  let listen: string | null = null;
  let page = true;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '--help' || word === '-h') return { help: true, listen: null, page };
    if (word === '--no-page') {
      page = false;
    } else if (word === '--listen' || word.startsWith('--listen=')) {
      const given = word === '--listen' ? words[++at] : word.slice('--listen='.length);
      if (given === undefined) return { wrong: '`sipalg serve --listen` lacks its ADDR:PORT, such as 127.0.0.1:8061.' };
      const place = readPlace(given);
      if ('wrong' in place) return { wrong: `\`sipalg serve --listen\`: ${place.wrong}.` };
      listen = given;
    } else {
      return { wrong: `\`sipalg serve\` knows no "${word.slice(0, 60)}"; it takes --listen ADDR:PORT and --no-page.` };
    }
  }
  if (!page && listen !== null) return { wrong: '`sipalg serve` was given both --listen and --no-page; the page is to be served, or it is not.' };
  return { help: false, listen, page };
}
