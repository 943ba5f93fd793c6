// What happened: the newest alert events.

import { isAlarm, told } from './alert_words.ts';
import type { AlertEvent, Time } from './api.ts';
import { el, reconcile, setText, show } from './dom.ts';
import * as format from './format.ts';
import { type Icon, icon } from './icons.ts';
import type { Model } from './model.ts';
import { text } from './strings.ts';

const kFirst = 8;

export class Log {
  readonly node: HTMLElement;
  private readonly list = el('ol', { class: 'log-list' });
  private readonly none = el('p', { class: 'empty' }, text.log.none);
  private readonly notice = el('p', { class: 'notice', hidden: true });
  private readonly more: HTMLButtonElement;
  private readonly nodes = new Map<string, HTMLElement>();
  private limit = kFirst;

  constructor(private readonly model: Model, private readonly now: () => Time) {
    this.more = el('button', { type: 'button', class: 'button', hidden: true, click: () => this.showMore() });
    this.node = el('section', { class: 'log', 'aria-labelledby': 'log-title' },
      el('div', { class: 'section-head' }, el('h2', { id: 'log-title' }, text.log.title)), this.notice, this.none, this.list, this.more);
  }

  update(): void {
    const entries = this.model.log.slice(0, this.limit);
    reconcile(this.list, entries, keyOf, this.nodes, (entry) => this.line(entry));
    const hidden = this.model.log.length - entries.length;
    setText(this.more, text.log.more(Math.min(hidden, 20)));
    show(this.more, hidden > 0);
    show(this.none, entries.length === 0);
  }

  warn(sentence: string): void {
    setText(this.notice, sentence);
    show(this.notice, sentence !== '');
  }

  private showMore(): void {
    this.limit += 20;
    this.update();
  }

  private line(event: AlertEvent): HTMLElement {
    const { time, alert } = event, { what, note } = told(event);
    const calm = !isAlarm(event);
    const mark: Icon = calm ? 'check' : alert.severity;
    return el('li', { class: `log-line severity-${alert.severity}${calm ? ' calm' : ''}` },
      el('time', { datetime: new Date(time / 1000).toISOString() }, format.moment(time, this.now())), icon(mark),
      el('span', {}, el('b', {}, what), ' ', alert.message || alert.id, note && ` “${note}”`));
  }
}

function keyOf({ seq, cause, alert, time }: AlertEvent): string {
  return `${seq} ${time} ${cause} ${alert.id}`;
}
