import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as format from '../../../dashboard/web/src/format.ts';
import { kNow, kSecond } from './samples.ts';

test('a number keeps three to four figures, steady in width', () => {
  assert.deepEqual([1234.5, 93.24, 4.567, 0.0123, 0, -17.46].map(format.number), ['1,235', '93.2', '4.57', '0.012', '0', '-17.5']);
});

test('very small and very large numbers are written with an exponent', () => {
  assert.deepEqual([0.00042, 3.2e18].map(format.number), ['4.20e-4', '3.20e+18']);
});

test('minus nothing is nothing', () => assert.equal(format.number(-0), '0'));

test('a span has its two largest units', () => {
  const spans = [0.4, 3, 59.9, 125, 3600, 3900, 90_000, 86_400 * 3].map((seconds) => format.span(seconds * kSecond));
  assert.deepEqual(spans, ['0 s', '3 s', '59 s', '2 min', '1 h', '1 h 5 min', '1 d 1 h', '3 d']);
});

test('a span never runs backwards', () => assert.equal(format.span(-5 * kSecond), '0 s'));

test('what is over soon has its milliseconds', () => {
  assert.deepEqual([0, 0.13, 2.8, 9.96, 12.4, 999.4, 1000, 4300, 12_345].map(format.brief), ['0 ms', '0.1 ms', '2.8 ms', '10 ms', '12 ms', '999 ms', '1 s', '4.3 s', '12.3 s']);
});

test('bytes are scaled by 1024', () => {
  assert.deepEqual([512, 148e6, 2 ** 30].map(format.bytes), ['512 B', '141.1 MiB', '1.00 GiB']);
});

test('a state shows its text, and its code where the text is not known', () => {
  const state = { kind: 'state' as const, unit: '', states: ['idle', 'run'] };
  assert.equal(format.value(state, 1).value, 'run');
  assert.equal(format.value(state, 7).value, 'state 7');
});

test('a boolean is on or off, whichever way it is sent', () => {
  const boolean = { kind: 'boolean' as const, unit: '' };
  assert.deepEqual([0, 1, true, false].map((raw) => format.value(boolean, raw).value), ['off', 'on', 'on', 'off']);
});

test('a missing value is a dash without a unit', () => {
  assert.deepEqual(format.value({ kind: 'number', unit: '°C' }, null), { value: '–', unit: '' });
});

test('bytes and long seconds are scaled, other units stay as they are', () => {
  assert.equal(format.joined(format.quantity(3 * 2 ** 20, 'B/s')), '3.00 MiB/s');
  assert.equal(format.joined(format.quantity(7200, 's')), '2 h');
  assert.equal(format.joined(format.quantity(93.2, '°C')), '93.2 °C');
});

test('a limit is written as the configuration writes it', () => {
  assert.deepEqual([format.plain(90, '°C'), format.plain(0.2, '°C/min'), format.plain(73.7391, '°C'), format.plain(0.00512, 'A')],
    ['90 °C', '0.2 °C/min', '73.74 °C', '0.00512 A']);
});

test('a name splits at its last slash', () => {
  assert.deepEqual(format.splitName('hall/boiler1/temperature'), { device: 'hall/boiler1', metric: 'temperature' });
  assert.deepEqual(format.splitName('uptime'), { device: '', metric: 'uptime' });
});

test('a moment of another day carries its date', () => {
  assert.ok(format.moment(kNow - 48 * 3600 * kSecond, kNow).length > format.moment(kNow - kSecond, kNow).length);
});

test('a refusal reads as a sentence', () => {
  assert.equal(format.sentence('too many attempts: wait 30 s'), 'Too many attempts: wait 30 s.');
  assert.equal(format.sentence("'x' is no name."), "'x' is no name.");
  assert.equal(format.sentence('boiler1/temp is hot'), 'boiler1/temp is hot.');
});
