// Getting in and out: claiming, logging in, links, passwords, roles, in a real browser against the fake gateway.
// usage: node access_test.mjs DIST
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { kPassword } from '../fake_access.mjs';
import { playScenes } from '../fake_server.mjs';
import { open, seriousViolations, textOf, tile, until, untilLive, untilText } from './browser.mjs';
import { browser, kHot, withPage } from './rig.mjs';

const kNew = 'ebb and flow and ebb again';
const unclaimed = (gateway) => gateway.access.users.clear();
const submit = (page) => page.locator('form.form [type=submit]').click();
const focused = (page, id) => until(`the focus on ${id}`, () => page.evaluate((wanted) => document.activeElement?.id === wanted, id));
const out = (page) => page.locator('.door').waitFor();
const count = (gateway, request) => gateway.asked.filter((one) => one === request).length;

async function fill(page, values) {
  for (const [id, value] of Object.entries(values)) await page.locator(`#${id}`).fill(value);
}

async function logIn(page, name, password = kPassword) {
  await fill(page, { username: name, 'current-password': password });
  await submit(page);
}

async function openMenu(page, item) {
  await page.locator('.account > summary').click();
  if (item) await page.locator('.account-panel').getByRole('button', { name: item }).click();
}

/** What is said of a field: to the eye beside it, and to a screen reader by its description. */
async function complaintOf(page, id) {
  const input = page.locator(`#${id}`);
  assert.equal(await input.getAttribute('aria-invalid'), 'true');
  assert.match(await input.getAttribute('aria-describedby'), new RegExp(`\\b${id}-error\\b`));
  assert.equal(await page.locator(`#${id}-error`).getAttribute('role'), 'alert');
  return textOf(page.locator(`#${id}-error`));
}

test('a new gateway is claimed with its code, and only then shows what it knows', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await focused(page, 'claim-code');
  assert.match(await page.title(), /^Claim this gateway · plant-7 · Tidegate$/);
  await untilText(page.locator('.where'), /on the console.*sudo tidegate claim-code.*claim-code of the storage folder/);
  assert.equal(await page.locator('#username').inputValue(), 'admin');
  await untilText(page.locator('#new-password-hint'), /^At least 12 characters/);
  await fill(page, { 'claim-code': 'k7mq', 'new-password': 'too short' });
  await submit(page);
  await focused(page, 'claim-code');
  assert.match(await complaintOf(page, 'claim-code'), /eight letters and digits/);
  assert.match(await complaintOf(page, 'new-password'), /^This has 9 characters; at least 12/);
  assert.deepEqual(gateway.asked, ['GET /api/v1/session'], 'what cannot be right is not sent');
  expectRefusal();
  await fill(page, { 'claim-code': 'AAAA-BBBB', 'new-password': kPassword });
  await submit(page);
  await untilText(page.locator('form.form > .form-error'), /^This is not the code of this gateway\.$/);
  assert.equal(await page.locator('#new-password').inputValue(), kPassword, 'nobody types it twice');
  await fill(page, { 'claim-code': ' k7mq2xfd ' });
  await page.locator('#claim-code').focus();
  await page.keyboard.press('Enter');
  await untilLive(page);
  assert.deepEqual([...gateway.access.users], [['admin', { role: 'admin', password: kPassword }]]);
  await untilText(page.locator('.account summary'), /^admin admin$/);
  assert.equal(await page.locator('form.form').count(), 0, 'no password stays behind in the document');
}, { user: null, before: unclaimed }));

test('whoever is too late to claim is told so and logs in', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await focused(page, 'claim-code');
  gateway.access.add('anna', 'admin');
  expectRefusal();
  await fill(page, { 'claim-code': 'K7MQ-2XFD', 'new-password': kPassword });
  await submit(page);
  await untilText(page.locator('.door .banner-notice'), /has been claimed meanwhile/);
  await logIn(page, 'anna');
  await untilLive(page);
}, { user: null, before: unclaimed }));

test('a wrong password is told, and the right one lets in; nobody asks the gateway again and again', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await focused(page, 'username');
  await submit(page);
  assert.match(await complaintOf(page, 'username'), /name of a user/);
  assert.match(await complaintOf(page, 'current-password'), /Enter the password/);
  expectRefusal();
  await logIn(page, 'anna', 'wrong');
  await untilText(page.locator('#current-password-error'), /^The name or the password is wrong\.$/);
  await focused(page, 'current-password');
  await complaintOf(page, 'current-password');
  gateway.access.throttled = true;
  await logIn(page, 'anna');
  await untilText(page.locator('form.form > .form-error'), /^Too many attempts: wait 30 s\.$/);
  assert.equal(await page.locator('#current-password').getAttribute('aria-invalid'), null, 'it is not the password that is wrong');
  gateway.access.throttled = false;
  assert.equal(await page.locator('main:visible').count(), 1);
  assert.deepEqual(gateway.asked.filter((one) => !/session|log-in/.test(one)), [], 'nothing else is asked without a log-in');
  await submit(page);
  await untilLive(page);
  await page.waitForTimeout(3000);
  assert.deepEqual([count(gateway, 'GET /api/v1/session'), count(gateway, 'GET /api/v1/stream')], [1, 1]);
}, { user: null }));

