/** What is drawn, as plain data. Every text in it is a sentence in the reader's language or the report's own. */
import type { MethodName } from '../object/object.ts';
import type { TabName, Towards } from './state.ts';
import type { Tree } from './tree.ts';

/** How bad or good something is; a theme gives it a colour, a word stands beside it. */
export type Tone = 'danger' | 'warning' | 'success' | 'info' | 'notice';

/** Lines that can be unfolded. */
export interface Fold {
  /** Stays the same from look to look. */
  name: string;
  label: string;
  open: boolean;
  lines: string[];
}

export interface Notice {
  name: string;
  tone: Tone;
  text: string;
  lines: string[];
  fold: Fold | null;
  /** What mends it. */
  button?: { label: string; active: boolean };
}

export interface Finding {
  name: string;
  tone: Tone;
  weight: string;
  text: string;
  fold: Fold | null;
}

export interface Table {
  /** A row's name stays the same from look to look. */
  heads: string[];
  rows: { name: string; cells: { text: string; code?: true; fold?: Fold; tone?: Tone }[] }[];
  /** Said where there is no row. */
  empty: string;
}

/** A part of a tab. `kind` decides how it is drawn (dom/draw.ts); `name` stays the same from look to look. */
export type Block = Ask | Section | Findings | VerdictBlock | SwitchBlock | Drawing | Details;

/** Sentences and a table. */
export interface Section {
  kind: 'section';
  name: string;
  /** '' where the fold around it says it. */
  title: string;
  lines: string[];
  table: Table;
}

/** What a person can ask for, and what has come of it. */
export interface Ask {
  kind: 'ask';
  name: string;
  title: string;
  lines: string[];
  /** Something to type: which argument it is, and what may be meant by its name. */
  field: { argument: string; label: string; typed: string; suggestions: Readonly<Record<string, string>> } | null;
  ask: { method: MethodName; args: Readonly<Record<string, unknown>> };
  /** Of the button. */
  label: string;
  busy: boolean;
  disabled: boolean;
  notices: Notice[];
  /** A text that can be saved as a file. */
  save: { label: string; file: string; text: string } | null;
}

export interface Findings {
  kind: 'findings';
  name: string;
  title: string;
  rows: Finding[];
}

/** A picture. Its text for who cannot see it is its own label. */
export interface Drawing {
  kind: 'drawing';
  name: string;
  title: string;
  lines: string[];
  /** An `svg`. */
  tree: Tree;
}

/** Blocks behind one fold. */
export interface Details {
  kind: 'details';
  name: string;
  label: string;
  open: boolean;
  blocks: Block[];
}

export interface VerdictBlock {
  kind: 'verdict';
  name: 'verdict';
  tone: Tone;
  state: string;
  text: string;
  /** What it rests on first: a finding and its evidence. */
  why: Finding | null;
  more: string;
  working: boolean;
}

export interface SwitchBlock extends Switch {
  kind: 'switch';
  name: 'switch';
}

export interface Step {
  text: string;
  why: string;
  commands: string[];
}

export interface Confirm {
  towards: Towards;
  title: string;
  /** Not yet known what it would do. */
  wait: string;
  /** Why nothing can be done, or what speaks against it. */
  notices: Notice[];
  steps: Step[];
  /** The label of the button that does it; '' where there is nothing to confirm. */
  go: string;
  leave: string;
}

export interface Running {
  title: string;
  lines: string[];
  echo: string;
  commands: string[];
}

export interface Switch {
  title: string;
  lines: string[];
  notices: Notice[];
  buttons: { towards: Towards; label: string; tone: 'positive' | 'neutral'; active: boolean }[];
  hint: string;
  running: Running | null;
  result: Notice | null;
}

export interface Login {
  how: 'token' | 'password';
  title: string;
  about: string;
  said: string;
  warning: string;
  busy: boolean;
  user: string;
  password: string;
  submit: string;
}

/** What kind of page this is: for tests and style, never shown. */
export type Mood = 'loading' | 'no service' | 'denied' | 'login' | 'rewriting' | 'tracking' | 'off' | 'would come back' | 'unknown';

/** What a tab shows above its fields. */
export interface TabView {
  name: TabName;
  title: string;
  blocks: Block[];
}

export interface View {
  mood: Mood;
  title: string;
  about: string;
  /** What stands above all tabs. */
  notices: Notice[];
  login: Login | null;
  /** Waiting for the first answer. */
  wait: string;
  tabs: TabView[];
  /** The tab that is looked at. */
  tab: TabName;
  /** The step in which a person sees what would be done: a dialog. */
  confirm: Confirm | null;
  /** The label of the button that logs out; '' where there is none. */
  leave: string;
}
