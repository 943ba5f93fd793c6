import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { AlertEvent, StreamEvent } from '../../../dashboard/web/src/api.ts';
import { byUrgency, isListed } from '../../../dashboard/web/src/alert_words.ts';
import { Model } from '../../../dashboard/web/src/model.ts';
import { alert, kNow, kSecond, series, state } from './samples.ts';

function modelWith(...alerts: ReturnType<typeof alert>[]): Model {
  const model = new Model();
  model.apply({ type: 'snapshot', data: { time: kNow, series: [series()], alerts, state: state() } });
  model.takeChanges();
  return model;
}

function event(change: Partial<AlertEvent> & { alert: ReturnType<typeof alert> }): StreamEvent {
  return { type: 'alert', data: { seq: change.seq ?? 5, alerts: [{ seq: 5, time: kNow, cause: 'raised', from: 'pending', publish: [], write: [], ...change }] } };
}

function entry(seq: number): AlertEvent {
  return { seq, time: kNow, cause: 'raised', from: 'pending', publish: [], write: [], alert: alert() };
}

function hello(epoch: string): StreamEvent {
  return { type: 'hello', data: { epoch, time: kNow, version: '', name: '', site: '', ping_seconds: 10, max_streams: 64, demo: false } };
}

test('a snapshot replaces all that was known and asks for the rest', () => {
  const model = modelWith();
  model.apply({ type: 'snapshot', data: { time: kNow, series: [series({ name: 'pump/speed' })], alerts: [], state: state() } });
  assert.deepEqual([...model.series.keys()], ['pump/speed']);
  assert.ok(model.takeChanges().parts.has('reload'));
});

test('a delta moves the readings that it names, and only those', () => {
  const model = modelWith();
  model.apply({ type: 'delta', data: { time: kNow, values: { 'boiler1/temperature': [kNow, 72, 'good', ''], 'no/such': [kNow, 1, 'good', ''] } } });
  const changes = model.takeChanges();
  assert.deepEqual([...changes.values], ['boiler1/temperature']);
  assert.equal(model.series.get('boiler1/temperature')?.last?.[1], 72);
  assert.equal(model.series.has('no/such'), false);
  assert.deepEqual(model.takeChanges().values.size, 0);
});

test('a failed read keeps the last good value beside it', () => {
  const model = modelWith();
  model.apply({ type: 'delta', data: { time: kNow, values: { 'boiler1/temperature': [kNow, null, 'bad', 'no_answer'] } } });
  assert.equal(model.lastGood.get('boiler1/temperature')?.[1], 71.5);
});

test('a raised alert is active and in the log; a cleared one is in the log only', () => {
  const model = modelWith();
  model.apply(event({ alert: alert() }));
  assert.equal(model.alerts.get('hot:boiler1')?.phase, 'active');
  model.apply(event({ seq: 6, time: kNow + kSecond, cause: 'cleared', alert: alert({ phase: 'normal', since: kNow + kSecond }) }));
  assert.equal(model.alerts.size, 0);
  assert.deepEqual(model.log.map(({ cause }) => cause), ['cleared', 'raised']);
});

test('a replayed transition does not undo what the snapshot already knows', () => {
  const model = modelWith(alert({ since: kNow + 9 * kSecond }));
  model.apply(event({ cause: 'cleared', alert: alert({ phase: 'normal', since: kNow }) }));
  assert.equal(model.alerts.get('hot:boiler1')?.phase, 'active');
  assert.equal(model.log.length, 1);
});

test('an event that the log holds already is not told twice', () => {
  const model = modelWith();
  model.apply(event({ alert: alert() }));
  model.apply(event({ alert: alert() }));
  assert.equal(model.log.length, 1);
});

test('an event that the log holds already does not revert an acknowledgement', () => {
  const model = modelWith();
  model.apply(event({ alert: alert() }));
  model.takeAnswer(alert({ acknowledged: true }));
  model.apply(event({ alert: alert() }));
  assert.equal(model.alerts.get('hot:boiler1')?.acknowledged, true);
});

test('an event that the log brought first still raises its alert', () => {
  const model = modelWith();
  const raised = event({ alert: alert() });
  model.takeLog(raised.type === 'alert' ? raised.data.alerts : [], []);
  model.apply(raised);
  assert.equal(model.alerts.get('hot:boiler1')?.phase, 'active');
  assert.equal(model.log.length, 1);
});

test('a log that was on its way does not take back what the stream told meanwhile', () => {
  const model = modelWith();
  model.apply(event({ seq: 8, alert: alert() }));
  model.takeLog([entry(7), entry(6)], []);
  assert.deepEqual(model.log.map(({ seq }) => seq), [8, 7, 6]);
});

test('an event older than the log goes behind it', () => {
  const model = modelWith();
  model.takeLog([entry(7), entry(6)], []);
  model.apply(event({ seq: 4, alert: alert() }));
  assert.deepEqual(model.log.map(({ seq }) => seq), [7, 6, 4]);
});

