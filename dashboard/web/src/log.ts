// What happened: the newest alert events, and the floods of them.

import { isAlarm, told } from './alert_words.ts';
import type { AlertEvent, FloodEvent, Time } from './api.ts';
import { el, reconcile, setText, show } from './dom.ts';
import * as format from './format.ts';
import { type Icon, icon } from './icons.ts';
import type { Model } from './model.ts';
import { text } from './strings.ts';

const kFirst = 8;
type Entry = AlertEvent | FloodEvent;

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
    const all: Entry[] = [...this.model.floods, ...this.model.log].sort((a, b) => b.seq - a.seq);
    const entries = all.slice(0, this.limit);
    reconcile(this.list, entries, keyOf, this.nodes, (entry) => 'alert' in entry ? this.line(entry) : this.flood(entry));
    const hidden = all.length - entries.length;
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
      el('span', {}, el('b', {}, what), ' ', alert.message || alert.id, note && ` “${note}”`,
        ...event.publish.map(({ to, topic, payload }) => el('span', { class: 'published' }, text.log.published(to, topic, payload))),
        ...event.write.map(({ point, value }) => el('span', { class: 'published' }, text.log.written(point, value)))));
  }

  private flood({ time, on, first, count }: FloodEvent): HTMLElement {
    return el('li', { class: `log-line severity-critical${on ? '' : ' calm'}` },
      el('time', { datetime: new Date(time / 1000).toISOString() }, format.moment(time, this.now())), icon(on ? 'critical' : 'check'),
      el('span', {}, el('b', {}, on ? text.flood.began(count) : text.flood.over(count)), ' ', text.flood.beganWith(first)));
  }
}

function keyOf(entry: Entry): string {
  return 'alert' in entry ? `${entry.seq} ${entry.time} ${entry.cause} ${entry.alert.id}` : `${entry.seq} ${entry.time} ${entry.on} ${entry.first}`;
}
