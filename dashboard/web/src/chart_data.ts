// The points behind the chart: history's envelope, continued live in buckets of the same width. Pure.

import type { Alert, Envelope, Reading, Rule, Series, Time } from './api.ts';

export interface Columns {
  /** Seconds since 1970: what uPlot's time axis counts in. */
  x: number[];
  middle: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

export interface Summary {
  low: number;
  high: number;
  mean: number;
  last: number;
  samples: number;
  gaps: number;
  bad: number;
  changes: number;
}

export class ChartData {
  /**
   * @param bucket width of a history bucket; @param gap silence that counts as a gap (both microseconds)
   * @param live does the window end at the present? One that stands in the past has no place for what comes now
   */
  constructor(readonly points: Envelope[], private readonly bucket: number, private readonly gap: number, private readonly live = true) {}

  add([time, value, quality]: Reading): void {
    if (!this.live) return;
    const tail = this.points[this.points.length - 1];
    if (tail && time <= tail[0]) return;
    const bad = value === null || quality === 'bad';
    const number = bad ? null : Number(value);
    if (tail && time - tail[0] < this.bucket) this.points[this.points.length - 1] = widened(tail, number);
    else this.points.push([time, number, number, number, number, bad ? 0 : 1, bad ? 1 : 0]);
  }

  /** Drops what has left the window, so that a page left open for days stays small. */
  forgetBefore(time: Time): void {
    let first = 0;
    while (first < this.points.length && this.points[first]![0] < time) first += 1;
    if (first > 1) this.points.splice(0, first - 1);
  }

  /** @param exact true draws the last value of each bucket (states, counters), false the average */
  columns(exact: boolean): Columns {
    const out: Columns = { x: [], middle: [], low: [], high: [] };
    let previous: Time | null = null;
    for (const [time, min, max, avg, last] of this.points) {
      if (previous !== null && this.isGap(previous, time)) append(out, (previous + time) / 2, null, null, null);
      append(out, time, exact ? last : avg, min, max);
      previous = time;
    }
    return out;
  }

  summary(from: Time, to: Time): Summary | null {
    let sum = null as Summary | null, previous = null as Envelope | null, total = 0, gaps = 0, bad = 0;
    for (const point of this.points) {
      const [time, min, max, avg, last, count, failed] = point;
      if (time < from || time > to) continue;
      if (previous && this.isGap(previous[0], time)) gaps += 1;
      bad += failed;
      if (min !== null && max !== null && avg !== null && last !== null) {
        if (sum && last !== sum.last) sum.changes += 1;
        sum = { low: Math.min(sum?.low ?? min, min), high: Math.max(sum?.high ?? max, max), mean: 0, last, samples: (sum?.samples ?? 0) + count,
          gaps: 0, bad: 0, changes: sum?.changes ?? 0 };
        total += avg * count;
      }
      previous = point;
    }
    return sum && { ...sum, mean: total / sum.samples, gaps, bad };
  }

  private isGap(before: Time, after: Time): boolean {
    return after - before > this.gap;
  }
}

function widened([time, min, max, avg, last, count, bad]: Envelope, value: number | null): Envelope {
  if (value === null) return [time, min, max, avg, last, count, bad + 1];
  if (min === null || max === null || avg === null) return [time, value, value, value, value, 1, bad];
  return [time, Math.min(min, value), Math.max(max, value), (avg * count + value) / (count + 1), value, count + 1, bad];
}

function append(out: Columns, time: Time, middle: number | null, low: number | null, high: number | null): void {
  out.x.push(time / 1e6);
  out.middle.push(middle);
  out.low.push(low);
  out.high.push(high);
}

/** The alerts whose limit is a level among the series' values: with every kind but threshold it is a width, a rate, a time. */
export function withLevels({ name, unit }: Series, alerts: Iterable<Alert>, rules: Rule[]): Alert[] {
  const thresholds = new Set(rules.filter(({ kind }) => kind === 'threshold').map((rule) => rule.name));
  return [...alerts].filter((alert) => alert.series === name && alert.unit === unit && alert.limit !== null && thresholds.has(alert.rule));
}

/** The places of values that have no neighbour, and so no line. */
export function alone(values: ArrayLike<number | null | undefined>): number[] {
  const is = (at: number) => (values[at] ?? null) !== null;
  return Array.from({ length: values.length }, (_unused, at) => at).filter((at) => is(at) && !is(at - 1) && !is(at + 1));
}

/** Silence that the chart draws as a gap: longer than the series itself may be silent, and than two empty buckets. */
export function gapFor(staleAfter: number, bucket: number): number {
  return Math.max(staleAfter, 2.5 * bucket);
}
