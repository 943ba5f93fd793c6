// Points that are set from the page, in a real browser against the fake gateway.
// usage: node setting_test.mjs DIST
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { plant } from '../fake_server.mjs';
import { seriousViolations, tile, until, untilLive, untilText } from './browser.mjs';
import { withPage } from './rig.mjs';

const kSetpoint = 'boiler1/setpoint', kMode = 'boiler1/mode', kLamp = 'hall/lamp', kMay = 'boiler1/may_heat';
const button = (within, name) => within.getByRole('button', { name });
const dialog = (page) => page.getByRole('dialog');
const row = (page) => page.locator('.setting');

/** A plant with three points that may be set, one under an interlock. */
function settable() {
  const point = (name, kind, value, more = {}) => ({ name, unit: '', source: 'plant', area: 'boiler-house', kind, every: 1, value: () => value, ...more });
  return [...plant(), point(kSetpoint, 'number', 55, { unit: '°C' }), point(kMay, 'boolean', 1), point(kLamp, 'boolean', 0),
    point(kMode, 'state', 0, { states: ['idle', 'heat', 'cool'] })];
}
const allow = ({ settable: points }) => points.allow(kSetpoint, { min: 40, max: 75, interlock: kMay }).allow(kMode, { states: ['heat', 'cool'] }).allow(kLamp);
const withPoints = (act, more = {}) => withPage(async (all) => {
  await untilLive(all.page);
  await act(all);
}, { gateway: { points: settable() }, before: allow, ...more });

async function openSheet(page, name) {
  await tile(page, name).click();
  await row(page).waitFor();
}

test('an operator sets a number after a question that names it, and sees it', () => withPoints(async ({ gateway, page }) => {
  await openSheet(page, kSetpoint);
  await untilText(row(page), /Takes 40 to 75 °C · Interlock boiler1\/may_heat allows it$/);
  await button(row(page), 'Set').click();
  const value = page.locator('#set-value');
  await untilText(dialog(page), /Set boiler1\/setpointIt shows 55(\.0)? °C/);
  assert.equal(await value.inputValue(), '55');
  await value.fill('80');
  await button(dialog(page), 'Continue').click();
  await untilText(page.locator('#set-value-error'), /^It takes 40 to 75 °C\.$/);
  await value.fill('62,5');
  await page.locator('#set-why').fill('legionella flush');
  await button(dialog(page), 'Continue').click();
  await untilText(dialog(page), /Set this point\?Pointboiler1\/setpointShows now55(\.0)? °CSet to62\.5 °CWhylegionella flush/);
  assert.deepEqual(gateway.settable.written, [], 'nothing was sent before the question');
  assert.deepEqual(await seriousViolations(page), []);
  const release = gateway.settable.hold();
  await button(dialog(page), 'Set it').click();
  await untilText(dialog(page), /Setting.*Waiting until the device shows it\./);
  release();
  await untilText(dialog(page), /^Doneboiler1\/setpoint is set to 62\.5 and was read back\./);
  assert.deepEqual(gateway.settable.written, [{ series: kSetpoint, value: '62.5', why: 'legionella flush', who: 'Eva' }]);
  await button(dialog(page), 'Close').click();
  await untilText(page.locator('.chart-head'), /62\.5 °C/);
}));

test('words and on and off are chosen', () => withPoints(async ({ gateway, page }) => {
  await openSheet(page, kMode);
  await untilText(row(page), /Takes heat, cool$/);
  await button(row(page), 'Set').click();
  await button(dialog(page), 'Continue').click();
  await untilText(page.locator('#set-value-error'), /^Choose what/);
  await page.locator('#set-value').selectOption('cool');
  await button(dialog(page), 'Continue').click();
  await button(dialog(page), 'Set it').click();
  await untilText(dialog(page), /is set to cool/);
  await button(dialog(page), 'Close').click();
  await tile(page, kLamp).click();
  await untilText(row(page), /Takes on or off$/);
  await button(row(page), 'Set').click();
  assert.equal(await page.locator('#set-value').inputValue(), 'on', 'it is off now');
  await button(dialog(page), 'Continue').click();
  await button(dialog(page), 'Back').click();
  await button(dialog(page), 'Cancel').click();
  assert.equal(await dialog(page).count(), 0);
  assert.deepEqual(gateway.settable.written.map(({ series, value }) => [series, value]), [[kMode, 'cool']]);
}));

