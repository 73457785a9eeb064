/** What the page uses of LuCI's classes `form` and `uci` (modules/luci-base/htdocs/luci-static/resources), 23.05 and later. */

export interface LuciOption {
  render(...args: unknown[]): Promise<Node>;
}

export interface LuciSection {
  tab(name: string, title: string): void;
  taboption(tab: string, kind: unknown, name: string, ...args: unknown[]): LuciOption;
}

export interface LuciMap {
  section(kind: unknown, ...args: unknown[]): LuciSection;
  render(): Promise<HTMLElement>;
}

export interface LuciForm {
  Map: new (config: string, title: string, description: string) => LuciMap;
  NamedSection: unknown;
  DummyValue: unknown;
}

export interface LuciUci {
  load(config: string): Promise<unknown>;
  sections(config: string, type: string): { '.name': string }[];
  add(config: string, type: string, name?: string): string;
}
