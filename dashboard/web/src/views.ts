// The views of the page, each at an address of its own: the live one, and those where rules, people and the system are
// looked after. One is shown; the others keep what was typed in them.

import type { Role } from './api.ts';
import { el, show } from './dom.ts';
import { text } from './strings.ts';

const kPrefix = '#/';

export interface View {
  /** As in the address; empty: the first one. */
  id: string;
  title: string;
  node: HTMLElement;
  /** Who sees it at all. */
  needs: Role;
  /** It is shown from now on. */
  opened?(): void;
}

export class Views {
  readonly node = el('nav', { class: 'views', 'aria-label': text.views.label });
  private readonly links: HTMLAnchorElement[];
  private current: View | null = null;

  /** @param may whether the reader may what takes a role */
  constructor(private readonly all: View[], private readonly may: (role: Role) => boolean) {
    this.links = all.map(({ id, title }) => el('a', { href: id ? kPrefix + id : kPrefix }, title));
    this.node.append(...this.links);
    window.addEventListener('hashchange', () => this.follow());
  }

  get nodes(): HTMLElement[] {
    return this.all.map(({ node }) => node);
  }

  /** To what the address says, or the first one where the reader may not see that; also when he may see more or less. */
  follow(): void {
    const hash = location.hash;
    // Other hashes are places within the live view.
    const wanted = hash.startsWith(kPrefix) ? hash.slice(kPrefix.length) : '';
    const view = this.all.find(({ id, needs }) => id === wanted && this.may(needs)) ?? this.all[0]!;
    this.all.forEach((one, at) => {
      show(one.node, one === view);
      show(this.links[at]!, this.may(one.needs));
      if (one === view) this.links[at]!.setAttribute('aria-current', 'page');
      else this.links[at]!.removeAttribute('aria-current');
    });
    if (view === this.current) return;
    const isFirst = this.current === null;
    this.current = view;
    view.opened?.();
    if (isFirst) return;
    window.scrollTo(0, 0);
    view.node.querySelector('h2')?.focus();
  }
}

/** A view beside the live one: its sections, one below the other. */
export function viewNode(...sections: HTMLElement[]): HTMLElement {
  return el('main', { class: 'view', hidden: true }, ...sections);
}

export function viewSection(id: string, title: string, ...content: (HTMLElement | string)[]): HTMLElement {
  return el('section', { 'aria-labelledby': `${id}-title` }, el('div', { class: 'section-head' }, el('h2', { id: `${id}-title`, tabindex: -1 }, title)), ...content);
}

export function why(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
