import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Envelope } from '../../../dashboard/web/src/api.ts';
import { ChartData, alone, gapFor, withLevels } from '../../../dashboard/web/src/chart_data.ts';
import { Trail, kPoints, kTrail, sparkPath } from '../../../dashboard/web/src/spark_data.ts';
import { alert, kNow, kSecond, series, state } from './samples.ts';

const at = (seconds: number) => kNow + seconds * kSecond;
const point = (seconds: number, low: number, high = low): Envelope => [at(seconds), low, high, (low + high) / 2, high, 1, 0];

test('silence longer than the gap breaks the line', () => {
  const data = new ChartData([point(0, 1), point(2, 2), point(20, 3)], kSecond, 6 * kSecond);
  assert.deepEqual(data.columns(false).middle, [1, 2, null, 3]);
});

test('a bucket of failed reads is a hole', () => {
  const data = new ChartData([point(0, 1), [at(1), null, null, null, null, 0, 2], point(2, 2)], kSecond, 6 * kSecond);
  assert.deepEqual(data.columns(false).low, [1, null, 2]);
  assert.equal(data.summary(at(0), at(9))?.bad, 2);
});

test('a value between gaps, and one that is the only one, stand alone', () => {
  const data = new ChartData([point(0, 1), point(20, 2), point(40, 3), point(41, 4), point(60, 5)], kSecond, 6 * kSecond);
  const { middle } = data.columns(false);
  assert.deepEqual(alone(middle).map((at) => middle[at]), [1, 2, 5]);
  assert.deepEqual(alone([7]), [0]);
  assert.deepEqual(alone([null, 0, null, 1, 2]), [1]);
});

test('live readings widen the last bucket, then start the next', () => {
  const data = new ChartData([point(0, 10)], 2 * kSecond, 6 * kSecond);
  data.add([at(1), 14, 'good', '']);
  data.add([at(2), 11, 'good', '']);
  assert.deepEqual(data.points, [[at(0), 10, 14, 12, 14, 2, 0], [at(2), 11, 11, 11, 11, 1, 0]]);
});

test('a reading that history already holds is not counted twice', () => {
  const data = new ChartData([point(5, 10)], kSecond, 6 * kSecond);
  data.add([at(5), 99, 'good', '']);
  assert.equal(data.points.length, 1);
});

test('a window in the past takes no live readings, so that one left open does not grow', () => {
  const data = new ChartData([point(0, 10)], kSecond, 6 * kSecond, false);
  for (let i = 1; i < 100; i += 1) data.add([at(i), i, 'good', '']);
  assert.equal(data.points.length, 1);
});

test('the summary counts samples, gaps and changes in the window only', () => {
  const data = new ChartData([point(0, 100), point(10, 1, 3), point(11, 2, 2), point(30, 5)], kSecond, 6 * kSecond);
  assert.deepEqual(data.summary(at(9), at(40)), { low: 1, high: 5, mean: 3, last: 5, samples: 3, gaps: 1, bad: 0, changes: 2 });
  assert.equal(data.summary(at(50), at(60)), null);
});

test('forgetting keeps one point before the window, so that the line enters it', () => {
  const data = new ChartData([point(0, 1), point(1, 1), point(2, 1), point(3, 1)], kSecond, 6 * kSecond);
  data.forgetBefore(at(2.5));
  assert.deepEqual(data.points.map(([time]) => time), [at(2), at(3)]);
});

test('a slow sensor is not drawn as a row of gaps', () => {
  assert.equal(gapFor(90 * kSecond, kSecond), 90 * kSecond);
  assert.equal(gapFor(2 * kSecond, 60 * kSecond), 150 * kSecond);
});

test('a trail stays bounded and keeps its extremes', () => {
  const trail = new Trail();
  for (let i = 0; i < 5000; i += 1) trail.add(at(i * 0.2), i === 4800 ? 99 : i % 7);
  assert.ok(trail.points.length <= kPoints);
  assert.ok(trail.points.some(({ max }) => max === 99));
});

test('a trail forgets what is older than its length', () => {
  const trail = new Trail();
  for (let i = 0; i < 400; i += 1) trail.add(at(i * 30), i);
  const { points } = trail;
  assert.ok(points[points.length - 1]!.time - points[0]!.time <= kTrail);
});

test('history that comes late goes before what was heard live', () => {
  const trail = new Trail();
  trail.add(at(10), 5);
  trail.prepend([{ time: at(1), min: 1, max: 1, last: 1 }, { time: at(11), min: 9, max: 9, last: 9 }]);
  assert.deepEqual(trail.points.map(({ last }) => last), [1, 5]);
});

test('a spark is one line per run of readings', () => {
  const points = [0, 1, 2, 60, 61].map((seconds) => ({ time: at(seconds), min: seconds, max: seconds, last: seconds }));
  const { line } = sparkPath(points, 100, 20, 5 * kSecond, false);
  assert.equal(line.match(/M/g)?.length, 2);
  assert.equal(sparkPath(points.slice(0, 1), 100, 20, kSecond, false).line, '');
});

test('only a limit of a threshold is a level in the chart', () => {
  const [threshold] = state().rules;
  const rules = ['threshold', 'flatline', 'change', 'deviation'].map((kind) => ({ ...threshold!, name: kind, kind }));
  const alerts = rules.map(({ name }) => alert({ id: name, rule: name }));
  const of = (change: Parameters<typeof alert>[0]) => alert({ id: 'other', rule: 'threshold', ...change });
  const others = [of({ series: 'boiler2/temperature' }), of({ unit: 's' }), of({ limit: null }), of({ rule: 'gone' })];
  assert.deepEqual(withLevels(series(), [...alerts, ...others], rules).map(({ id }) => id), ['threshold']);
});
