import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { text } from '../../../dashboard/web/src/strings.ts';

test('every word is said somewhere', () => {
  const code = readdirSync('src').filter((name) => name.endsWith('.ts') && name !== 'strings.ts').map((name) => readFileSync(`src/${name}`, 'utf8')).join('\n');
  const said = (path: string) => new RegExp(`\\btext\\.${path}\\b`).test(code);
  const unsaid = Object.entries(text).flatMap(([part, words]) =>
    typeof words !== 'object' || code.includes(`text.${part}[`) ? (said(part) ? [] : [part]) : Object.keys(words).map((word) => `${part}.${word}`).filter((path) => !said(path)));
  assert.deepEqual(unsaid, []);
});
