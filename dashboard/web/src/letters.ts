// What was refused, by cause: a line says why, how often and from where; it opens on the messages themselves.

import type { DeadLetter, Time } from './api.ts';
import { el, reconcile, setText, show } from './dom.ts';
import * as format from './format.ts';
import { text } from './strings.ts';

export interface LetterGroup {
  key: string;
  source: string;
  reason: string;
  times: number;
  /** Newest first, as they come. */
  letters: DeadLetter[];
}

/** Letters of one source whose reasons differ only in the values that they quote are one group; the newest group comes first. */
export function groupLetters(newestFirst: DeadLetter[]): LetterGroup[] {
  const groups = new Map<string, LetterGroup>();
  for (const letter of newestFirst) {
    const cause = letter.reason.replace(/'.*'/g, '‘…’').replace(/\d+/g, '…');
    const key = `${letter.source}\n${cause}`;
    const group = groups.get(key);
    if (!group) {
      groups.set(key, { key, source: letter.source, reason: letter.reason, times: letter.times, letters: [letter] });
      continue;
    }
    if (group.reason !== letter.reason) group.reason = cause;
    group.times += letter.times;
    group.letters.push(letter);
  }
  return [...groups.values()];
}

export class Letters {
  readonly node: HTMLElement;
  private readonly help = el('p', { class: 'muted', hidden: true }, text.letters.help);
  private readonly none = el('p', { class: 'empty' }, text.letters.none);
  private readonly list = el('ul', { class: 'letters', hidden: true });
  private readonly nodes = new Map<string, HTMLElement>();

  constructor() {
    this.node = el('div', {}, this.help, this.none, this.list);
  }

  /** A group keeps its element, so that one that is open stays open while more letters come. */
  update(letters: DeadLetter[], now: Time): void {
    const groups = groupLetters(letters);
    reconcile(this.list, groups, ({ key }) => key, this.nodes, () => el('li', {}, el('details', {}, el('summary', {}, el('b'), el('span', { class: 'muted' })), el('ul'))));
    for (const group of groups) fill(this.nodes.get(group.key)!, group, now);
    show(this.help, groups.length > 0);
    show(this.none, groups.length === 0);
    show(this.list, groups.length > 0);
  }
}

function fill(node: HTMLElement, { source, reason, times, letters }: LetterGroup, now: Time): void {
  const [summary, list] = node.firstElementChild!.children as unknown as [HTMLElement, HTMLElement];
  const [why, facts] = summary.children as unknown as [HTMLElement, HTMLElement];
  setText(why, reason);
  const topics = new Set(letters.map(({ topic }) => topic)).size;
  setText(facts, text.letters.facts(source, times, topics, format.moment(letters[0]!.time, now)));
  list.replaceChildren(...letters.map((letter) => line(letter, letter.reason === reason ? '' : letter.reason, now)));
}

function line({ topic, payload, time, times }: DeadLetter, reason: string, now: Time): HTMLElement {
  return el('li', {}, el('code', { class: 'letter-topic', title: topic, tabindex: 0 }, topic),
    el('p', { class: 'muted' }, [reason, format.moment(time, now), times > 1 && text.letters.times(times)].filter(Boolean).join(' · ')),
    el('pre', { tabindex: 0 }, payload));
}
