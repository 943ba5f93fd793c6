import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as links from '../../../dashboard/web/src/link.ts';

const kPing = 10_000;

test('a link that speaks is live', () => assert.deepEqual(links.shown(links.heard(5000), 9000, kPing), { kind: 'live' }));

test('a link that is quiet past a ping is delayed, and says for how long', () => {
  assert.deepEqual(links.shown(links.heard(0), 14_000, kPing), { kind: 'delayed', seconds: 14 });
});

test('a link silent for two and a half pings is given up', () => {
  assert.equal(links.isSilent(links.heard(0), 25_000, kPing), false);
  assert.equal(links.isSilent(links.heard(0), 25_001, kPing), true);
});

test('retries double up to half a minute, with jitter of half to one and a half', () => {
  assert.deepEqual([0, 1, 2, 3, 10].map((attempt) => links.retryDelay(attempt, 'lost', 0.5)), [1000, 2000, 4000, 8000, 30_000]);
  assert.equal(links.retryDelay(2, 'lost', 0), 2000);
  assert.equal(links.retryDelay(2, 'lost', 1), 6000);
});

test('a busy gateway is left alone for about half a minute at once', () => assert.equal(links.retryDelay(0, 'busy', 0.5), 30_000));

test('who may be let in again at once does not wait', () => assert.equal(links.retryDelay(0, 'ended', 0.5), 200));

test('attempts add up until something is heard', () => {
  let link: links.Link = links.lost(links.heard(1000), 'lost', 2000, 0.5);
  assert.deepEqual(link, { kind: 'waiting', attempt: 1, retryAt: 3000, lostAt: 1000, why: 'lost' });
  link = links.lost(links.retry(link), 'lost', 4000, 0.5);
  assert.deepEqual(link, { kind: 'waiting', attempt: 2, retryAt: 6000, lostAt: 1000, why: 'lost' });
  assert.deepEqual(links.lost(links.heard(9000), 'lost', 9000, 0.5), { kind: 'waiting', attempt: 1, retryAt: 10_000, lostAt: 9000, why: 'lost' });
});

test('waiting counts down and says since when', () => {
  const link = links.lost(links.heard(1000), 'bye', 2000, 0.5);
  assert.deepEqual(links.shown(link, 2500, kPing), { kind: 'reconnecting', inSeconds: 3, offlineMs: 1500, why: 'bye' });
  assert.deepEqual(links.shown(links.retry(link), 6000, kPing), { kind: 'trying', offlineMs: 5000 });
});

test('the first connection is not a reconnection', () => assert.deepEqual(links.shown(links.start(), 50, kPing), { kind: 'connecting' }));
