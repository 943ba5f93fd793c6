// Where a gateway is looked after: rules, users, tokens, the audit, in a real browser against the fake gateway.
// usage: node desk_test.mjs DIST
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kPassword } from '../fake_access.mjs';
import { open, seriousViolations, textOf, until, untilLive, untilText } from './browser.mjs';
import { browser, kHot, withPage } from './rig.mjs';

const kAdmin = { user: 'anna' };
const kNew = 'ebb and flow and ebb again';
const button = (within, name) => within.getByRole('button', { name });
const goTo = (page, name) => page.getByRole('navigation').getByRole('link', { name }).click();
const seen = (page) => page.$$eval('nav a:not([hidden])', (links) => links.map((link) => link.textContent));
const record = (page, name) => page.locator('.record', { hasText: name });
const field = (page, id) => page.locator(`#${id}`);

test('each role is shown the views that it may see, and an address beyond them leads to the live one', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  assert.deepEqual(await seen(page), ['Live', 'Rules']);
  await untilText(page.locator('nav a[aria-current]'), /^Live$/);
  gateway.access.add('Eva', 'admin');
  await page.reload();
  await untilLive(page);
  assert.deepEqual(await seen(page), ['Live', 'Rules', 'People', 'System']);
  await record(page, 'vic').waitFor();
  assert.equal(await page.locator('main:visible').count(), 1);
  await goTo(page, 'Live');
  await page.locator('.tile').first().waitFor();
  await page.goBack();
  await record(page, 'vic').waitFor();
  assert.match(page.url(), /#\/people$/);
}, { hash: () => '#/people' }));

test('a rule is turned off with a note, which says who did it, and on again', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  await goTo(page, 'Rules');
  const card = page.locator('.view .card', { hasText: 'boiler-overheating' });
  await button(card, 'Turn off').click();
  await card.locator('input[name=note]').fill('sensor is changed');
  await card.locator('[type=submit]').click();
  await untilText(card, /Turned off by anna, .*“sensor is changed”/);
  assert.equal(gateway.desk.off.get('boiler-overheating').off_note, 'sensor is changed');
  assert.deepEqual(await seriousViolations(page), []);
  await button(card, 'Turn on').click();
  await card.locator('[type=submit]').click();
  await until('the button to be back', () => button(card, 'Turn off').isVisible());
  assert.equal(gateway.desk.off.size, 0);
}, kAdmin));

test('rules are checked, refused at their place and saved', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await untilLive(page);
  await goTo(page, 'Rules');
  const text = field(page, 'rules-text'), editor = page.locator('.editor');
  await until('the text', async () => (await text.inputValue()).includes('name: hot'));
  await text.press('Control+End');
  await text.pressSequentially('\n  - name: cold');
  await untilText(editor.locator('[role=status]').first(), /^Not saved yet\.$/);
  await button(editor, 'Check').click();
  await untilText(editor.locator('.outcome'), /^Nothing is wrong with it\.Adds cold\.$/);
  await text.pressSequentially('\n    wrong: 1');
  expectRefusal();
  await button(editor, 'Save').click();
  await untilText(editor.locator('.form-error'), /^1 problem; nothing was changed\.$/);
  await untilText(editor.locator('.problems'), /^line 7, column 5 unknown key 'wrong'/);
  await button(editor, 'line 7, column 5').click();
  assert.equal(await text.evaluate((node) => node.value.slice(node.selectionStart, node.selectionEnd)), 'wrong: 1');
  assert.deepEqual(await seriousViolations(page), []);
  await page.keyboard.press('Delete');
  await editor.locator('input[name=rules-note]').fill('the cold store');
  await button(editor, 'Save').click();
  await untilText(editor.locator('.outcome'), /the rules are at work/);
  assert.match(gateway.desk.text, /name: cold/);
  assert.deepEqual([gateway.desk.versions[0].who, gateway.desk.versions[0].note], ['anna', 'the cold store']);
  await untilText(record(page, 'Version 2'), /anna · rules saved “the cold store”/);
  await untilText(page.locator('.view .card').nth(1), /cold/);
}, kAdmin));

test('two who edit the rules do not overwrite one another unseen', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await untilLive(page);
  await goTo(page, 'Rules');
  const text = field(page, 'rules-text'), editor = page.locator('.editor');
  await until('the text', async () => (await text.inputValue()) !== '');
  await text.fill('rules:\n  - name: mine\n');
  gateway.desk.put('rules:\n  - name: theirs\n', 'otto', 'rules saved');
  expectRefusal();
  await button(editor, 'Save').click();
  await untilText(editor.locator('.form-error'), /^Otto has changed the rules meanwhile/);
  assert.match(gateway.desk.text, /theirs/);
  await button(editor, 'Keep mine').click();
  await button(editor, 'Save').click();
  await untilText(editor.locator('.outcome'), /at work/);
  assert.match(gateway.desk.text, /mine/);
  gateway.desk.put('rules:\n  - name: theirs\n', 'otto', 'rules saved');
  await text.fill('rules:\n  - name: again\n');
  await button(editor, 'Save').click();
  await button(editor, 'Load what is there now').click();
  await until('their text', async () => /theirs/.test(await text.inputValue()));
}, kAdmin));

