import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { DiffLine } from '../../../dashboard/web/src/api.ts';
import { grantOf } from '../../../dashboard/web/src/people_view.ts';
import { effects } from '../../../dashboard/web/src/rule_editor.ts';
import { near } from '../../../dashboard/web/src/rule_history.ts';

const both = (n: number): DiffLine => ({ kind: 'both', from: n, to: n, text: String(n) });
const added: DiffLine = { kind: 'added', from: null, to: 99, text: 'new' };
const shown = (lines: DiffLine[]) => near(lines).map((line) => line?.text ?? '…').join(' ');

test('of a difference the lines around it are shown', () => {
  const lines = Array.from({ length: 20 }, (_, at) => both(at));
  assert.equal(shown(lines), '');
  assert.equal(shown([]), '');
  assert.equal(shown([...lines.slice(0, 10), added, ...lines.slice(10)]), '7 8 9 new 10 11 12');
  assert.equal(shown([added, ...lines, added]), 'new 0 1 2 … 17 18 19 new');
  assert.equal(shown([added, ...lines.slice(0, 6), added]), 'new 0 1 2 3 4 5 new');
});

test('what a text would change is told in sentences', () => {
  const nothing = { problems: [], added: [], removed: [], changed: [], alerts_ended: [] };
  assert.deepEqual(effects(nothing), ['It changes no rule.']);
  assert.deepEqual(effects({ ...nothing, added: ['a', 'b'], alerts_ended: ['c:d'] }), ['Adds a, b.', 'Ends these alerts, which are up: c:d.']);
});

test('a token has a role or the part of one that was chosen', () => {
  assert.deepEqual(grantOf('push', '', 'x'), { scope: 'push' });
  assert.deepEqual(grantOf('push', 'plant', ''), { scope: 'push:plant' });
  assert.deepEqual(grantOf('read', 'x', 'boiler1/#'), { scope: 'read:boiler1/#' });
  assert.deepEqual(grantOf('metrics', 'x', 'y'), { scope: 'metrics' });
  assert.deepEqual(grantOf('viewer', 'x', 'y'), { role: 'viewer' });
});
