import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Store } from '../../../dashboard/web/src/api.ts';
import { backlogLevel, stages } from '../../../dashboard/web/src/channel_view.ts';
import { group } from '../../../dashboard/web/src/groups.ts';
import { groupLetters } from '../../../dashboard/web/src/letters.ts';
import { Model } from '../../../dashboard/web/src/model.ts';
import { statusLine } from '../../../dashboard/web/src/status.ts';
import { alert, kNow, kSecond, series, state, uplink } from './samples.ts';

function line(change: { series?: ReturnType<typeof series>[]; alerts?: ReturnType<typeof alert>[] | null; state?: Parameters<typeof state>[0] } = {}) {
  const model = new Model();
  model.apply({ type: 'snapshot', data: { time: kNow, series: change.series ?? [series()], alerts: change.alerts === undefined ? [] : change.alerts, state: state(change.state) } });
  return statusLine(model, kNow);
}

test('a gateway in order says so in one calm sentence', () => {
  const all = [series({ name: 'a/x' }), series({ name: 'a/y' })];
  assert.deepEqual(line({ series: all }), { sentence: 'All 2 points fresh. No alerts. Upstream up to date.', mood: 'calm' });
});

test('the status line names what is not fresh, what is unacknowledged and how far behind the upstream is', () => {
  const all = [series({ name: 'a/x' }), series({ name: 'a/y', last: [0, 1, 'good', ''] }), series({ name: 'a/z', last: [kNow, null, 'bad', 'no_answer'] })];
  const late = uplink({ backlog_batches: 15, backlog_oldest: kNow - 3 * kSecond });
  assert.deepEqual(line({ series: all, alerts: [alert()], state: { uplinks: [late] } }),
    { sentence: '1 of 3 points fresh, 1 stale, 1 bad. 1 alert (1 critical, 1 not acknowledged). Upstream 3 s behind.', mood: 'alarm' });
});

test('a pending alert is not yet an alert', () => assert.match(line({ alerts: [alert({ phase: 'pending', acknowledged: true })] }).sentence, /No alerts\./));

test('an acknowledgement still owed counts, though the alert is about to be raised again', () => {
  assert.match(line({ alerts: [alert({ phase: 'pending' })] }).sentence, /1 alert \(1 critical, 1 not acknowledged\)\./);
});

test('a silenced alert counts for nobody', () => {
  const silent = [alert({ silenced: true, out_of_service: true }), alert({ id: 'hot:boiler2', silenced: true, suppressed_by: 'power', phase: 'pending' })];
  assert.deepEqual(line({ alerts: silent }), { sentence: 'The one point is fresh. No alerts. Upstream up to date.', mood: 'calm' });
});

test('alerts that cannot be read are said so, not counted as none', () => {
  assert.deepEqual(line({ alerts: null }), { sentence: 'The one point is fresh. Alerts cannot be read. Upstream up to date.', mood: 'attention' });
});

test('a source and an upstream that are down are named', () => {
  const sources = state().sources.map((source) => ({ ...source, health: 'down' as const }));
  const { sentence, mood } = line({ state: { sources, uplinks: [uplink({ health: 'down', backlog_batches: 9, backlog_oldest: kNow - 240 * kSecond })] } });
  assert.match(sentence, /Sources plant, field down\. Upstream cut off, 4 min waiting\./);
  assert.equal(mood, 'attention');
});

test('gates follow the health of what they stand for', () => {
  const gates = (change: Parameters<typeof state>[0]) => stages(state(change), kNow).map(({ gate }) => gate);
  const [first, second] = state().sources;
  assert.deepEqual(gates({}), ['open', 'open', 'open', 'open']);
  assert.deepEqual(gates({ sources: [first!, { ...second!, health: 'down' }] })[0], 'half');
  assert.deepEqual(gates({ sources: [{ ...first!, health: 'down' }] })[0], 'closed');
  assert.deepEqual(gates({ uplinks: [uplink({ health: 'down' })] }).slice(2), ['closed', 'closed']);
  assert.deepEqual(gates({ uplinks: [] }).slice(2), ['none', 'none']);
  const gate = (takes_alerts: boolean) => gates({ store: { ...state().store, health: 'down', takes_samples: false, takes_alerts } })[1];
  assert.deepEqual([gate(true), gate(false)], ['half', 'closed']);
});

