/** What the page uses of LuCI's classes `form` and `uci` (modules/luci-base/htdocs/luci-static/resources), 23.05 and later. */

export type LuciGiven = string | readonly string[] | null | undefined;

export interface LuciOption {
  rmempty: boolean;
  retain: boolean;
  modalonly: boolean;
  editable: boolean;
  default: string | null;
  placeholder: string;
  password: boolean;
  section: LuciSection;
  /** Of a `SectionValue`. */
  subsection: LuciSection;
  value(key: string, label: string): void;
  depends(option: string, value: string): void;
  formvalue(section: string): LuciGiven;
  load(section: string): unknown;
  write(section: string, value: string): void;
  validate(section: string, value: string): true | string;
  render(...args: unknown[]): Promise<Node>;
}

export interface LuciSection {
  addremove: boolean;
  anonymous: boolean;
  nodescriptions: boolean;
  modaltitle(section: string): string;
  tab(name: string, title: string): void;
  option(kind: unknown, name: string, ...args: unknown[]): LuciOption;
  taboption(tab: string, kind: unknown, name: string, ...args: unknown[]): LuciOption;
  /** By option; what is on the screen. */
  formvalue(section: string): Record<string, LuciGiven>;
}

export interface LuciMap {
  section(kind: unknown, ...args: unknown[]): LuciSection;
  render(): Promise<HTMLElement>;
}

export interface LuciForm {
  Map: new (config: string, title: string, description: string) => LuciMap;
  NamedSection: unknown;
  GridSection: unknown;
  SectionValue: unknown;
  DummyValue: unknown;
  Value: unknown;
  ListValue: unknown;
  Flag: unknown;
  DynamicList: unknown;
}

export interface LuciUci {
  load(config: string): Promise<unknown>;
  sections(config: string, type: string): { '.name': string }[];
  add(config: string, type: string, name?: string): string;
  get(config: string, section: string, option: string): LuciGiven;
  set(config: string, section: string, option: string, value: string): void;
}
