/** Who may import whom in src/, each row with its reason. */
import type { Import } from './sources.ts';

export interface Row {
  /** A folder of src/, or a file of it. The first row that fits a file is its row. */
  room: string;
  /** The rooms its code may import, besides its own; or files of them. */
  code: readonly string[];
  /** The rooms of which it may import types only. */
  types?: readonly string[];
  /** May it import `node:` modules? */
  engine?: true;
  because: string;
}

const LANGUAGES = ['kernel', 'nft', 'iptables', 'uci'];

export const TABLE: readonly Row[] = [
  { room: 'main.ts', code: ['*'], engine: true,
    because: 'main.ts opens the doors and hands them in: the one place that knows all of them, and the one that knows the engine.' },
  { room: 'core.ts', code: [],
    because: 'A list that the build fills with what the parts use of the program; whoever reads the sources finds it empty.' },
  { room: 'daemon/main.ts', code: ['*'], engine: true,
    because: 'The way into the second bundle: main.ts hands it the machine, and it opens the doors that only a resident program needs.' },
  { room: 'daemon/server.ts', code: ['daemon'], engine: true,
    because: 'The HTTP socket is a door: it keeps limits and time, and hands requests on as data.' },
  { room: 'host/node.ts', code: ['host'], engine: true,
    because: 'A door touches the system and decides nothing; another engine is another file beside it.' },
  { room: 'host/ask.ts', code: ['host'], engine: true,
    because: 'Name servers are asked through a door of its own, so that only what needs it brings sockets along.' },
  { room: 'ubus/connection.ts', code: ['ubus'], engine: true,
    because: 'The socket of ubus is a door; the rest of ubus/ is bytes and data, and runs on any engine.' },
  { room: 'host', code: [],
    because: 'The interface to a machine knows nothing of what is done with it.' },
  { room: 'language.ts', code: [],
    because: 'It is what languages share, so it stands below all of them.' },
  { room: 'ubus', code: [],
    because: 'ubus/ is fit to be published alone: it brings along everything it needs.' },
  ...LANGUAGES.map((room): Row => ({ room, code: ['language.ts'],
    because: 'A language is somebody else\'s syntax: it knows nothing of sipalg and of no other language, so it can be tested and trusted alone.' })),
  { room: 'dns', code: ['language.ts'],
    because: 'The messages of name servers are a language like the others; the policy alone speaks it.' },
  { room: 'languages/pcap', code: [],
    because: 'A capture is bytes that anybody may have written: what reads them knows nothing of what is looked for in them, and needs nothing.' },
  { room: 'journal', code: [...LANGUAGES, 'language.ts'],
    because: 'What was there before is data in the words of languages, and outlives the program that wrote it: how it was found or is given back is not its business.' },
  { room: 'policy/link.ts', code: [], types: ['*'],
    because: 'The seam between the program and its policy: it knows the shape of what is linked in, and nothing of what that does.' },
  { room: 'policy/main.ts', code: ['*'], engine: true,
    because: 'The way into the part that holds the voice rules: main.ts loads it where they are wanted, and it opens the doors they alone need.' },
  { room: 'policy', code: [...LANGUAGES, 'dns', 'language.ts', 'observe', 'judge', 'plan', 'journal'], types: ['host'],
    because: 'The voice rules walk the same way as the ALG, stage by stage, beside it: they look, judge and plan, and speak to nobody.' },
  { room: 'observe', code: [...LANGUAGES, 'language.ts', 'host', 'journal', 'policy/link.ts'], types: ['policy'],
    because: 'Observing reads and does not judge, so it can know nothing of what its facts will mean.' },
  { room: 'judge', code: [...LANGUAGES, 'language.ts', 'observe', 'policy/link.ts'], types: ['host', 'journal', 'policy'],
    because: 'A verdict follows from facts alone: the machine is not asked again, and what to do about it is not known here.' },
  { room: 'plan', code: [...LANGUAGES, 'language.ts', 'observe', 'judge', 'journal', 'policy/link.ts'], types: ['host', 'policy'],
    because: 'A plan follows from facts and verdict alone: it can be printed, mailed and replayed without a machine.' },
  { room: 'apply', code: [...LANGUAGES, 'language.ts', 'observe', 'judge', 'plan', 'journal', 'host', 'policy/link.ts'],
    because: 'Applying is the end of the way: it walks all of it, to verify, and speaks to nobody.' },
  { room: 'cli', code: ['observe', 'judge', 'plan', 'apply', 'journal', 'language.ts', 'policy/link.ts'], types: ['host', 'policy'],
    because: 'A face speaks and decides nothing: it reads no syntax and opens no door, it words what the way says.' },
  { room: 'daemon', code: ['observe', 'judge', 'plan', 'apply', 'ubus', 'language.ts', 'policy/link.ts'], types: ['host', 'policy'],
    because: 'A face that stays: it answers with what the way says, over ubus and HTTP, and opens no door itself, so every request can be tested without a socket.' },
  { room: 'page', code: [], types: ['observe', 'judge', 'plan', 'daemon', 'host', 'policy'],
    because: 'It runs in a browser, far from the way: it knows the shape of a report and nothing of how one comes about.' },
];

/** The ways in, one for each file that is packed. */
const OPENERS: readonly string[] = ['main.ts', 'daemon/main.ts', 'policy/main.ts'];

/** The files that touch the engine. Only the ways in open them. */
export const DOORS: readonly string[] = TABLE.filter((row) => row.engine && !OPENERS.includes(row.room)).map((row) => row.room);

export function rowOf(file: string, table = TABLE): Row | undefined {
  const path = file.replace(/^src\//, '');
  return table.find(({ room }) => path === room || path.startsWith(`${room}/`));
}

/** What the table forbids among these imports, as sentences that give the reason. */
export function breaches(imports: readonly Import[], table = TABLE): string[] {
  return imports.flatMap((each) => {
    const because = breach(each, table);
    return because === undefined ? [] : [`${each.from} may not import ${each.typeOnly ? 'types of ' : ''}${each.to}: ${because}`];
  });
}

function breach({ from, to, typeOnly }: Import, table: readonly Row[]): string | undefined {
  const row = rowOf(from, table);
  if (row === undefined) return 'its room has no row in the table yet; add one, with its reason.';
  if (to.startsWith('node:')) return row.engine ? undefined : 'only a door and main.ts may know the engine; the other engine has no node: modules.';
  if (!to.startsWith('src/')) return 'the program has no dependency; what it needs it brings along.';
  const target = to.replace(/^src\//, '');
  if (target === 'main.ts') return 'main.ts is where everything starts; nothing goes back to it.';
  const room = target.includes('/') ? target.slice(0, target.indexOf('/')) : target;
  const own = row.room.includes('/') ? row.room.slice(0, row.room.indexOf('/')) : row.room;
  if (table.some((each) => each.engine && each.room === target)) {
    return OPENERS.includes(row.room) ? undefined : 'it is a door; main.ts opens it and hands it in, so that every other file runs on any engine.';
  }
  if (room === own || ['*', room, target].some((each) => row.code.includes(each))) return undefined;
  if (row.types?.some((each) => each === '*' || each === room) === true) return typeOnly ? undefined : `of ${room} it may import types only. ${row.because}`;
  return row.because;
}

/** The first ring of imports found, as the files along it; code only, for types have no order. */
export function ring(imports: readonly Import[]): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) if (!typeOnly) next.set(from, [...next.get(from) ?? [], to]);
  const done = new Set<string>();
  const walk = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const to of next.get(file) ?? []) {
      const found = walk(to, [...path, file]);
      if (found !== undefined) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of next.keys()) {
    const found = walk(file, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