test('password managers and eyes find their way: names, autocomplete, Show, and nothing that hinders pasting', () => withPage(async ({ page }) => {
  await focused(page, 'username');
  const looks = () => page.$$eval('.door input', (inputs) => inputs.map(({ id, name, type, autocomplete, labels, required, maxLength }) => [id, name, type, autocomplete, labels.length, required, maxLength]));
  assert.deepEqual(await looks(), [['username', 'username', 'text', 'username', 1, true, -1], ['current-password', 'current-password', 'password', 'current-password', 1, true, -1]]);
  await untilText(page.locator('.door'), /Forgotten\? On the box: sudo tidegate user password NAME/);
  await fill(page, { 'current-password': 'abc' });
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#current-password').getAttribute('type'), 'text');
  assert.equal(await page.getByRole('button', { name: 'Hide password' }).count(), 1);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#current-password').getAttribute('type'), 'password');
}, { user: null }));

test('a link leaves the address at once and lets in; who has no password is asked to set one', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  assert.equal(page.url(), gateway.url);
  assert.equal(gateway.access.links.size, 0);
  await untilText(page.locator('.account summary'), /^lena operator$/);
  await page.locator('.password-hint').getByRole('button', { name: 'Set a password' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set a password' });
  assert.equal(await dialog.locator('#current-password').count(), 0);
  await focused(page, 'new-password');
  await fill(page, { 'new-password': kNew });
  await submit(page);
  await untilText(dialog.or(page.getByRole('dialog')), /Your password is set/);
  assert.equal(gateway.access.users.get('lena').password, kNew);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('.password-hint').isVisible(), false);
  await untilLive(page);
}, { user: null, hash: (gateway) => `#link=${gateway.access.link('lena')}` }));

test('a link that is used up is said so, and one that is followed later counts as well', () => withPage(async ({ gateway, page }) => {
  await untilText(page.locator('.door .banner-notice'), /used already, or is too old/);
  await focused(page, 'username');
  assert.equal(page.url(), gateway.url);
  await page.evaluate((link) => (location.hash = `link=${link}`), gateway.access.link('lena'));
  await untilLive(page);
  await untilText(page.locator('.account summary'), /^lena/);
  assert.equal(page.url(), gateway.url);
}, { user: null, hash: () => '#link=stale', expected: { refused: true } }));

test('a link that is used up does not trouble who is logged in', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  await untilText(page.locator('.account summary'), /^Eva/);
  assert.deepEqual([page.url(), count(gateway, 'POST /api/v1/log-in')], [gateway.url, 1]);
}, { hash: () => '#link=stale', expected: { refused: true } }));

test('a log-in that ends brings the door, and logging in again the place where the reader was', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await page.locator('.alert .acknowledge').click();
  await page.locator('.alert input[name=note]').fill('on my');
  await page.locator('.stage').nth(3).click();
  await page.getByRole('searchbox').fill('boiler');
  await page.evaluate(() => window.scrollTo(0, 60));
  expectRefusal();
  gateway.access.end('Eva');
  await out(page);
  await untilText(page.locator('.door .banner-notice'), /has ended\. Log in again/);
  assert.equal(await page.locator('.tile:visible, .alert:visible, .sentence:visible').count(), 0, 'nothing looks live');
  assert.equal(await page.locator('[aria-live=polite]').evaluate((node) => node.checkVisibility()), false, 'nor is it said aloud');
  assert.match(await page.title(), /^Log in · plant-7/);
  await focused(page, 'current-password');
  assert.equal(await page.locator('#username').inputValue(), 'Eva');
  gateway.raise('other:boiler2', { ...kHot, message: 'boiler2 is hot' });
  await page.waitForTimeout(2500);
  assert.match(await page.title(), /^Log in/);
  assert.equal(count(gateway, 'GET /api/v1/session'), 2, 'asked at the start and when the stream had ended');
  await fill(page, { 'current-password': kPassword });
  await submit(page);
  await untilLive(page);
  await untilText(page.locator('.alerts'), /boiler2 is hot/);
  assert.equal(await page.locator('.alert input[name=note]').inputValue(), 'on my');
  assert.deepEqual([await page.getByRole('searchbox').inputValue(), await page.evaluate(() => window.scrollY), new URL(page.url()).hash], ['boiler', 60, '#upstream']);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'search');
}));

