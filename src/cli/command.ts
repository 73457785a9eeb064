/** What a command is, what it is given, and where it speaks. */
import type { Clock } from '../host/clock.ts';
import type { Following, Host, Reading, Streaming, Threads } from '../host/host.ts';
import type { Listening, Network } from '../host/network.ts';
import type { ExitCode, Surveyor } from '../survey/survey.ts';
import type { Put } from '../words/english.ts';
import type { Said } from '../words/say.ts';

/** Where words come from and go. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** As `out`, for JSON: nothing of it is changed. */
  json(text: string): void;
  /** All of standard input. */
  input(): Promise<Reading<string>>;
  /** Puts words into the language of whoever is at it. */
  put: Put;
  /** Columns of the terminal; absent where it is none, or does not say. */
  width?: number;
  /** What is being done, for a person who waits for more than two seconds; null: nobody waits. Absent where nobody looks. */
  progress?(said: Said | null): void;
  /** false once the person at it wants it to stop. */
  goOn(): boolean;
  /** false once nobody reads what is said any more (`| head -1`); absent where that is not told. */
  isRead?(): boolean;
}

/** What is known of whoever looks; an engine says it of a terminal alone. */
export interface Screen {
  /** Whether standard output, and standard error, are one. */
  out: boolean;
  err: boolean;
  /** Columns; null where it does not say. */
  columns: number | null;
  /** TERM. */
  kind: string;
  /** NO_COLOR is set, and not empty. */
  noColour: boolean;
}

/** What an engine hands in. */
export interface Doors {
  host: Host;
  surveyor: Surveyor;
  /** Absent where nothing of this engine is waited for but what `host` does. */
  clock?: Clock;
  /** Files that are too large to be held. */
  streaming?: () => Promise<Streaming>;
  /** Commands that go on. */
  following?: () => Promise<Following>;
  /** Sockets to other machines, or what stands in for them. */
  network?: () => Promise<Network>;
  /** Sockets that wait for others; absent where this engine has none. */
  listening?: () => Promise<Listening>;
  /** Other processors; absent where this engine knows one alone. */
  threads?: () => Promise<Threads>;
  /** Takes away what a test that was killed has left on this machine, and says so in sentences; mostly there is nothing. */
  clearTests?: () => Promise<string[]>;
  /** Stays until it is told to end; absent where this engine cannot. */
  serve?: (options: ServeOptions) => Promise<0 | 2>;
}

export interface ServeOptions {
  /** Where the page listens, as given; null: as the configuration says. */
  listen: string | null;
  /** false: no page, whatever the configuration says. */
  page: boolean;
}

/** An option; `takes`: it has a value, called so in the help. */
export interface Option {
  name: string;
  takes?: string;
  /** The package that holds what it needs, where that is not the command's. */
  package?: string;
  /** As of a command. */
  ofCalls?: true;
}

/** Options and arguments that were given, by name; an option without a value is ''. */
export type Given = ReadonlyMap<string, string>;

export interface Command {
  name: string;
  options: readonly Option[];
  /** Called by files of this package, and by nobody else: no help and no hint names it. What all others do is said in help.ts. */
  internal?: true;
  /** It says what stands in the part of a language that is about calls (words/languages.ts), or help. */
  ofCalls?: true;
  /** Arguments in their order, as the help shows them and as they are found in `Given`: `LAN`, `[WAN]`. */
  arguments?: readonly string[];
  /** The package its part of the program comes in, where that is another than `sipalg`. */
  package?: string;
  /** More than the line of the table, for `sipalg NAME --help`. */
  usage?(put: Put): Promise<string | Said>;
  run(doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode>;
}

/** As the help shows an option: `--from FILE`. */
export const shownOption = ({ name, takes }: Option): string => (takes === undefined ? name : `${name} ${takes}`);
