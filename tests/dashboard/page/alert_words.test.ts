import assert from 'node:assert/strict';
import { test } from 'node:test';

import { aloud, chatterOf, evidenceOf, floodNow, inFlood, isAlarm, isListed, isPending, isSilent, told, whySilenced } from '../../../dashboard/web/src/alert_words.ts';
import type { Alert } from '../../../dashboard/web/src/api.ts';
import { alert, kNow, kSecond } from './samples.ts';

const shelved = (change: Partial<Alert> = {}) => alert({ silenced: true, shelved_until: kNow + 60 * kSecond, shelved_by: 'Eva', shelved_why: 'valve is changed', ...change });
const event = (cause: string, one: Alert) => ({ seq: 1, time: kNow, cause, from: 'active' as const, alert: one, publish: [], write: [] });

test('an alert stands in one list: listed, about to be raised, silent, or in none', () => {
  const lists = (one: Alert) => [isListed(one), isPending(one), isSilent(one)].map(Number).join('');
  assert.equal(lists(alert()), '100');
  assert.equal(lists(alert({ phase: 'pending', acknowledged: true })), '010');
  assert.equal(lists(shelved()), '001');
  assert.equal(lists(shelved({ phase: 'normal', acknowledged: true })), '001');
  assert.equal(lists(alert({ silenced: true, suppressed_by: 'power' })), '001');
  assert.equal(lists(alert({ silenced: true, shadow: true, phase: 'pending', acknowledged: true })), '000');
});

test('a silenced alert says every reason why nobody is called', () => {
  const all = new Map([['power:hall', alert({ id: 'power:hall', message: 'Hall 3 has no power' })]]);
  const why = (one: Alert) => whySilenced(one, all, kNow);
  assert.deepEqual(why(alert()), []);
  assert.match(why(shelved())[0]!, /^Shelved by Eva until \d\d:\d\d:\d\d: valve is changed$/);
  assert.deepEqual(why(shelved({ shelved_until: null, out_of_service: true, shelved_by: '', shadow: true })),
    ['Taken out of service: valve is changed', 'Its rule is on trial']);
  assert.deepEqual(why(alert({ suppressed_by: 'power:hall' })), ['Explained by Hall 3 has no power']);
  assert.deepEqual(why(alert({ suppressed_by: 'gone:hall' })), ['Explained by gone:hall']);
});

test('why an alert was raised is told name by name', () => {
  assert.deepEqual(evidenceOf(alert()), []);
  const facts = [{ name: 'slope', value: 2.5, unit: '°C/min', state: '' }, { name: 'boiler1/valve', value: 1, unit: '', state: 'open' }, { name: 'R²', value: null, unit: '', state: '' }];
  const evidence = { version: '5c1f09be', from: kNow - 600 * kSecond, to: kNow, series: ['boiler1/valve', 'room/+/temperature'], facts };
  assert.deepEqual(evidenceOf(alert({ evidence })), [['slope', '2.5 °C/min'], ['boiler1/valve', 'open'], ['R²', 'beyond any number'],
    ['room/+/temperature', 'was read as well'], ['Time looked at', '10 min'], ['Version of the rule', '5c1f09be']]);
});

test('in a flood the alert with which it began stays in front', () => {
  const one = alert({ id: 'first', severity: 'info', acknowledged: true }), other = alert({ id: 'other' }), flood = { since: kNow - 240 * kSecond, first: 'first', count: 23 };
  const order = (on: typeof flood | null) => [other, one].sort(inFlood(on)).map(({ id }) => id);
  assert.deepEqual(order(null), ['other', 'first']);
  assert.deepEqual(order(flood), ['first', 'other']);
  assert.equal(floodNow(flood, new Map([['first', one]]), kNow), 'Flood: 23 new alerts in 4 min. It began with: boiler1 is hot');
  assert.equal(floodNow(flood, new Map(), kNow), 'Flood: 23 new alerts in 4 min. It began with: first');
});

test('an alert that chatters says what would keep it quiet', () => {
  assert.equal(chatterOf(alert()), '');
  assert.equal(chatterOf(alert({ chatter: 5, chatter_band: 1.5 })), 'Chattering: raised 5 times; a dead band of 1.5 °C would keep it quiet');
  assert.equal(chatterOf(alert({ chatter: 4 })), 'Chattering: raised 4 times');
});

test('what is silenced is not said aloud, and what is silenced no longer is', () => {
  assert.equal(aloud(event('raised', alert())), 'Critical alert: boiler1 is hot');
  assert.equal(aloud(event('escalated', alert())), 'Critical alert: boiler1 is hot');
  assert.equal(aloud(event('unshelved', alert())), 'Critical alert: boiler1 is hot');
  assert.equal(aloud(event('unsuppressed', alert())), 'Critical alert: boiler1 is hot');
  assert.equal(aloud(event('unshelved', alert({ phase: 'normal' }))), '');
  assert.equal(aloud(event('eased', alert())), '');
  assert.equal(aloud(event('cleared', alert({ phase: 'normal' }))), 'Alert over: boiler1 is hot');
  for (const cause of ['raised', 'cleared', 'shelved', 'suppressed', 'escalated']) assert.equal(aloud(event(cause, shelved())), '', cause);
});

test('the log says how far it went and in whose words', () => {
  assert.deepEqual(told(event('escalated', alert())), { what: 'Escalated to Critical', note: '' });
  assert.deepEqual(told(event('eased', alert({ severity: 'warning' }))), { what: 'Eased to Warning', note: '' });
  assert.deepEqual(told(event('acknowledged', alert({ acknowledged_by: 'Eva', note: 'on my way' }))), { what: 'Acknowledged by Eva', note: 'on my way' });
  const { what, note } = told(event('shelved', shelved()));
  assert.match(what, /^Shelved by Eva until \d\d:\d\d:\d\d$/);
  assert.equal(note, 'valve is changed');
  assert.equal(told(event('shelved', shelved({ shelved_until: null, out_of_service: true }))).what, 'Out of service by Eva');
  assert.equal(told(event('unshelved', alert())).what, 'Unshelved');
  assert.deepEqual([isAlarm(event('escalated', alert())), isAlarm(event('eased', alert())), isAlarm(event('raised', shelved()))], [true, false, false]);
});