test('nothing of one reader is left for the next one', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await page.locator('.alert .acknowledge').click();
  await page.locator('.alert input[name=note]').fill('between us');
  await openMenu(page, 'Log out');
  await untilText(page.locator('.door .banner-notice'), /^You are logged out\.$/);
  assert.equal(await page.locator('#username').inputValue(), '');
  assert.equal(gateway.access.sessions.size, 0);
  await logIn(page, 'anna');
  await untilText(page.locator('.account summary'), /^anna/);
  await untilLive(page);
  await page.locator('.alert').waitFor();
  assert.equal(await page.locator('.alert input[name=note]').count(), 0);
}));

test('after a restart that knows the log-in no more comes the door, after any other the page', () => withPage(async ({ gateway, page, expectLoss }) => {
  const restart = async (change = () => {}) => {
    await gateway.stop();
    await untilText(page.locator('.link-badge'), /^Reconnecting/);
    assert.equal(await page.locator('.door').isVisible(), false, 'nobody has said that the log-in is over');
    change();
    await gateway.start();
  };
  await untilLive(page);
  expectLoss();
  await restart();
  await untilLive(page);
  await restart(() => gateway.access.sessions.clear());
  await out(page);
  await logIn(page, 'Eva');
  await untilLive(page);
}));

test('while nobody says who the reader is, the page says what it waits for, and shows nothing', () => withPage(async ({ gateway, page }) => {
  await untilText(page.locator('.link-badge'), /^Reconnecting in/);
  assert.deepEqual([await page.locator('.door').isVisible(), await page.locator('.tile').count()], [false, 0]);
  await untilText(page.locator('.sentence'), /Waiting for the first readings/);
  gateway.access.silent = false;
  await untilLive(page);
}, { before: ({ access }) => (access.silent = true), expected: { serverGone: true } }));

test('a wish that comes after the log-in has ended brings the door, one that is forbidden the new role', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await page.locator('.alert .acknowledge').click();
  expectRefusal();
  gateway.access.add('Eva', 'viewer');
  await page.locator('.ack-form [type=submit]').click();
  await untilText(page.locator('.alert .form-error'), /needs the role operator/);
  await page.locator('.ack-form').getByRole('button', { name: 'Cancel' }).click();
  await untilText(page.locator('.alert .refusal'), /^Needs the role operator$/);
  gateway.access.add('Eva', 'operator');
  await page.reload();
  await untilLive(page);
  await page.locator('.alert .acknowledge').click();
  gateway.access.sessions.clear();
  await page.locator('.ack-form [type=submit]').click();
  await out(page);
}));

test('what a role may not do is shown, with the reason, and does nothing', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  const card = page.locator('.alert'), reason = await card.locator('.refusal').getAttribute('id');
  await untilText(card.locator('.refusal'), /^Needs the role operator$/);
  for (const name of [/^Acknowledge/, /^Shelve/]) {
    const button = card.getByRole('button', { name });
    assert.deepEqual([await button.getAttribute('aria-disabled'), await button.getAttribute('aria-describedby')], ['true', reason]);
    await button.click({ force: true });
  }
  gateway.transition('boiler-overheating:boiler1', 'shelved', { out_of_service: true, shelved_by: 'anna', shelved_why: 'test' });
  await card.getByRole('button', { name: /^Unshelve/ }).click({ force: true });
  await page.waitForTimeout(300);
  assert.equal(await page.locator('.ack-form').count(), 0);
  assert.deepEqual(gateway.asked.filter((one) => one.startsWith('POST')), []);
  await card.getByRole('button', { name: 'Chart' }).click();
  await untilText(page.locator('.chart-summary'), /lowest/);
}, { user: 'vic' }));

