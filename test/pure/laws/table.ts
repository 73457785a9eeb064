/** Who may import whom in src/. Few patterns, each with its reason; a file's row is the first that fits it. */
import type { Import } from './sources.ts';

export interface Row {
  /** A room, as a path below src/; `languages/*` stands for each language by itself. */
  room: string;
  /** The rooms whose code it may import, besides its own. */
  code: readonly string[];
  /** The rooms of which it may import types only. */
  types?: readonly string[];
  /** May it import what only one engine has (`node:`, `qjs:`)? */
  engine?: true;
  because: string;
}

export const TABLE: readonly Row[] = [
  {
    room: 'engines',
    code: ['*'],
    engine: true,
    because:
      'An engine opens doors and hands them in: the one room that knows what it runs on. Nothing imports it, so everything else runs on any engine.',
  },
  {
    room: 'ubus/connection.ts',
    code: ['ubus'],
    engine: true,
    because: 'The socket of ubus is a door of its own, for ubus/ is published alone.',
  },
  {
    room: 'ubus',
    code: [],
    because: 'ubus/ is fit to be published alone: it brings along everything it needs, and nothing of it knows sipalg.',
  },
  {
    room: 'words',
    code: [],
    because: 'How a sentence travels and is put into a language knows nothing of what is said.',
  },
  { room: 'host', code: [], because: 'What an engine owes knows nothing of what is done with it.' },
  {
    room: 'languages/address',
    code: ['languages/refused.ts'],
    because: 'Addresses stand in every language, so they are the one language that others may read.',
  },
  {
    room: 'languages/*',
    code: ['languages/address', 'languages/refused.ts'],
    because:
      "A language is somebody else's syntax: it knows nothing of sipalg and of no other language, so it can be tested and trusted alone.",
  },
  { room: 'wish', code: ['languages', 'words'], because: 'What is wished is read from one file; what the router is does not change it.' },
  {
    room: 'journal',
    code: ['languages'],
    because: 'What was there before outlives the program that wrote it: how it was found or is given back is not its business.',
  },
  {
    room: 'observe',
    code: ['languages', 'host', 'wish', 'journal'],
    because: 'Observing reads and does not judge, so it can know nothing of what its facts will mean.',
  },
  {
    room: 'judge',
    code: ['languages', 'observe', 'words'],
    types: ['host', 'journal', 'wish'],
    because: 'A verdict follows from facts alone: the machine is not asked again, and what to do about it is not known here.',
  },
  {
    room: 'plan',
    code: ['languages', 'observe', 'judge', 'journal', 'wish', 'words'],
    types: ['host'],
    because: 'A plan follows from facts and verdict alone: it can be printed, mailed and replayed without a machine.',
  },
  {
    room: 'voice',
    code: ['languages', 'wish', 'observe', 'plan', 'judge/evidence.ts', 'host/hash.ts', 'words'],
    types: ['host', 'judge'],
    because: 'The voice rules walk the same way as the ALG, beside it: they look, judge and plan, and speak to nobody.',
  },
  {
    room: 'survey',
    code: ['observe', 'judge', 'plan', 'journal', 'voice/paths.ts', 'voice/own.ts', 'languages/refused.ts', 'words'],
    types: ['host', 'wish', 'voice'],
    because: 'The one room that knows both the ALG and the voice rules, whose code an engine hands in; only `look` touches a machine.',
  },
  {
    room: 'diagnose',
    code: ['judge/questions.ts', 'languages/address', 'languages/nft/drops.ts', 'voice/judge/shapers.ts', 'words'],
    types: ['host', 'judge', 'observe', 'survey'],
    because: 'A diagnosis follows from facts alone, as a verdict does: it can be made of saved ones, and knows no machine and no face.',
  },
  {
    room: 'apply',
    code: ['languages', 'host', 'observe', 'judge', 'plan', 'journal', 'survey', 'voice/paths.ts', 'words'],
    because: 'Applying walks the whole way again, to verify, and speaks to nobody.',
  },
  {
    room: 'compare',
    code: ['languages', 'words'],
    because: "A comparison follows from the bytes of captures alone: it can be made anywhere, of anybody's router.",
  },
  {
    room: 'watch',
    code: ['languages', 'probe', 'words'],
    types: ['host'],
    because: 'A watch follows from lines and messages as they come, through doors that are handed in, and says it by codes.',
  },
  {
    room: 'mirror',
    code: ['languages', 'host'],
    because: 'A mirror says what it gets, to whom it gets it from: it judges nothing and knows no router.',
  },
  {
    room: 'probe',
    code: ['languages', 'host', 'observe', 'compare', 'mirror', 'voice/names', 'words'],
    types: ['survey'],
    because: 'A test by live messages acts through doors alone and tells what it saw and what follows, as data and by codes.',
  },
  {
    room: 'fleet',
    code: ['survey', 'host/lines.ts', 'host/text.ts'],
    types: ['host', 'judge', 'wish', 'voice', 'words', 'languages/prometheus', 'hep', 'probe'],
    because: 'Many routers are judged as one is: what is said of each is the survey\'s, and no router is touched.',
  },
  {
    room: 'hep',
    code: ['languages/hep', 'languages/sip', 'languages/address', 'languages/refused.ts', 'wish', 'words'],
    types: ['host', 'probe/phones', 'voice/names'],
    because: 'What is sent to a Homer server follows from messages and the wish: who saw them, and the way there, is handed in.',
  },
  {
    room: 'report',
    code: ['words', 'judge', 'compare/redact.ts'],
    types: ['survey', 'compare', 'journal', 'voice', 'host'],
    because: 'A document follows from saved facts and comparisons alone, so that the same ones give the same document anywhere.',
  },
  {
    room: 'object',
    code: ['survey', 'plan', 'apply', 'host', 'words'],
    types: ['judge', 'observe'],
    because: 'Methods and replies know no transport: ubus, HTTP and rpcd serve the same.',
  },
  {
    room: 'http',
    code: ['object', 'ubus', 'languages/address', 'host/repeated.ts', 'host/log.ts', 'words'],
    types: ['host'],
    because: 'HTTP is requests and answers as data: no socket, so every request can be tested without one.',
  },
  {
    room: 'daemon',
    code: [
      'object',
      'http',
      'survey',
      'apply',
      'wish',
      'observe',
      'ubus',
      'host',
      'languages/uci',
      'languages/shell',
      'languages/refused.ts',
      'words',
    ],
    types: ['judge', 'plan', 'voice'],
    because: 'The resident program puts the object, its transports and the watch together, through doors that are handed in.',
  },
  {
    room: 'rpcd',
    code: ['object', 'survey', 'apply/waiting.ts', 'host', 'languages/kernel', 'daemon/reply-size.ts', 'words'],
    types: ['plan'],
    because:
      'A call of rpcd is the object without a resident program: what the object does is not its business, only that it outlives the call.',
  },
  {
    room: 'cli',
    code: [
      'survey',
      'apply',
      'judge',
      'plan',
      'compare',
      'diagnose',
      'watch',
      'probe',
      'mirror',
      'fleet',
      'hep',
      'rpcd',
      'languages/address',
      'languages/nearest.ts',
      'languages/prometheus',
      'host/text.ts',
      'words',
      'report',
    ],
    types: ['host', 'wish', 'voice', 'object'],
    because: 'A face speaks and decides nothing: it reads no syntax and opens no door, it words what the survey says.',
  },
  {
    room: 'page',
    code: ['words', 'wish/schema.ts', 'wish/lacks.ts', 'wish/values.ts'],
    types: ['http', 'wish', 'object', 'observe', 'judge', 'plan', 'survey', 'host', 'voice'],
    because:
      'It runs in a browser, far from the router: it knows the shape of a report and nothing of how one comes about. '
      + 'Its form takes what the reader of the configuration takes, by the same schema.',
  },
];

