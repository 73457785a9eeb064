/**
 * The DOM made to match a tree of plain data. What stays the same is not
 * touched: nodes keep their identity from look to look, and with it focus,
 * scroll, selection and what is typed.
 */
import type { Child, Hear, Tree } from '../tree.ts';

/** What of a node was set by this file. */
interface Made {
  key: string;
  on: Record<string, Hear>;
  style: Record<string, string>;
}

const made = new WeakMap<Node, Made>();

const SVG = 'http://www.w3.org/2000/svg';

/** @param parent what it comes into: a drawing's elements have a namespace of their own */
function create(child: Child, parent: Element): Node {
  if (typeof child === 'string') return document.createTextNode(child);
  const element =
    child.tag === 'svg' || parent.namespaceURI === SVG ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
  made.set(element, { key: child.key, on: {}, style: {} });
  match(element, child);
  return element;
}

/** Calls what is the listener by then: one that is exchanged needs no second registration. */
function hear(event: Event): void {
  const own = event.currentTarget instanceof Node ? made.get(event.currentTarget) : undefined;
  own?.on[event.type]?.(event as never);
}

/** Makes an element match a tree of its tag. */
export function match(element: HTMLElement | SVGElement, tree: Tree): void {
  const own = made.get(element) ?? { key: tree.key, on: {}, style: {} };
  made.set(element, own);
  for (const [name, value] of Object.entries(tree.attributes)) {
    const text = value === true ? '' : value === false || value === null || value === undefined ? null : String(value);
    if (text === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
  for (const { name } of [...element.attributes]) {
    if (name !== 'style' && !(name in tree.attributes)) element.removeAttribute(name);
  }
  for (const name of Object.keys(own.style)) if (!(name in tree.style)) element.style.removeProperty(name);
  for (const [name, value] of Object.entries(tree.style)) if (own.style[name] !== value) element.style.setProperty(name, value);
  own.style = tree.style;
  for (const type of Object.keys(tree.on)) if (!(type in own.on)) element.addEventListener(type, hear);
  for (const type of Object.keys(own.on)) if (!(type in tree.on)) element.removeEventListener(type, hear);
  own.on = tree.on;
  matchChildren(element, tree.children);
}

function fits(node: Node, child: Child): boolean {
  if (typeof child === 'string') return node.nodeType === Node.TEXT_NODE;
  return node.nodeName.toLowerCase() === child.tag.toLowerCase() && (made.get(node)?.key ?? '') === child.key;
}

function matchChildren(element: HTMLElement | SVGElement, children: readonly Child[]): void {
  const old = new Set<Node>(element.childNodes);
  const nodes = children.map((child) => {
    for (const node of old) {
      if (!fits(node, child)) continue;
      old.delete(node);
      return node;
    }
    return null;
  });
  // What goes, goes first: then what stays in order is not moved, and a node that is not moved keeps its focus.
  for (const node of old) element.removeChild(node);
  let next: Node | null = element.firstChild;
  children.forEach((child, place) => {
    const node = nodes[place] ?? create(child, element);
    if (node === next) next = node.nextSibling;
    else element.insertBefore(node, next);
    if (typeof child !== 'string') match(node as HTMLElement | SVGElement, child);
    else if (node.nodeValue !== child) node.nodeValue = child;
  });
}