test('what was typed stays while its reader looks elsewhere', () => withPage(async ({ page }) => {
  await untilLive(page);
  await goTo(page, 'Rules');
  const text = field(page, 'rules-text');
  await until('the text', async () => (await text.inputValue()) !== '');
  await text.fill('rules: []  # not done yet');
  await goTo(page, 'Live');
  await goTo(page, 'Rules');
  await page.waitForTimeout(300);
  assert.equal(await text.inputValue(), 'rules: []  # not done yet');
  await text.fill('');
  await text.press('Control+z');
}, { user: 'Eva' }));

test('an older text is compared and brought back', () => withPage(async ({ gateway, page }) => {
  gateway.desk.put('rules:\n  - name: hotter\n', 'otto', 'rules saved', 'summer');
  await untilLive(page);
  await goTo(page, 'Rules');
  const first = record(page, 'Version 1');
  await button(first, 'Compare').click();
  await untilText(first.locator('.diff'), /− +- name: hot\n/);
  await untilText(first.locator('.diff'), /\+ +- name: hotter/);
  assert.deepEqual(await seriousViolations(page), []);
  await button(first, 'Bring').click();
  await first.locator('[type=submit]').click();
  await untilText(record(page, 'Version 3'), /rules of version 1 again/);
  assert.equal(gateway.desk.text, gateway.desk.versions[2].text);
  await until('the editor to have it', async () => (await field(page, 'rules-text').inputValue()) === gateway.desk.text);
}, kAdmin));

test('who may only look sees the rules, and no way to change them', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  await goTo(page, 'Rules');
  await until('the text', async () => (await field(page, 'rules-text').inputValue()) !== '');
  assert.equal(await field(page, 'rules-text').getAttribute('readonly'), '');
  await untilText(page.locator('.editor .refusal'), /^Needs the role admin$/);
  assert.equal(await button(page.locator('.editor'), 'Save').isVisible(), false);
  await button(page.locator('.view .card').first(), 'Turn off').click({ force: true });
  assert.equal(await page.locator('.view .ack-form').count(), 0);
  assert.deepEqual(gateway.asked.filter((one) => one.startsWith('POST')), []);
}, { user: 'vic' }));

test('users are added, given another role and password, and removed after a question', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await untilLive(page);
  await goTo(page, 'People');
  await page.getByText('Add a user').click();
  await field(page, 'new-user').fill('ben');
  await field(page, 'new-user-role').selectOption('operator');
  await field(page, 'new-user-password').fill('short');
  await button(page, 'Add').click();
  await untilText(field(page, 'new-user-password-error'), /at least 12/);
  await field(page, 'new-user-password').fill(kNew);
  await button(page, 'Add').click();
  await record(page, 'ben').waitFor();
  assert.deepEqual(gateway.access.users.get('ben'), { role: 'operator', password: kNew });
  assert.equal(await field(page, 'new-user-password').inputValue(), '', 'no password stays behind');
  await page.getByLabel('Role of ben').selectOption('viewer');
  await until('the role', () => gateway.access.users.get('ben').role === 'viewer');
  await button(record(page, 'ben'), 'Set the password').click();
  await record(page, 'ben').locator('input').last().fill(kPassword);
  assert.deepEqual(await seriousViolations(page), []);
  await record(page, 'ben').locator('[type=submit]').click();
  await untilText(page.locator('.said'), /password of ben is set/);
  assert.equal(gateway.access.users.get('ben').password, kPassword);
  await button(record(page, 'ben'), 'Remove ben').click();
  assert.ok(gateway.access.users.has('ben'), 'one click removes nobody');
  await untilText(record(page, 'ben'), /Remove ben\? All log-ins of that name end/);
  await record(page, 'ben').locator('[type=submit]').click();
  await until('ben to be gone', async () => (await record(page, 'ben').count()) === 0);
  expectRefusal();
  await button(record(page, 'anna'), 'Remove anna').click();
  await record(page, 'anna').locator('[type=submit]').click();
  await untilText(record(page, 'anna').locator('.form-error'), /only admin/);
}, kAdmin));

