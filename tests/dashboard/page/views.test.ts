import assert from 'node:assert/strict';
import { test } from 'node:test';

import { backlogLevel, stages } from '../../../dashboard/web/src/channel_view.ts';
import { group } from '../../../dashboard/web/src/groups.ts';
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
  assert.deepEqual(gates({ store: { ...state().store, health: 'down' } })[1], 'closed');
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
