// The one way that this page makes elements. Text goes in as text: there is no innerHTML anywhere.

type Attributes = Record<string, string | number | boolean | ((event: never) => void) | undefined>;
type Child = Node | string | null | undefined | false;

function fill(node: Element, attributes: Attributes, children: Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value as EventListener);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
}

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  fill(node, attributes, children);
  return node;
}

export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  fill(node, attributes, children);
  return node;
}

/** A sentence in which what stands between backticks is to be typed as it is. */
export function withCode(sentence: string): Child[] {
  return sentence.split('`').map((part, at) => (at % 2 ? el('code', {}, part) : part));
}

/** Touches the document only when something differs: most ticks change nothing. */
export function setText(node: Node, value: string): void {
  if (node.textContent !== value) node.textContent = value;
}

export function setClass(node: Element, value: string): void {
  if (node.getAttribute('class') !== value) node.setAttribute('class', value);
}

export function setAttribute(node: Element, name: string, value: string | number): void {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

export function show(node: HTMLElement | SVGElement, visible: boolean): void {
  if (visible) node.removeAttribute('hidden');
  else node.setAttribute('hidden', '');
}

/**
 * Makes the children of `parent` be one element for each item, in order, keeping the elements of keys that stay: focus,
 * open forms and scroll positions survive an update.
 */
export function reconcile<T, E extends Element>(
  parent: Element, items: T[], key: (item: T) => string, known: Map<string, E>, make: (item: T) => E,
): void {
  const wanted = new Set(items.map(key));
  for (const [name, node] of known) {
    if (wanted.has(name)) continue;
    node.remove();
    known.delete(name);
  }
  arrange(parent, items.map((item) => {
    let node = known.get(key(item));
    if (!node) known.set(key(item), (node = make(item)));
    return node;
  }));
}

/** Makes `nodes` the children of `parent`, moving only what is not in its place: what stays keeps its focus. */
export function arrange(parent: Element, nodes: Element[]): void {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, at) => {
    if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] ?? null);
  });
}
