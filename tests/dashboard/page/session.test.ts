import assert from 'node:assert/strict';
import { test } from 'node:test';

import { codeOf, isThisMachine, lacks, linkIn } from '../../../dashboard/web/src/session.ts';
import type { Role } from '../../../dashboard/web/src/api.ts';

test('a role may do what the ones below it may, and nobody without a log-in anything', () => {
  const roles: Role[] = ['viewer', 'operator', 'admin'];
  const may = (role: Role) => roles.map((needed) => Number(lacks({ name: 'x', role, password: true }, needed) === '')).join('');
  assert.deepEqual(roles.map(may), ['100', '110', '111']);
  assert.equal(lacks(null, 'viewer'), 'Needs the role viewer');
});

test('a claim code is read however it was typed', () => {
  for (const typed of ['K7MQ-2XFD', 'k7mq2xfd', ' k7mq 2xfd\n', 'K7-MQ-2X-FD']) assert.equal(codeOf(typed), 'K7MQ-2XFD', typed);
  for (const typed of ['', 'K7MQ-2XF', 'K7MQ-2XFDA', 'K7MQ_2XFD', 'Ä7MQ-2XFD']) assert.equal(codeOf(typed), '', typed);
});

test('only a link is a link', () => {
  assert.equal(linkIn('#link=a_B-9'), 'a_B-9');
  for (const hash of ['', '#', '#link=', '#link', '#upstream', '#a&link=x']) assert.equal(linkIn(hash), '', hash);
});

test('what goes to the loopback stays on this machine', () => {
  for (const host of ['localhost', '127.0.0.1', '127.8.8.8', '[::1]']) assert.equal(isThisMachine(host), true, host);
  for (const host of ['box.local', '127.evil.example', '192.168.1.7', 'localhost.evil.example', '']) assert.equal(isThisMachine(host), false, host);
});
