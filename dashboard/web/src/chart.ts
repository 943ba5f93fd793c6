// The chart sheet of one point: history and live, ranges and zoom by button, key or drag, a sentence and a table that
// say the same without looking.

import type { Alert, Reading, Series, Time } from './api.ts';
import { ChartData, gapFor, withLevels } from './chart_data.ts';
import { chartTable } from './chart_table.ts';
import { el, setAttribute, setClass, setText, show } from './dom.ts';
import * as format from './format.ts';
import { type Icon, icon } from './icons.ts';
import type { Model } from './model.ts';
import { Plot } from './plot.ts';
import type { PointSetting } from './point_setting.ts';
import { tell } from './reading.ts';
import { fetchHistory } from './rest.ts';
import { text } from './strings.ts';

const kPoints = 400;
const kShortest = 10 * format.kSecond;
const kLongest = 30 * format.kDay;
const kDefaultRange = 15;
/** The gateway knows the series no more: another journal, say. */
const kGone = { shown: { value: '', unit: '' }, badge: '', live: false, mark: 'unknown' } as const;

/** What the chart asks of the page around it. */
export interface Around {
  /** The server's time, and whether the link is up. */
  now(): Time;
  online(): boolean;
  /** The right end of a window that follows the present: it stands still while the page is paused. */
  present(): Time;
  closed(name: string): void;
}

export class Chart {
  readonly node: HTMLElement;
  private readonly title = el('h2', { id: 'chart-title', tabindex: -1 });
  private readonly current = el('span');
  private readonly age = el('span', { class: 'chart-age' });
  private readonly readout = el('p', { class: 'chart-readout' });
  private readonly summary = el('p', { class: 'chart-summary', id: 'chart-summary' });
  private readonly message = el('p', { class: 'chart-message', hidden: true });
  private readonly frame = el('div', { class: 'plot', tabindex: 0, role: 'img', 'aria-labelledby': 'chart-title chart-summary chart-keys' });
  private readonly table = el('div', { class: 'chart-table', tabindex: 0, hidden: true });
  private readonly ranges: HTMLButtonElement[] = [];
  private readonly follow: HTMLButtonElement;
  private readonly view: HTMLButtonElement;
  private plot: Plot | null = null;
  private data = new ChartData([], 0, Infinity);
  private name: string | null = null;
  private span = kDefaultRange * format.kMinute;
  /** Right end of a window that stands still; null follows the present. */
  private until: Time | null = null;
  private cursor: number | null = null;
  private request = 0;

