// What a reading is worth right now. Decided in one place, so that no view can show an old value as live.

import type { Reason, Series, Time } from './api.ts';
import { kMinute } from './format.ts';

export type Freshness =
  | { kind: 'fresh'; age: number }
  | { kind: 'uncertain'; age: number; reason: Reason }
  | { kind: 'stale'; age: number }
  | { kind: 'bad'; age: number; reason: Reason }
  | { kind: 'unknown' };

/** A time further ahead than this is wrong, so it tells no age; the mqtt source draws the line at the same place. */
const kAhead = 5 * kMinute;

/** @param now the server's clock; ages are in microseconds */
export function freshness(series: Series, now: Time): Freshness {
  if (!series.last) return { kind: 'unknown' };
  const [time, value, quality, reason] = series.last;
  const age = Math.max(0, now - time);
  if (age > series.stale_after) return { kind: 'stale', age };
  if (quality === 'bad' || value === null) return { kind: 'bad', age, reason };
  if (time - now > kAhead) return { kind: 'uncertain', age, reason: 'clock' };
  if (quality === 'uncertain') return { kind: 'uncertain', age, reason };
  return { kind: 'fresh', age };
}

export interface Tally {
  total: number;
  fresh: number;
  uncertain: number;
  stale: number;
  bad: number;
  unknown: number;
}

export function tally(all: Iterable<Series>, now: Time): Tally {
  const sum: Tally = { total: 0, fresh: 0, uncertain: 0, stale: 0, bad: 0, unknown: 0 };
  for (const series of all) {
    sum.total += 1;
    sum[freshness(series, now).kind] += 1;
  }
  return sum;
}