test('a store that takes nothing is told with what that means for alerts and for the upstream', () => {
  const say = (change: Partial<Store>) => line({ state: { store: { ...state().store, health: 'down', takes_samples: false, ...change } } });
  assert.deepEqual(say({}), { mood: 'attention', sentence: 'The one point is fresh. No alerts. Readings are not being stored, so those below grow old; ' +
    'alerts still are. Upstream gets alerts and no readings.' });
  assert.deepEqual(say({ takes_alerts: false }), { mood: 'attention', sentence: 'The one point is fresh. No stored alerts. Nothing is being stored: ' +
    'the readings below grow old, and an alert raised now waits for the disk. Upstream gets nothing new.' });
  assert.deepEqual(say({ takes_alerts: false, alerts_waiting: 2 }), { mood: 'alarm', sentence: 'The one point is fresh. No stored alerts. Nothing is being ' +
    'stored, so the readings below grow old and 2 changes of alerts wait for the disk. Upstream gets nothing new.' });
});

test('the upstream is not called up to date by the channel while nothing is stored', () => {
  const words = (takes_alerts: boolean) => stages(state({ store: { ...state().store, health: 'down', takes_samples: false, takes_alerts } }), kNow).map(({ line }) => line);
  assert.deepEqual(words(true).slice(2), ['alerts only', 'alerts only']);
  assert.deepEqual(words(false).slice(2), ['not storing', 'gets nothing new']);
});

test('damage that cost something is not kept from the status line', () => {
  const { sentence, mood } = line({ state: { store: { ...state().store, notices: ['journal.db was damaged'] } } });
  assert.match(sentence, /Stored data was damaged: the store below says what it cost\./);
  assert.equal(mood, 'attention');
});

test('refused messages of one cause are one group, however they quote their values', () => {
  const letter = { id: 1, time: kNow, times: 1, source: 'field', topic: 'a/b', payload: 'x', reason: "'off' is no number" };
  const groups = groupLetters([letter, { ...letter, topic: 'a/c', times: 4, reason: "'it's' is no number" }, { ...letter, source: 'other' }, { ...letter, reason: '12 bytes' }]);
  assert.deepEqual(groups.map(({ reason, times, letters }) => [reason, times, letters.length]),
    [['‘…’ is no number', 5, 2], ["'off' is no number", 1, 1], ['12 bytes', 1, 1]]);
});

test('water rises with the backlog and never over the rim', () => {
  const levels = [0, 60, 3600, 86_400, 86_400 * 30].map((seconds) => backlogLevel(uplink({ backlog_batches: 1, backlog_oldest: kNow - seconds * kSecond }), kNow));
  assert.deepEqual([...levels].sort((a, b) => a - b), levels);
  assert.ok(levels[2]! > levels[0]! + 0.25 && levels[4]! < 1);
});

test('points stand by area, else by device, and what the gateway says of itself comes last', () => {
  const sources = [{ ...state().sources[0]!, name: 'box', type: 'host' }];
  const all = [series({ name: 'host/cpu', source: 'box' }), series({ name: 'pump10/speed' }), series({ name: 'pump2/speed' }), series({ name: 'b1/t', labels: { area: 'east' } }), series({ name: 'b2/t', labels: { area: 'east' } })];
  assert.deepEqual(group(all, sources).map(({ title, mixed, series: members }) => [title, mixed, members.length]),
    [['east', true, 2], ['pump2', false, 1], ['pump10', false, 1], ['box', false, 1]]);
});