test('a token is made for one thing, shown once, and taken back', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  await goTo(page, 'People');
  await untilText(page.locator('.view:visible'), /No program has a token/);
  await page.getByText('Make a token').click();
  await field(page, 'token-name').fill('telegraf');
  assert.equal(await field(page, 'token-pattern').isVisible(), false);
  await field(page, 'token-source').fill('plant');
  await button(page, 'Make').click();
  const fresh = page.locator('.fresh-token');
  await untilText(fresh, /shown this once: copy it now/);
  assert.match(await fresh.locator('input').inputValue(), /^[\w-]{43}$/);
  assert.deepEqual(await seriousViolations(page), []);
  assert.deepEqual([gateway.desk.tokens[0].scope, gateway.desk.tokens[0].role], ['push:plant', 'operator']);
  await untilText(record(page, 'telegraf'), /push:plant made .* by anna, until/);
  await button(fresh, 'Done').click();
  assert.equal(await fresh.locator('input').count(), 0, 'nothing of it stays behind');
  await field(page, 'token-name').fill('board');
  await field(page, 'token-may').selectOption('read');
  await button(page, 'Make').click();
  await untilText(field(page, 'token-pattern-error'), /Say which series/);
  await field(page, 'token-pattern').fill('boiler1/#');
  await field(page, 'token-lasts').selectOption('');
  await button(page, 'Make').click();
  await untilText(record(page, 'board'), /read:boiler1\/# .*until it is removed/);
  await button(record(page, 'telegraf'), 'Remove').click();
  await record(page, 'telegraf').locator('[type=submit]').click();
  await until('it to be gone', async () => (await record(page, 'telegraf').count()) === 0);
  assert.deepEqual(gateway.desk.tokens.map(({ name }) => name), ['board']);
}, kAdmin));

test('the audit is told, goes on page by page, and shows where it was tampered with', () => withPage(async ({ gateway, page }) => {
  for (let i = 0; i < 70; ++i) gateway.desk.deed('Eva', 'acknowledge', `hot:boiler${i}`, 'seen');
  gateway.desk.audit[3].sealed = false;
  gateway.certificate = { fingerprint: 'AB:CD:EF', until: gateway.now() + 1e12, own: true, trouble: 'tls/key.pem cannot be read' };
  await untilLive(page);
  await untilText(page.locator('.banner-certificate'), /not the one that is there: tls\/key\.pem cannot be read/);
  await goTo(page, 'System');
  await untilText(page.locator('.deed').first(), /Eva acknowledge hot:boiler69seen/);
  await untilText(page.locator('.unsealed'), /Does not follow from the entry before it/);
  assert.equal(await page.locator('.deed').count(), 50);
  await button(page, 'Show more').click();
  await until('all of it', async () => (await page.locator('.deed').count()) === 71);
  await untilText(page.locator('.view dl'), /AB:CD:EF/);
  assert.deepEqual(await seriousViolations(page), []);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download a backup' }).click()]);
  assert.equal(download.suggestedFilename(), 'tidegate-plant-7.tar');
}, kAdmin));

test('an alert is commented on, and the log says who said what', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  const card = page.locator('.alert', { hasText: 'boiler1 is at' });
  await button(card, 'Comment on').click();
  await card.locator('input[name=comment]').fill('the valve sticks');
  await card.locator('[type=submit]').click();
  await untilText(card.locator('.alert-said'), /^Eva: “the valve sticks”$/);
  await until('the form to close', async () => (await card.locator('.ack-form').count()) === 0);
  await untilText(page.locator('.log-line').first(), /Comment by Eva .*“the valve sticks”/);
  assert.equal(gateway.alerts.get('boiler-overheating:boiler1').comment, 'the valve sticks');
}));

test('hostile words in rules, names and the audit are shown as text', () => {
  const evil = '<img src=x onerror=alert(1)>';
  return withPage(async ({ page }) => {
    await untilLive(page);
    for (const view of ['Rules', 'People', 'System']) {
      await goTo(page, view);
      await untilText(page.locator('.view:visible'), /<img src=x onerror=alert\(1\)>/);
    }
    assert.equal(await page.locator('img[src=x]').count(), 0);
  }, { ...kAdmin, before: ({ access, desk }) => {
    access.add(evil, 'viewer');
    desk.off.set('hot', { off_by: evil, off_since: 1, off_note: evil });
    desk.deed(evil, evil, evil, evil);
  } });
});

test('the door says that nobody can log in before anybody tries, and that what is typed can be read on its way', () => withPage(async ({ gateway, page }) => {
  await untilText(page.locator('.door .form-error'), /^Nobody can log in now: state\.db/);
  assert.equal(await page.locator('.door input').count(), 0);
  assert.equal(await page.locator('.door .banner-unsafe').isVisible(), false, 'it goes to this machine alone');
  gateway.access.trouble = '';
  await button(page, 'Try again').click();
  await page.locator('#username').waitFor();
  const abroad = await open(browser, `http://box.localhost:${gateway.port}/`);
  await untilText(abroad.page.locator('.door .banner-unsafe'), /^Not encrypted/);
  assert.deepEqual(await seriousViolations(abroad.page), []);
  await abroad.close();
}, { user: null, before: ({ access }) => (access.trouble = 'nobody can log in now: state.db cannot be used') }));

for (const width of [320, 390, 1400]) {
  test(`the views fit a width of ${width}`, () => withPage(async ({ gateway, page }) => {
    gateway.desk.put('rules:\n  - name: a-rule-with-a-name-that-is-rather-long-for-a-phone\n', 'otto', 'rules saved', 'a note on it');
    await untilLive(page);
    for (const view of ['Rules', 'People', 'System']) {
      await goTo(page, view);
      await page.locator('.view:visible .record').first().waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${view} is ${wide} px too wide`);
    }
    assert.equal(await textOf(page.locator('nav a[aria-current]')), 'System');
  }, { ...kAdmin, width }));
}