test('a refusal is told in the words of the gateway, and nothing is lost', () => withPoints(async ({ gateway, page, expectRefusal }) => {
  gateway.points.find(({ name }) => name === kMay).value = () => 0;
  await openSheet(page, kSetpoint);
  await untilText(row(page), /Interlock boiler1\/may_heat forbids it: off$/);
  await button(row(page), 'Set').click();
  await page.locator('#set-value').fill('62');
  await button(dialog(page), 'Continue').click();
  expectRefusal();
  await button(dialog(page), 'Set it').click();
  await untilText(dialog(page).locator('.form > .form-error[role=alert]'), /^boiler1\/setpoint may not be set now: its interlock boiler1\/may_heat says no\.$/);
  await untilText(button(dialog(page), 'Set it'), /^Set it$/);
  gateway.points.find(({ name }) => name === kMay).value = () => 1;
  await button(dialog(page), 'Set it').click();
  await untilText(dialog(page), /is set to 62/);
}));

test('who may only look sees what could be set, and why not by him', () => withPoints(async ({ gateway, page }) => {
  await openSheet(page, kSetpoint);
  await untilText(row(page).locator('.refusal'), /^Needs the role operator$/);
  const set = button(row(page), 'Set');
  assert.equal(await set.getAttribute('aria-disabled'), 'true');
  await set.click({ force: true });
  assert.equal(await dialog(page).count(), 0);
  assert.deepEqual(gateway.asked.filter((one) => one.startsWith('POST')), []);
}, { user: 'vic' }));

test('with the log-in the dialog ends, and the door can be used', () => withPoints(async ({ gateway, page }) => {
  await openSheet(page, kSetpoint);
  await button(row(page), 'Set').click();
  await dialog(page).waitFor();
  gateway.access.end('Eva');
  await page.locator('.door').waitFor();
  assert.equal(await page.locator('dialog[open]').count(), 0);
  await until('the password to be asked for', () => page.evaluate(() => document.activeElement?.id === 'current-password'));
}));

test('a point that nobody may set has no such button', () => withPoints(async ({ gateway, page }) => {
  await openSheet(page, kLamp);
  await tile(page, 'boiler1/temperature').click();
  await until('the question to the gateway', () => gateway.asked.filter((one) => one === 'GET /api/v1/points').length === 2);
  await until('the row to go', async () => !(await row(page).isVisible()));
}));

test('a point is set by keyboard alone, and Escape leaves the sheet open', () => withPoints(async ({ gateway, page }) => {
  await tile(page, kSetpoint).focus();
  await page.keyboard.press('Enter');
  await row(page).waitFor();
  await button(row(page), 'Set').focus();
  await page.keyboard.press('Enter');
  await until('the field to be focused', () => page.evaluate(() => document.activeElement?.id === 'set-value'));
  await page.keyboard.press('Escape');
  await until('the dialog to close', async () => (await dialog(page).count()) === 0);
  assert.ok(await row(page).isVisible());
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Set');
  await page.keyboard.press('Enter');
  await page.keyboard.type('60');
  await page.keyboard.press('Enter');
  await untilText(dialog(page).locator('h2'), /^Set this point\?$/);
  await page.keyboard.press('Enter');
  assert.deepEqual(gateway.settable.written, [], 'a second Enter sends nothing');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Set it');
  await page.keyboard.press('Enter');
  await untilText(dialog(page), /is set to 60/);
  await page.keyboard.press('Enter');
  assert.equal(await dialog(page).count(), 0);
}));

for (const width of [320, 390, 1400]) {
  for (const scheme of ['light', 'dark']) {
    test(`setting a point is accessible: ${width} px, ${scheme}`, () => withPoints(async ({ page }) => {
      const judge = async (what) => {
        assert.deepEqual(await seriousViolations(page), [], what);
        assert.ok(await page.evaluate(() => [document.documentElement, document.querySelector('.chart'), document.querySelector('dialog[open]')]
          .every((node) => !node || node.scrollWidth <= node.clientWidth)), `${what} scrolls sideways`);
        const small = await page.$$eval('.setting button, dialog[open] :is(button, input, select)', (nodes) => nodes.map((node) => [node.outerHTML, node.getBoundingClientRect()])
          .filter(([, { width: w, height: h }]) => w < 24 || h < 24).map(([html]) => html));
        assert.deepEqual(small, [], what);
      };
      await openSheet(page, kSetpoint);
      await judge('the sheet');
      await button(row(page), 'Set').click();
      await button(dialog(page), 'Continue').click();
      await judge('the question');
      await button(dialog(page), 'Back').click();
      await page.locator('#set-value').fill('hot');
      await button(dialog(page), 'Continue').click();
      await judge('the form');
    }, { width, scheme, motion: 'reduce' }));
  }
}
