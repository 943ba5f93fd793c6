// A list of what was, newest first, that comes in pages: what the reader asks for first, then more of it.

import { el, show } from './dom.ts';
import { Complaint } from './form.ts';
import type { Listed } from './rest.ts';
import { text } from './strings.ts';
import { why } from './views.ts';

export class RecordList<T> {
  readonly node: HTMLElement;
  private readonly list = el('ul', { class: 'records' });
  private readonly none: HTMLElement;
  private readonly complaint = new Complaint();
  private readonly more = el('button', { type: 'button', class: 'button', hidden: true, click: () => void this.load(this.next) }, text.views.more);
  private next: string | null = null;

  /**
   * @param nothing said where there is none
   * @param fetch asks for a page: the newest, or the one before what `next` of another said
   * @param line shows one of them
   */
  constructor(nothing: string, private readonly fetch: (before: string | null) => Promise<Listed<T>>, private readonly line: (record: T, isNewest: boolean) => HTMLElement) {
    this.none = el('p', { class: 'empty', hidden: true }, nothing);
    this.node = el('div', {}, this.complaint.node, this.none, this.list, this.more);
  }

  /** The newest page anew; after it, by its button, those that follow. */
  async load(before: string | null = null): Promise<void> {
    try {
      const { items, next } = await this.fetch(before);
      const lines = items.map((record, at) => this.line(record, before === null && at === 0));
      if (before === null) this.list.replaceChildren(...lines);
      else this.list.append(...lines);
      this.next = next;
      show(this.more, next !== null);
      show(this.none, this.list.childElementCount === 0);
      this.complaint.say('');
    } catch (problem) {
      this.complaint.say(why(problem));
    }
  }
}