/** @param file a path below src/ */
function fits(room: string, file: string): boolean {
  if (room === 'languages/*') return /^languages\/[^/]+\//.test(file) || file.startsWith('languages/');
  return file === room || file.startsWith(`${room}/`);
}

export function rowOf(file: string, table = TABLE): Row | undefined {
  const path = file.replace(/^src\//, '');
  return table.find(({ room }) => fits(room, path));
}

/** The part of the house a file belongs to; each language, and each engine, is one by itself. */
function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'languages' || first === 'engines' ? `${first}/${second}` : first;
}

/** What the table forbids among these imports, as sentences that give the reason. */
export function breaches(imports: readonly Import[], table = TABLE): string[] {
  return imports.flatMap((each) => {
    const because = breach(each, table);
    return because === undefined ? [] : [`${each.from} may not import ${each.typeOnly ? 'types of ' : ''}${each.to}: ${because}`];
  });
}

const ENGINE_MODULE = /^(node|qjs):/;

function breach({ from, to, typeOnly }: Import, table: readonly Row[]): string | undefined {
  const row = rowOf(from, table);
  if (row === undefined) return 'its room has no row in the table yet; add one, with its reason.';
  if (ENGINE_MODULE.test(to)) return row.engine ? undefined : 'only a door knows its engine; the other engine has no such modules.';
  if (!to.startsWith('src/')) return 'the program has no dependency; what it needs it brings along.';
  const target = to.replace(/^src\//, '');
  const own = roomOf(from.replace(/^src\//, '')) === roomOf(target);
  if (target.startsWith('engines/')) return own ? undefined : 'an engine opens doors and hands them in; nothing goes back to it.';
  if (table.some((each) => each.engine && each.room === target))
    return row.engine ? undefined : 'it is a door; an engine opens it and hands it in.';
  if (own) return undefined;
  const among = (rooms: readonly string[]): boolean => rooms.some((room) => room === '*' || fits(room, target));
  if (among(row.code)) return undefined;
  if (row.types !== undefined && among(row.types)) return typeOnly ? undefined : `of it, types only. ${row.because}`;
  return row.because;
}

/** The first circle of imports found, as the files along it; code only, for types have no order. */
export function ring(imports: readonly Import[]): string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of imports) if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
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
