/**
 * What a `disable` takes away, kept so that `enable` gives back exactly that.
 * One entry is one thing of one owner; entries stand in the order in which they
 * went. Plain JSON.
 */

export type Taken = TakenFile | TakenNft | TakenIptables | TakenModule | TakenAutomatic;

/** A file that was edited. */
export interface TakenFile {
  kind: 'file';
  path: string;
  /** null: there was no such file. */
  before: string | null;
  after: string;
  /** For a UCI file, what the edit means, should the text be written anew before it is given back. */
  settings?: SettingEdit[];
}

export interface SettingValue {
  kind: 'option' | 'list';
  values: string[];
}

/** One option of one section of a UCI file, before and after. */
export interface SettingEdit {
  type: string;
  /** The section's own name; null for an anonymous one. */
  name: string | null;
  /** Place among the sections of its type, from 0. */
  index: number;
  /** Its `option name`, by which an anonymous section is known again. */
  label: string | null;
  option: string;
  before: SettingValue | null;
  after: SettingValue | null;
}

/**
 * Where a rule stood: the text of the nearest rule that stayed, on each side, counters
 * left out, and how many that stayed stood before it, for neighbours may have twins.
 */
export interface Neighbours {
  previous: string | null;
  next: string | null;
  place: number;
}

export interface TakenRule extends Neighbours {
  family: string;
  table: string;
  chain: string;
  rule: string;
  /** What was left in its place, where only some elements of its map went. */
  remains: string | null;
  /** No packet came there when it was taken. */
  unreached?: true;
}

export interface TakenHelper {
  family: string;
  table: string;
  name: string;
  type: string;
  protocol: string;
  l3proto: string;
}

export interface TakenElements {
  family: string;
  table: string;
  map: string;
  elements: string[];
}

/** One nft transaction's worth of rules, elements and objects. */
export interface TakenNft {
  kind: 'nft';
  rules: TakenRule[];
  elements: TakenElements[];
  helpers: TakenHelper[];
}

/** Rules of one iptables flavour and family. */
export interface TakenIptables {
  kind: 'iptables';
  save: string;
  restore: string;
  rules: ({ table: string; chain: string; rule: string } & Neighbours)[];
}

/** A module that was unloaded. */
export interface TakenModule {
  kind: 'module';
  name: string;
  parameters: Record<string, string>;
}

/** net.netfilter.nf_conntrack_helper, which was not 0. */
export interface TakenAutomatic {
  kind: 'automatic';
  value: number;
}
