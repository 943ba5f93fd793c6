// Alerts on the page, in a real browser against the fake gateway. usage: node alerts_test.mjs DIST
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { plant } from '../fake_server.mjs';
import { acknowledge, seriousViolations, textOf, tile, until, untilLive, untilText } from './browser.mjs';
import { kHot, withPage } from './rig.mjs';

const kSecond = 1e6;

test('an alert appears, is acknowledged with a note by who is logged in, and leaves', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await untilText(page.locator('.alert-message'), /boiler1 is at 93\.2 °C/);
  await until('the tile to carry the alert', () => tile(page, 'boiler1/temperature').evaluate((node) => node.classList.contains('severity-critical')));
  await until('the alert to be announced', async () => /Critical alert: boiler1/.test(await textOf(page.locator('[aria-live=polite]'))));
  assert.equal(await page.locator('[aria-live]').count(), 1);
  await acknowledge(page, 'boiler1 is at', 'closing V12');
  assert.deepEqual([gateway.log[0].alert.acknowledged_by, gateway.log[0].alert.note], ['Eva', 'closing V12']);
  gateway.raise('other:boiler2', { ...kHot, message: 'boiler2 is hot' });
  await untilText(page.locator('.alert-message').first(), /boiler2 is hot/);
  gateway.clear('boiler-overheating:boiler1');
  await until('the cleared alert to leave', async () => (await page.locator('.alert').count()) === 1);
  await untilText(page.locator('.log-line').first(), /Cleared/);
}));

test('an alert that somebody else acknowledged meanwhile answers in words', () => withPage(async ({ gateway, page, expectRefusal }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await page.locator('.acknowledge').click();
  gateway.alerts.get('boiler-overheating:boiler1').acknowledged = true;
  expectRefusal();
  await page.locator('.ack-form button[type=submit]').click();
  await untilText(page.locator('.alert .form-error'), /Somebody has acknowledged/);
}));

test('an alert that is about to be raised again can still be acknowledged', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await untilText(page.locator('.alert-message'), /boiler1/);
  gateway.alerts.get('boiler-overheating:boiler1').phase = 'pending';
  gateway.send('alerts', { alerts: [...gateway.alerts.values()] });
  await untilText(page.locator('.alert-phase'), /About to alert again, not acknowledged/);
  await untilText(page.locator('.sentence'), /1 alert \(1 critical, 1 not acknowledged\)/);
  await page.locator('.acknowledge').click();
  await page.locator('.ack-form button[type=submit]').click();
  await untilText(page.locator('.pending-list'), /boiler1 is at/);
  await untilText(page.locator('.sentence'), /No alerts\./);
}));

test('an alert is shelved with a reason, stands apart in silence, and is unshelved', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  const card = page.locator('.alert', { hasText: 'boiler1 is at' }), silent = page.locator('.silent');
  const title = (pattern) => until(`the title ${pattern}`, async () => pattern.test(await page.title()));
  await title(/^\(1\) /);
  await card.getByRole('button', { name: 'Shelve' }).click();
  assert.deepEqual(await seriousViolations(page), []);
  await card.locator('button[type=submit]').click();
  assert.equal(gateway.log.length, 1, 'a shelf without a reason is not sent');
  await card.getByLabel('8 h').check();
  await card.locator('input[name=why]').fill('valve is changed');
  await card.locator('button[type=submit]').click();
  await untilText(silent.locator('.alert-why'), /^Shelved by Eva until .*: valve is changed$/);
  const { shelved_until, shelved_by } = gateway.alerts.get('boiler-overheating:boiler1');
  assert.ok(Math.abs(shelved_until - gateway.now() - 8 * 3600 * kSecond) < 60 * kSecond);
  assert.equal(shelved_by, 'Eva');
  await untilText(page.locator('.sentence'), /No alerts\./);
  await title(/^plant-7/);
  await until('the focus to stay on the card', () => page.evaluate(() => document.activeElement?.closest('.silent .alert') !== null));
  await untilText(page.locator('.log-line').first(), /Shelved by Eva until .*“valve is changed”/);
  await until('the tile to be calm', async () => !(await tile(page, 'boiler1/temperature').evaluate((node) => node.classList.contains('in-alert'))));
  assert.deepEqual(await seriousViolations(page), []);
  gateway.clear('boiler-overheating:boiler1');
  await untilText(silent.locator('.alert-phase'), /^Normal$/);
  gateway.raise('boiler-overheating:boiler1', { ...kHot, acknowledged: false });
  await untilText(silent.locator('.alert-phase'), /^Active$/);
  await silent.getByRole('button', { name: 'Unshelve' }).click();
  await until('the group to go', async () => !(await silent.isVisible()));
  await untilText(page.locator('.sentence'), /1 alert \(1 critical, 1 not acknowledged\)/);
  await untilText(page.locator('.log-line').first(), /Unshelved by Eva/);
}));

