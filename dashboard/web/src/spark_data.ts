// The recent course of one series in at most kPoints envelope points: while it is short every reading is kept, then
// neighbours are merged, until the trail is kTrail long and old points leave.

import type { Time } from './api.ts';
import { kMinute } from './format.ts';

export const kPoints = 120;
export const kTrail = 20 * kMinute;

export interface SparkPoint {
  time: Time;
  min: number;
  max: number;
  last: number;
}

export class Trail {
  points: SparkPoint[] = [];
  private width = 0;

  constructor(points: SparkPoint[] = []) {
    this.points = points;
    this.shrink();
  }

  add(time: Time, value: number): void {
    const tail = this.points[this.points.length - 1];
    if (tail && time <= tail.time) return;
    if (tail && time - tail.time < this.width) {
      tail.min = Math.min(tail.min, value);
      tail.max = Math.max(tail.max, value);
      tail.last = value;
      return;
    }
    this.points.push({ time, min: value, max: value, last: value });
    const oldest = time - kTrail;
    while (this.points.length > 1 && this.points[0]!.time < oldest) this.points.shift();
    this.shrink();
  }

  /** History that arrived late goes in front of what was heard live. */
  prepend(points: SparkPoint[]): void {
    const first = this.points[0]?.time ?? Infinity;
    this.points = [...points.filter(({ time }) => time < first), ...this.points];
    this.shrink();
  }

  private shrink(): void {
    while (this.points.length > kPoints) {
      const extent = this.points[this.points.length - 1]!.time - this.points[0]!.time;
      this.width = Math.max(this.width * 2, (2 * extent) / kPoints);
      this.points = merged(this.points, this.width);
    }
  }
}

function merged(points: SparkPoint[], width: number): SparkPoint[] {
  const out: SparkPoint[] = [];
  for (const point of points) {
    const tail = out[out.length - 1];
    if (tail && point.time - tail.time < width) {
      tail.min = Math.min(tail.min, point.min);
      tail.max = Math.max(tail.max, point.max);
      tail.last = point.last;
    } else {
      out.push({ ...point });
    }
  }
  return out;
}

/**
 * The trail as an SVG path in a box of `width` x `height`, with the line broken where no reading came for longer than
 * `gap` microseconds. A flat trail lies in the middle; states go in steps.
 */
export function sparkPath(points: SparkPoint[], width: number, height: number, gap: Time, stepped: boolean): { line: string; area: string } {
  const first = points[0], tail = points[points.length - 1];
  if (!first || !tail || first === tail) return { line: '', area: '' };
  const low = Math.min(...points.map(({ min }) => min)), high = Math.max(...points.map(({ max }) => max));
  const range = high - low || 1, lift = high === low ? height / 2 : 1.5;
  const x = (time: Time) => (((time - first.time) / (tail.time - first.time)) * width).toFixed(1);
  const y = (value: number) => (height - lift - ((value - low) / range) * (height - 3)).toFixed(1);
  let line = '', area = '', run = '', runStart = '', previous: SparkPoint | null = null;
  const closeRun = () => {
    if (previous && run) area += `${run}L${x(previous.time)} ${height}L${runStart} ${height}Z`;
  };
  for (const point of points) {
    if (!previous || point.time - previous.time > gap) {
      closeRun();
      runStart = x(point.time);
      line += `M${runStart} ${y(point.last)}`;
      run = `M${runStart} ${y(point.last)}`;
    } else {
      const to = stepped ? `H${x(point.time)}V${y(point.last)}` : `L${x(point.time)} ${y(point.last)}`;
      line += to;
      run += to;
    }
    previous = point;
  }
  closeRun();
  return { line, area };
}
