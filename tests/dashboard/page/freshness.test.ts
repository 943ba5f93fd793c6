import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ServerClock } from '../../../dashboard/web/src/clock.ts';
import type { Series } from '../../../dashboard/web/src/api.ts';
import { freshness, tally } from '../../../dashboard/web/src/freshness.ts';
import { tell } from '../../../dashboard/web/src/reading.ts';
import { kNow, kSecond, series } from './samples.ts';

test('a young good reading is fresh', () => assert.equal(freshness(series(), kNow).kind, 'fresh'));

test('a reading older than stale_after is stale, whatever its quality', () => {
  for (const quality of ['good', 'uncertain', 'bad'] as const) {
    const old = series({ last: [kNow - 4 * kSecond, 1, quality, 'no_answer'] });
    assert.deepEqual(freshness(old, kNow), { kind: 'stale', age: 4 * kSecond });
  }
});

test('a failed read is bad with its reason', () => {
  assert.deepEqual(freshness(series({ last: [kNow, null, 'bad', 'no_answer'] }), kNow), { kind: 'bad', age: 0, reason: 'no_answer' });
});

test('a retained reading is uncertain, never fresh', () => {
  assert.equal(freshness(series({ last: [kNow, 5, 'uncertain', 'retained'] }), kNow).kind, 'uncertain');
});

test('a series without a reading is unknown', () => assert.equal(freshness(series({ last: null }), kNow).kind, 'unknown'));

test('a reading from the future has no age', () => {
  assert.deepEqual(freshness(series({ last: [kNow + kSecond, 5, 'good', ''] }), kNow), { kind: 'fresh', age: 0 });
});

test('a reading from far in the future is uncertain, never fresh: its time tells nothing', () => {
  const ahead = (seconds: number) => freshness(series({ last: [kNow + seconds * kSecond, 5, 'good', ''] }), kNow);
  assert.equal(ahead(300).kind, 'fresh');
  assert.deepEqual(ahead(301), { kind: 'uncertain', age: 0, reason: 'clock' });
  assert.equal(freshness(series({ last: [kNow + 86_400 * kSecond, null, 'bad', 'no_answer'] }), kNow).kind, 'bad');
});

test('what is said of a reading follows its freshness and the link', () => {
  const told = (last: Series['last'], online = true) => {
    const { shown, badge, mark, live } = tell(series({ last }), kNow, online);
    return [shown.value, badge, mark, live];
  };
  assert.deepEqual(told([kNow - kSecond, 71.5, 'good', '']), ['71.5', '1 s', 'fresh', true]);
  assert.deepEqual(told([kNow - kSecond, 71.5, 'good', ''], false), ['71.5', 'Last known, 1 s', 'stale', false]);
  assert.deepEqual(told([kNow - 9 * kSecond, 71.5, 'good', '']), ['71.5', 'Stale, 9 s', 'stale', false]);
  assert.deepEqual(told([kNow, null, 'bad', 'no_answer']), ['No answer', 'Bad, 0 s', 'bad', false]);
  assert.deepEqual(told(null), ['–', 'No reading yet', 'unknown', false]);
});

test('the tally adds up', () => {
  const all = [series(), series({ last: null }), series({ last: [0, 1, 'good', ''] }), series({ last: [kNow, null, 'bad', 'device_fault'] })];
  assert.deepEqual(tally(all, kNow), { total: 4, fresh: 1, uncertain: 0, stale: 1, bad: 1, unknown: 1 });
});

test('the least delayed message sets the clock', () => {
  let ms = 1000;
  const clock = new ServerClock(() => ms);
  assert.ok(Number.isNaN(clock.now()));
  clock.observe(kNow);
  ms = 2000;
  clock.observe(kNow + 0.2 * kSecond);
  assert.equal(clock.now(), kNow + kSecond);
  ms = 3000;
  clock.observe(kNow + 2.5 * kSecond);
  assert.equal(clock.now(), kNow + 2.5 * kSecond);
});

test('a new connection starts the clock anew, and it runs on until then', () => {
  let ms = 0;
  const clock = new ServerClock(() => ms);
  clock.observe(kNow);
  clock.forget();
  ms = 500;
  assert.equal(clock.now(), kNow + 0.5 * kSecond);
  clock.observe(kNow - 3600 * kSecond);
  assert.equal(clock.now(), kNow - 3600 * kSecond);
});
