// The chart as a table, newest first.

import type { Envelope, Series, Time } from './api.ts';
import { el } from './dom.ts';
import * as format from './format.ts';
import { text } from './strings.ts';

export function chartTable(series: Series, points: Envelope[], from: Time, to: Time): HTMLTableElement {
  const say = (value: number | null) => format.joined(format.value(series, value));
  const rows = points.filter(([time]) => time >= from && time <= to).reverse().map(([time, min, max, avg, last, count, bad]) =>
    el('tr', {}, el('th', { scope: 'row' }, format.moment(time, to)),
      ...[say(min), say(max), say(avg), say(last), format.count(count), format.count(bad)].map((cell) => el('td', {}, cell))));
  return el('table', {}, el('caption', { class: 'visually-hidden' }, series.name),
    el('thead', {}, el('tr', {}, ...text.chart.columns.map((name) => el('th', { scope: 'col' }, name)))), el('tbody', {}, ...rows));
}