test('what is explained, on trial or out of service is said so, aloud only when it is silenced no more', () => withPage(async ({ gateway, page }) => {
  const spoken = page.locator('[aria-live=polite]');
  await untilLive(page);
  gateway.raise('slow:pump3', { ...kHot, message: 'pump3 is slow', suppressed_by: 'power:hall' });
  gateway.raise('trial:meter1', { ...kHot, message: 'meter1 takes much', shadow: true });
  gateway.transition('low:tank1', 'shelved', { phase: 'normal', message: 'tank1 is low', out_of_service: true, shelved_by: 'Eva', shelved_why: 'cleaned' });
  const why = (message) => page.locator('.silent .alert', { hasText: message }).locator('.alert-why');
  await untilText(why('pump3 is slow'), /^Explained by power:hall$/);
  await untilText(why('meter1 takes much'), /^Its rule is on trial$/);
  await untilText(why('tank1 is low'), /^Taken out of service by Eva: cleaned$/);
  await untilText(page.locator('.sentence'), /No alerts\./);
  gateway.raise('hot:boiler1', { ...kHot, chatter: 5, chatter_band: 1.5,
    evidence: { version: '5c1f09be', from: null, to: null, series: [], facts: [{ name: 'mean', value: 71.25, unit: '°C', state: '' }] } });
  await untilText(page.locator('.alert-chatter').first(), /^Chattering: raised 5 times; a dead band of 1\.5 °C would keep it quiet$/);
  const basis = page.locator('.alert-list').first().locator('.alert', { hasText: 'boiler1' }).locator('.alert-basis');
  assert.equal(await basis.locator('dl').isVisible(), false);
  const snapshot = { id: 1206, alert: 'hot:boiler1', raised: gateway.now(), from: 0, until: 0, series: 2, samples: 8000, left_out: 0 };
  gateway.snapshots = [snapshot, { ...snapshot, id: 1207, alert: 'slow:pump3' }];
  await basis.locator('summary').click();
  await untilText(basis.locator('li'), /^Snapshot of .*: 8000 samples$/);
  assert.match(await basis.locator('a').getAttribute('href'), /\/api\/v1\/snapshot\?id=1206$/);
  await untilText(basis.locator('dl'), /^mean71\.25 °CVersion of the rule5c1f09be$/);
  assert.equal(await page.locator('.silent .alert-basis').first().isVisible(), false, 'nothing is known of it');
  await untilText(spoken, /^Critical alert: boiler1 is at 93\.2 °C$/);
  gateway.transition('slow:pump3', 'unsuppressed', { suppressed_by: '' });
  await untilText(spoken, /^Critical alert: pump3 is slow$/);
  gateway.transition('hot:boiler1', 'escalated', { severity: 'high' });
  await untilText(page.locator('.log-line').first(), /Escalated to High/);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'the page scrolls sideways');
}, { width: 390 }));

for (const width of [1400, 390]) {
  test(`a flood is said, and the alert with which it began stays in front, ${width} wide`, () => withPage(async ({ gateway, page }) => {
    const names = ['feed-pump', 'boiler1', 'boiler2', 'pump3', 'tank1', 'coldroom', 'meter1', 'office', 'fan2', 'valve12', 'line4', 'press1'];
    await untilLive(page);
    const since = gateway.now() - 70 * kSecond;
    names.forEach((name, i) => gateway.raise(`trip:${name}`, { ...kHot, severity: i ? 'critical' : 'info', message: `${name} has tripped`, series: `${name}/state` }));
    await until('all cards', async () => (await page.locator('.alert').count()) === names.length);
    assert.doesNotMatch(await textOf(page.locator('.alert').first()), /feed-pump/);
    assert.equal(await page.locator('.banner-flood').isVisible(), false);
    gateway.setFlood({ since, first: 'trip:feed-pump', count: names.length });
    await untilText(page.locator('.banner-flood'), /^Flood: 12 new alerts in 1 min( 1\d s)?\. It began with: feed-pump has tripped$/);
    await untilText(page.locator('.alert').first(), /First of the flood.*feed-pump has tripped/);
    assert.equal(await page.locator('.alert-first:visible').count(), 1);
    await untilText(page.locator('.log-line').first(), /Flood of alerts: 12 within ten minutes It began with trip:feed-pump/);
    await until('the flood to be said aloud', async () => /Flood of alerts: 12/.test(await textOf(page.locator('[aria-live=polite]'))));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'the page scrolls sideways');
    assert.deepEqual(await seriousViolations(page), []);
    gateway.setFlood(null);
    await until('the banner to go', async () => !(await page.locator('.banner-flood').isVisible()));
    await untilText(page.locator('.log-line').first(), /The flood of 12 alerts is over/);
    await page.reload();
    await untilText(page.locator('.log-line').nth(1), /Flood of alerts: 12/);
    assert.equal(await page.locator('.log-line', { hasText: /flood/i }).count(), 2);
  }, { width }));
}

test('alerts that the gateway cannot read are said to be unknown until they come', () => withPage(async ({ gateway, page }) => {
  await untilText(page.locator('.sentence'), /Alerts cannot be read\./);
  await untilText(page.locator('.alerts'), /cannot read its alerts/);
  gateway.send('alerts', { alerts: [] });
  await untilText(page.locator('.sentence'), /No alerts\./);
}, { before: (gateway) => (gateway.alertsUnreadable = true) }));