test('a password is changed in a dialog; log-ins elsewhere end, this one goes on', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await untilLive(page);
  const elsewhere = await open(browser, gateway.url, { cookie: gateway.access.enter('Eva') });
  await untilLive(elsewhere.page);
  await openMenu(page, 'Change password');
  await focused(page, 'current-password');
  const manager = page.locator('dialog input[autocomplete=username]');
  assert.deepEqual([await manager.inputValue(), await manager.isVisible()], ['Eva', false]);
  expectRefusal();
  await fill(page, { 'current-password': 'wrong', 'new-password': kNew });
  await submit(page);
  await untilText(page.locator('#current-password-error'), /^The old password is wrong\.$/);
  await focused(page, 'current-password');
  assert.equal(await page.locator('.door').isVisible(), false, 'a wrong old password ends no log-in');
  await fill(page, { 'current-password': kPassword, 'new-password': 'aaaaaaaaaaaaaaaa' });
  await submit(page);
  await untilText(page.locator('form.form > .form-error'), /tried first/);
  await fill(page, { 'new-password': kNew });
  await submit(page);
  await untilText(page.getByRole('dialog'), /Your password is changed\. Your log-ins elsewhere have ended/);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'SUMMARY');
  await out(elsewhere.page);
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await page.locator('.alert .acknowledge').click();
  await page.locator('.ack-form [type=submit]').click();
  await untilText(page.locator('.alert-done'), /Acknowledged by Eva/);
  assert.equal(await page.locator('.door').isVisible(), false);
  await elsewhere.close();
}));

test('the account opens and closes by keyboard, and closes the dialog with the log-in', () => withPage(async ({ gateway, page }) => {
  const panel = page.locator('.account-panel');
  await untilLive(page);
  await page.locator('.account > summary').focus();
  await page.keyboard.press('Enter');
  await untilText(panel, /Eva, operator.*acknowledge and shelve/);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Escape');
  assert.equal(await panel.isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'SUMMARY');
  await page.keyboard.press('Enter');
  await page.locator('.sentence').click();
  assert.equal(await panel.isVisible(), false);
  await openMenu(page, 'Change password');
  await page.getByRole('dialog').waitFor();
  gateway.access.end('Eva');
  await out(page);
  assert.equal(await page.locator('dialog[open]').count(), 0);
  await focused(page, 'current-password');
}));

test('two pages of one browser: what one does to the log-in, the other follows', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await untilLive(page);
  const other = await page.context().newPage();
  await other.goto(gateway.url);
  await untilLive(other);
  expectRefusal();
  await openMenu(page, 'Log out');
  await out(page);
  await out(other);
  await logIn(other, 'Eva');
  await untilLive(other);
  await tile(other, 'boiler1/temperature').waitFor();
}));

test('hostile names of gateways and users are shown as text', () => {
  const evil = '<img src=x onerror=alert(1)>';
  return withPage(async ({ gateway, page }) => {
    await untilText(page.locator('.door h1'), /<img src=x onerror.*<img/);
    await logIn(page, evil);
    await untilLive(page);
    await openMenu(page);
    await untilText(page.locator('.account-panel'), /<img src=x/);
    assert.equal(await page.locator('.account img').count(), 0);
    assert.ok(gateway.access.sessions.size);
  }, { user: null, before: ({ access }) => Object.assign(access.add(evil, 'viewer'), { name: evil, site: evil }) });
});

for (const width of [320, 390, 1400]) {
  for (const scheme of ['light', 'dark']) {
    const look = { width, scheme, motion: 'reduce' };
    const judge = async (page, what) => {
      assert.deepEqual(await seriousViolations(page), [], what);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${what} scrolls sideways`);
      const small = await page.$$eval('button, a, input, summary', (nodes) => nodes.filter((node) => node.checkVisibility()).map((node) => [node.outerHTML, node.getBoundingClientRect()])
        .filter(([, { width: w, height: h }]) => w < 24 || h < 24).map(([html]) => html));
      assert.deepEqual(small, [], what);
      assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
    };

    test(`the door is accessible: ${width} px, ${scheme}`, () => withPage(async ({ gateway, page }) => {
      await focused(page, 'claim-code');
      await submit(page);
      await judge(page, 'the claim form');
      gateway.access.add('lena', 'operator', null).add('vic', 'viewer');
      await page.reload();
      await focused(page, 'username');
      await submit(page);
      await judge(page, 'the log-in form');
    }, { user: null, before: unclaimed, ...look }));

    test(`who is logged in is accessible: ${width} px, ${scheme}`, () => withPage(async ({ page }) => {
      await untilLive(page);
      await openMenu(page);
      await judge(page, 'the account');
      await page.locator('.account-panel').getByRole('button', { name: 'Set a password' }).click();
      await submit(page);
      await judge(page, 'the dialog');
    }, { user: 'lena', ...look }));

    test(`what a viewer may not do is accessible: ${width} px, ${scheme}`, () => withPage(async ({ page }) => {
      await untilLive(page);
      await page.locator('.refusal:visible').first().waitFor();
      await judge(page, 'the page of a viewer');
    }, { user: 'vic', before: playScenes, ...look }));
  }
}