test('another journal counts anew: its first alerts are news', () => {
  const model = modelWith();
  model.apply(hello('one'));
  model.apply(event({ seq: 900, alert: alert({ id: 'old:one' }) }));
  model.apply(hello('another'));
  assert.deepEqual(model.log, []);
  model.apply(event({ seq: 3, alert: alert() }));
  assert.equal(model.alerts.get('hot:boiler1')?.phase, 'active');
  assert.deepEqual(model.log.map(({ seq }) => seq), [3]);
});

test('the same journal, set back to an earlier state, counts anew too', () => {
  const model = modelWith();
  model.apply(event({ seq: 900, alert: alert({ id: 'old:one' }) }));
  model.apply({ type: 'gap', data: { first: null, last: null, why: 'id' } });
  model.apply(event({ seq: 3, alert: alert() }));
  assert.deepEqual(model.log.map(({ seq }) => seq), [3]);
});

test('the same journal after a reconnect tells nothing twice', () => {
  const model = modelWith();
  model.apply(hello('one'));
  model.apply(event({ alert: alert() }));
  model.apply(hello('one'));
  model.apply({ type: 'snapshot', data: { time: kNow, series: [], alerts: [], state: state() } });
  model.apply(event({ alert: alert() }));
  assert.equal(model.alerts.size, 0);
});

test('an acknowledgement that is answered after the alert has cleared does not bring it back', () => {
  const model = modelWith(alert());
  model.apply(event({ cause: 'cleared', alert: alert({ phase: 'normal', since: kNow + kSecond }) }));
  model.takeAnswer(alert({ acknowledged: true }));
  assert.equal(model.alerts.size, 0);
});

test('alerts that the gateway cannot read are not none', () => {
  const model = modelWith();
  model.apply({ type: 'snapshot', data: { time: kNow, series: [], alerts: null, state: state() } });
  assert.equal(model.alertsKnown, false);
  model.apply({ type: 'alerts', data: { alerts: [alert()] } });
  assert.equal(model.alertsKnown, true);
});

test('a gap asks for everything afresh, and is told apart from a mere reconnection', () => {
  const model = modelWith();
  model.apply({ type: 'gap', data: { first: null, last: null, why: 'retention' } });
  const { parts } = model.takeChanges();
  assert.ok(parts.has('reload') && parts.has('gap'));
  model.apply({ type: 'snapshot', data: { time: kNow, series: [], alerts: [], state: state() } });
  assert.equal(model.takeChanges().parts.has('gap'), false);
});

test('a source change shows at once, an older one does not', () => {
  const model = modelWith();
  const change = (time: number, health: 'up' | 'down') => model.apply({ type: 'source', data: { seq: 9, changes: [{ time, source: 'field', health, text: 'x' }] } });
  change(kNow + kSecond, 'down');
  change(kNow - kSecond, 'up');
  assert.equal(model.state?.sources[1]?.health, 'down');
});

test('what needs a person stands first: not acknowledged, then severity, then age', () => {
  const sorted = [alert({ id: 'a', acknowledged: true }), alert({ id: 'b', severity: 'warning' }), alert({ id: 'c', raised: kNow - kSecond }), alert({ id: 'd' })].sort(byUrgency);
  assert.deepEqual(sorted.map(({ id }) => id), ['d', 'c', 'b', 'a']);
});

test('an acknowledgement that is owed keeps its alert in the list, whatever came after', () => {
  assert.deepEqual((['normal', 'pending', 'active', 'clearing', 'returned'] as const).map((phase) => isListed(alert({ phase, acknowledged: false }))), [false, true, true, true, true]);
  assert.deepEqual((['normal', 'pending', 'active', 'clearing', 'returned'] as const).map((phase) => isListed(alert({ phase, acknowledged: true }))), [false, false, true, true, true]);
});

test('a normal alert is known as long as it is shelved', () => {
  const shelved = alert({ phase: 'normal', silenced: true, shelved_until: kNow + kSecond });
  const model = modelWith(alert());
  model.apply(event({ cause: 'shelved', alert: shelved }));
  assert.equal(model.alerts.get('hot:boiler1')?.phase, 'normal');
  model.takeAnswer({ ...shelved, shelved_until: null, out_of_service: true });
  assert.equal(model.alerts.get('hot:boiler1')?.out_of_service, true);
  model.apply(event({ seq: 6, cause: 'unshelved', alert: alert({ phase: 'normal' }) }));
  assert.equal(model.alerts.size, 0);
});

test('a flood is told once, whether by the stream, by a resume or by the log', () => {
  const model = modelWith();
  const flood = { seq: 9, time: kNow, on: true, since: kNow - kSecond, first: 'hot:boiler1', count: 10 };
  model.apply({ type: 'flood', data: { seq: 9, floods: [flood] } });
  model.apply({ type: 'flood', data: { seq: 9, floods: [flood] } });
  model.takeLog([entry(7)], [{ ...flood, seq: 12, on: false, count: 23 }, flood]);
  assert.deepEqual(model.floods.map(({ seq, on }) => [seq, on]), [[12, false], [9, true]]);
  assert.ok(model.takeChanges().parts.has('log'));
});
