/** A tree of elements as plain data: what is drawn, before it is in a document (dom/match.ts puts it there). SVG as well as HTML. */

export type Child = Tree | string;

/** Hears an event of the document, which is known where there is one (dom/). */
export type Hear = (event: never) => void;

export interface Tree {
  tag: string;
  /** Tells siblings apart; without it they are told apart by tag and order. */
  key: string;
  /** Attributes; false and null are absent, true is ''. */
  attributes: Record<string, string | boolean | null>;
  /** Styles that classes of LuCI's themes do not give. Set through the DOM, as a strict policy asks. */
  style: Record<string, string>;
  on: Record<string, Hear>;
  children: Child[];
}

export interface Traits {
  key?: string;
  style?: Record<string, string>;
  on?: Record<string, Hear>;
  [attribute: string]: unknown;
}

/** An element: `h('p', { class: 'x' }, 'text')`. Children that are null, false or '' are left out. */
export function h(tag: string, traits: Traits = {}, ...children: (Child | null | false | readonly (Child | null | false)[])[]): Tree {
  const { key = '', style = {}, on = {}, ...attributes } = traits;
  return {
    tag,
    key,
    style,
    on,
    attributes: attributes as Tree['attributes'],
    children: children.flat().filter((child): child is Child => child !== null && child !== false && child !== ''),
  };
}

/** A drawing: `svg({ viewBox: '0 0 600 120' }, h('rect', { ... }))`. What it shows is said in words by its label, for who cannot see it. */
export function svg(label: string, traits: Traits, ...children: Parameters<typeof h>[2][]): Tree {
  return h('svg', { role: 'img', 'aria-label': label, focusable: 'false', ...traits }, ...children);
}
