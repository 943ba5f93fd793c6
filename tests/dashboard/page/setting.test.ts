import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { WritablePoint } from '../../../dashboard/web/src/api.ts';
import { newValue, numberOf, suggestion, takes, valueOf, wrongWith } from '../../../dashboard/web/src/setting.ts';

const point = (more: Partial<WritablePoint>): WritablePoint => ({ series: 'a/b', source: 's', kind: 'number', unit: '', interlock: '', ...more });
const degrees = point({ unit: '°C', min: -40, max: 75.5 });
const lamp = point({ kind: 'boolean' });
const mode = point({ kind: 'state', states: ['heat', 'cool'] });

test('what a point takes is told in words', () => {
  assert.deepEqual([degrees, lamp, mode].map(takes), ['-40 to 75.5 °C', 'on or off', 'heat, cool']);
});

test('a number is read as people type it, and never guessed', () => {
  assert.deepEqual(['62', ' 62.5 ', '62,5', '-3', '−3', '1e3', '.5', '1234,5'].map(numberOf), [62, 62.5, 62.5, -3, -3, 1000, 0.5, 1234.5]);
  assert.deepEqual(['', 'hot', '1,234', '1.234,5', '1,2,3', '62 °C', 'Infinity', '0x10'].map(numberOf), Array(8).fill(null));
});

test('what a point does not take is told before the gateway is asked', () => {
  assert.equal(wrongWith(degrees, '75,5'), '');
  assert.equal(wrongWith(degrees, '76'), 'It takes -40 to 75.5 °C.');
  assert.equal(wrongWith(degrees, 'warm'), 'Enter a number, like 62.5.');
  assert.equal(wrongWith(lamp, ''), 'Choose what it is to be set to.');
  assert.equal(wrongWith(mode, 'cool'), '');
  assert.deepEqual([valueOf(degrees, '62,50'), valueOf(mode, 'cool')], ['62.5', 'cool']);
  assert.deepEqual([newValue(degrees, '62.5'), newValue(mode, 'cool')], ['62.5 °C', 'cool']);
});

test('a form begins with what is there, or with the other one of two', () => {
  const states = { states: ['idle', 'heat'] };
  assert.equal(suggestion(degrees, {}, [0, 62.300000000000004, 'good', '']), '62.3');
  assert.equal(suggestion(degrees, {}, [0, null, 'bad', 'no_answer']), '');
  assert.equal(suggestion(degrees, {}, null), '');
  assert.equal(suggestion(lamp, {}, [0, 0, 'good', '']), 'on');
  assert.equal(suggestion(mode, states, [0, 1, 'good', '']), 'heat');
  assert.equal(suggestion(mode, states, [0, 0, 'good', '']), '', 'idle is none that it may be set to');
});
