// One point on the page: its value if that can be trusted, and what is wrong with it if not.

import type { Severity, Series, Time } from './api.ts';
import { el, setAttribute, setClass, setText, svg } from './dom.ts';
import * as format from './format.ts';
import { changeIcon, icon } from './icons.ts';
import { type Told, tell } from './reading.ts';
import type { Trail } from './spark_data.ts';
import { kTrail, sparkPath } from './spark_data.ts';
import { text } from './strings.ts';

const kWidth = 120;
const kHeight = 26;
const kRedrawMs = 1500;

export class Tile {
  readonly node: HTMLButtonElement;
  private readonly value = el('span', { class: 'tile-number' });
  private readonly unit = el('span', { class: 'tile-unit' });
  private readonly note = el('span', { class: 'tile-note' });
  private readonly badge = el('span', { class: 'tile-age' });
  private readonly mark = icon('unknown');
  private readonly line = svg('path', { class: 'spark-line' });
  private readonly area = svg('path', { class: 'spark-area' });
  private drawnAt = -Infinity;

  constructor(series: Series, open: (name: string) => void) {
    const { device, metric } = format.splitName(series.name);
    this.node = el('button', { type: 'button', class: 'tile', title: series.name, 'data-series': series.name, click: () => open(series.name) },
      el('span', { class: 'tile-name' },
        el('span', { class: 'tile-metric' }, metric),
        device && el('span', { class: 'tile-device' }, device)),
      el('span', { class: 'tile-value' }, this.value, this.unit),
      this.note,
      svg('svg', { class: 'spark', viewBox: `0 0 ${kWidth} ${kHeight}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, this.area, this.line),
      el('span', { class: 'tile-foot' }, this.mark, this.badge));
  }

  /** @param online false while the link is down: then nothing is live, however young */
  update(series: Series, lastGood: Series['last'] | undefined, severity: Severity | null, now: Time, online: boolean): void {
    const { state, shown, badge, mark, live } = tell(series, now, online);
    setText(this.value, shown.value);
    setText(this.unit, shown.unit);
    setText(this.note, noteFor(series, state, lastGood, now));
    setText(this.badge, badge);
    changeIcon(this.mark, mark);
    setClass(this.node, `tile is-${state.kind}${live ? '' : ' not-live'}${severity ? ` in-alert severity-${severity}` : ''}`);
  }

  /** @param force false leaves out most of the drawings that a fast series asks for */
  draw(trail: Trail, series: Series, nowMs: number, force: boolean): void {
    if (!force && nowMs - this.drawnAt < kRedrawMs) return;
    this.drawnAt = nowMs;
    const points = trail.points;
    const step = points.length > 1 ? (points[points.length - 1]!.time - points[0]!.time) / points.length : kTrail;
    const { line, area } = sparkPath(points, kWidth, kHeight, Math.max(series.stale_after, 3 * step), series.kind === 'state' || series.kind === 'boolean');
    setAttribute(this.line, 'd', line);
    setAttribute(this.area, 'd', area);
  }
}

function noteFor(series: Series, state: Told['state'], lastGood: Series['last'] | undefined, now: Time): string {
  if (!series.last) return '';
  const [, value, quality, reason] = series.last;
  if (quality === 'bad' || value === null) {
    return lastGood ? text.points.lastGood(format.joined(format.value(series, lastGood[1])), format.age(now - lastGood[0])) : '';
  }
  const why = state.kind === 'uncertain' ? state.reason : reason;
  return why === '' || why === 'retained' ? '' : text.reason[why] ?? why;
}