  constructor(private readonly model: Model, private readonly around: Around, private readonly setting: PointSetting) {
    const ranges = el('div', { class: 'segments', role: 'group', 'aria-label': text.chart.rangeLabel });
    for (const [label, minutes] of text.chart.ranges) {
      const button = el('button', { type: 'button', class: 'segment', click: () => this.goTo(minutes * format.kMinute, null) }, label);
      this.ranges.push(button);
      ranges.append(button);
    }
    this.follow = el('button', { type: 'button', class: 'button follow', hidden: true, click: () => this.goTo(this.span, null) }, icon('play'), text.chart.follow);
    this.view = el('button', { type: 'button', class: 'button', 'aria-pressed': 'false', click: () => this.switchView() }, text.chart.table);
    this.node = el('section', { class: 'chart', 'aria-labelledby': 'chart-title', hidden: true, keydown: (event: KeyboardEvent) => this.key(event) },
      el('div', { class: 'chart-head' }, this.title, this.current, this.age,
        el('button', { type: 'button', class: 'icon-button close', 'aria-label': text.chart.close, title: text.chart.close, click: () => this.close() }, icon('close'))),
      el('div', { class: 'chart-tools' }, ranges,
        el('div', { class: 'tool-group' },
          tool('earlier', text.chart.earlier, () => this.pan(-0.5)), tool('later', text.chart.later, () => this.pan(0.5)),
          tool('plus', text.chart.zoomIn, () => this.zoom(0.5)), tool('minus', text.chart.zoomOut, () => this.zoom(2))),
        this.follow, this.view, setting.node),
      el('div', { class: 'chart-body' }, this.message, this.frame, this.table), this.readout, this.summary,
      el('p', { class: 'visually-hidden', id: 'chart-keys' }, text.chart.keys));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.plot?.recolour());
  }

  get shownSeries(): string | null {
    return this.name;
  }

  /** Looked up each time: a snapshot or a new description puts another object in its place. */
  private get series(): Series | null {
    return this.name === null ? null : this.model.series.get(this.name) ?? null;
  }

  open(name: string): void {
    const series = this.model.series.get(name);
    if (!series) return;
    this.plot?.close();
    this.name = name;
    show(this.node, true);
    document.documentElement.classList.add('chart-open');
    setText(this.title, name);
    this.showCurrent();
    this.plot = new Plot(this.frame, () => this.series ?? series, {
      cursor: (at) => this.showCursor(at),
      selected: (from, to) => this.goTo(Math.max(kShortest, (to - from) * 1e6), to * 1e6),
    });
    this.goTo(this.span, null);
    void this.setting.follow(name);
    this.title.focus({ preventScroll: true });
  }

  close(): void {
    const name = this.name;
    this.plot?.close();
    this.plot = null;
    this.name = null;
    this.request += 1;
    void this.setting.follow(null);
    show(this.node, false);
    document.documentElement.classList.remove('chart-open');
    if (name !== null) this.around.closed(name);
  }

  /** A new reading of the series that is shown. */
  add(reading: Reading): void {
    this.showCurrent();
    this.data.add(reading);
  }

  /** The reading ages and the window moves on with the time, about once a second. */
  tick(): void {
    this.showCurrent();
    this.setting.update();
    if (!this.plot || this.until !== null) return;
    this.data.forgetBefore(this.around.present() - this.span);
    this.draw();
  }

  /** After the link was down there is a hole that only history fills. */
  async load(): Promise<void> {
    const series = this.series;
    if (!series) return;
    const mine = (this.request += 1);
    const to = this.until ?? this.around.present(), from = to - this.span, bucket = this.span / kPoints;
    this.say(text.chart.loading);
    try {
      const history = await fetchHistory([series.name], from, to, kPoints);
      if (mine !== this.request) return;
      this.data = new ChartData(history.series[0]?.points ?? [], bucket, gapFor(series.stale_after, bucket), this.until === null);
      this.say(this.data.points.length ? '' : text.chart.empty);
      this.draw();
    } catch (problem) {
      if (mine === this.request) this.say(problem instanceof Error ? problem.message : String(problem));
    }
  }

  private goTo(span: number, until: Time | null): void {
    const now = this.around.present();
    this.span = Math.min(kLongest, Math.max(kShortest, span));
    this.until = until !== null && until < now ? until : null;
    this.ranges.forEach((button, at) =>
      setAttribute(button, 'aria-pressed', String(this.until === null && this.span === text.chart.ranges[at]![1] * format.kMinute)));
    if (this.until === null && document.activeElement === this.follow) this.title.focus({ preventScroll: true });
    show(this.follow, this.until !== null);
    void this.load();
  }

  private zoom(factor: number): void {
    const to = this.until ?? this.around.present();
    const span = Math.min(kLongest, Math.max(kShortest, this.span * factor));
    this.goTo(span, this.until === null ? null : to - this.span / 2 + span / 2);
  }

  private pan(share: number): void {
    this.goTo(this.span, (this.until ?? this.around.present()) + share * this.span);
  }

  private draw(): void {
    const series = this.series;
    if (!this.plot || !series) return;
    const to = this.until ?? this.around.present(), from = to - this.span;
    this.plot.show(this.data.columns(series.kind !== 'number'), from / 1e6, to / 1e6, this.limits());
    setText(this.summary, this.sentence(series, from, to));
    if (this.cursor === null) setText(this.readout, this.limitWords());
    if (!this.table.hidden) this.table.replaceChildren(chartTable(series, this.data.points, from, to));
  }

  private sentence(series: Series, from: Time, to: Time): string {
    const now = this.around.now(), sum = this.data.summary(from, to);
    const range = this.until === null ? text.chart.lastSpan(format.span(this.span)) : text.chart.between(format.moment(from, now), format.moment(to, now));
    if (!sum) return text.chart.empty;
    const say = (value: number) => format.joined(format.value(series, value));
    return series.kind === 'state' || series.kind === 'boolean'
      ? text.chart.summaryStates(range, say(sum.last), sum.changes)
      : text.chart.summary(range, say(sum.low), say(sum.high), say(sum.mean), say(sum.last), sum.gaps, sum.bad);
  }

  private alertsWithLevels(): Alert[] {
    return this.series ? withLevels(this.series, this.model.alerts.values(), this.model.state?.rules ?? []) : [];
  }

  private limits(): number[] {
    return this.alertsWithLevels().map(({ limit }) => limit!);
  }

  private limitWords(): string {
    return this.alertsWithLevels().map(({ limit, unit }) => text.chart.limit(format.plain(limit!, unit))).join(', ');
  }

  private showCurrent(): void {
    const series = this.series;
    const { shown, badge, live, mark } = series ? tell(series, this.around.now(), this.around.online()) : kGone;
    setText(this.current, format.joined(shown));
    setClass(this.current, live ? 'chart-current' : 'chart-current aged');
    setText(this.age, mark === 'fresh' ? '' : badge);
  }

  private showCursor(at: number | null): void {
    this.cursor = at;
    const series = this.series;
    const columns = at === null || !series ? null : this.data.columns(series.kind !== 'number');
    const x = columns?.x[at!];
    if (!columns || !series || x === undefined) return setText(this.readout, this.limitWords());
    const time = format.moment(x * 1e6, this.around.now());
    const [middle, low, high] = [columns.middle[at!] ?? null, columns.low[at!] ?? null, columns.high[at!] ?? null];
    const say = (value: number | null) => format.joined(format.value(series, value));
    setText(this.readout, middle === null ? text.chart.noData(time) : text.chart.at(time, say(middle), say(low), say(high)));
  }

  private switchView(): void {
    const table = this.table.hidden;
    show(this.table, table);
    show(this.frame, !table);
    setText(this.view, table ? text.chart.graph : text.chart.table);
    setAttribute(this.view, 'aria-pressed', String(table));
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Escape') return this.close();
    if (document.activeElement !== this.frame) return;
    const step = (by: number) => this.plot?.moveCursor(Math.max(0, (this.cursor ?? this.data.columns(true).x.length) + by));
    const actions: Record<string, () => void> = {
      ArrowLeft: () => step(-1), ArrowRight: () => step(1), PageUp: () => this.pan(-0.5), PageDown: () => this.pan(0.5),
      '+': () => this.zoom(0.5), '-': () => this.zoom(2), 0: () => this.goTo(this.span, null),
    };
    const act = actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  private say(sentence: string): void {
    setText(this.message, sentence);
    show(this.message, sentence !== '');
  }
}

function tool(name: Icon, label: string, act: () => void): HTMLButtonElement {
  return el('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, click: act }, icon(name));
}
