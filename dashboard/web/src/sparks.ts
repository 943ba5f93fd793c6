// The trails behind the tiles: filled once from history, then from the stream.

import type { Reading, Series, Time } from './api.ts';
import { fetchHistory } from './rest.ts';
import { type SparkPoint, Trail, kPoints, kTrail } from './spark_data.ts';

const kSeriesPerRequest = 64;
/** Beyond this the trails start empty: a thousand histories are not worth a slow start. */
const kMostWithHistory = 320;

export class Sparks {
  private readonly trails = new Map<string, Trail>();
  private filled = new Set<string>();

  trail(name: string): Trail {
    let trail = this.trails.get(name);
    if (!trail) this.trails.set(name, (trail = new Trail()));
    return trail;
  }

  add(name: string, [time, value, quality]: Reading): void {
    if (value !== null && quality === 'good') this.trail(name).add(time, Number(value));
  }

  /** Forgets what the trails show, so that what happened while the link was down comes in from history. */
  reset(): void {
    this.trails.clear();
    this.filled.clear();
  }

  async fill(series: Series[], oldest: Time | null, now: Time, filled: () => void): Promise<void> {
    const wanted = series.filter(({ name }) => !this.filled.has(name)).slice(0, kMostWithHistory);
    wanted.forEach(({ name }) => this.filled.add(name));
    const from = Math.max(now - kTrail, oldest ?? 0);
    for (let at = 0; at < wanted.length; at += kSeriesPerRequest) {
      const names = wanted.slice(at, at + kSeriesPerRequest).map(({ name }) => name);
      try {
        const history = await fetchHistory(names, from, now, kPoints);
        for (const { name, points } of history.series) this.trail(name).prepend(points.flatMap(sparkPoint));
        filled();
      } catch {
        names.forEach((name) => this.filled.delete(name));
        return;
      }
    }
  }
}

function sparkPoint([time, min, max, , last]: [Time, number | null, number | null, number | null, number | null, number, number]): SparkPoint[] {
  return min === null || max === null || last === null ? [] : [{ time, min, max, last }];
}
