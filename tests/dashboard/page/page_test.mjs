// The page in a real browser against the fake gateway. usage: node page_test.mjs DIST
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { plant, playScenes } from '../fake_server.mjs';
import { acknowledge, badge, seriousViolations, textOf, tile, until, untilLive, untilText, untilValueMoves } from './browser.mjs';
import { kDist, kHot, withPage } from './rig.mjs';

const kSecond = 1e6;

test('values move, and the status line sums them up', () => withPage(async ({ page }) => {
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
  await untilText(page.locator('.sentence'), /^27 of 28 points fresh, 1 uncertain\. No alerts\. Upstream /);
  assert.ok(!await page.locator('.banner-insecure').isVisible());
  assert.match(await page.title(), /plant-7 · Tidegate/);
}));

test('a gateway that others reach without encryption says so, always', () => withPage(async ({ gateway, page, expectLoss }) => {
  const banner = page.locator('.banner-insecure');
  await untilText(banner, /^Not encrypted: /);
  assert.deepEqual(await seriousViolations(page), []);
  expectLoss();
  await gateway.stop();
  await until('the loss', async () => /^Reconnecting/.test(await badge(page)));
  assert.ok(await banner.isVisible());
  await gateway.start();
  await untilLive(page);
  assert.ok(await banner.isVisible());
}, { gateway: { insecure: true } }));

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

test('a killed gateway is noticed, and the page recovers when it is back', () => withPage(async ({ gateway, page, expectLoss }) => {
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
  expectLoss();
  await gateway.stop();
  await until('the page to say that it reconnects', async () => /^Reconnecting/.test(await badge(page)));
  await untilText(page.locator('.banner-offline'), /Offline since .*last known/);
  await until('the values to turn grey', async () => (await page.locator('.tile:not(.not-live)').count()) === 0);
  gateway.epoch = 'after-the-restart';
  gateway.started = gateway.now();
  await gateway.start();
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
  await until('the recovery to be announced', async () => /Connected again after|was restarted/.test(await textOf(page.locator('[aria-live=polite]'))));
  assert.equal(await page.locator('.banner-offline').isVisible(), false);
}));

test('alerts that came while the link was down are resumed by id, each once', () => withPage(async ({ gateway, page, expectLoss }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await untilText(page.locator('.alert-message'), /boiler1/);
  expectLoss();
  await gateway.stop();
  await until('the loss', async () => /^Reconnecting/.test(await badge(page)));
  gateway.clear('boiler-overheating:boiler1');
  gateway.raise('cold-room-warming:coldroom', { ...kHot, series: 'coldroom/temperature', message: 'Cold room warms' });
  await gateway.start();
  await untilLive(page);
  await untilText(page.locator('.alert-message'), /Cold room warms/);
  await until('three lines in the log', async () => (await page.locator('.log-line').count()) === 3);
}));

test('a link that falls silent is shown as delayed, then given up', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  gateway.mute = true;
  await until('delayed', async () => /^Delayed \d+ s$/.test(await badge(page)));
  await until('reconnecting', async () => /^Reconnecting/.test(await badge(page)));
  gateway.mute = false;
  await untilLive(page);
}, { gateway: { pingSeconds: 2 } }));

test('a busy gateway and one that stops are told apart', () => withPage(async ({ gateway, page }) => {
  await untilText(page.locator('.banner-offline'), /as many viewers as it allows/);
  gateway.busy = false;
  await page.getByRole('button', { name: 'Try now' }).click();
  await untilLive(page);
  gateway.send('bye', { why: 'shutdown' });
  await untilText(page.locator('.banner-offline'), /stopping or restarting/);
  await untilLive(page);
}, { before: (gateway) => (gateway.busy = true) }));

test('a journal that is another one is said, and the log is loaded afresh', () => withPage(async ({ gateway, page, expectLoss }) => {
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await untilText(page.locator('.alert-message'), /boiler1/);
  expectLoss();
  await gateway.stop();
  Object.assign(gateway, { epoch: 'another', log: [], alerts: new Map() });
  await gateway.start();
  await untilText(page.locator('.notice'), /new journal/);
  await until('an empty log', async () => (await page.locator('.log-line').count()) === 0);
}));

test('the notice of a gap goes with the first reconnection that misses nothing', () => withPage(async ({ gateway, page, expectLoss }) => {
  const restart = async (change = {}) => {
    await gateway.stop();
    await until('the loss', async () => /^Reconnecting/.test(await badge(page)));
    await Object.assign(gateway, change).start();
    await untilLive(page);
  };
  await untilLive(page);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await untilText(page.locator('.alert-message'), /boiler1/);
  expectLoss();
  await restart({ epoch: 'another', log: [], alerts: new Map() });
  await untilText(page.locator('.notice'), /new journal/);
  gateway.raise('boiler-overheating:boiler1', kHot);
  await untilText(page.locator('.alert-message'), /boiler1/);
  await restart();
  await until('the notice to go', async () => !(await page.locator('.notice').isVisible()));
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

test('a new version of the gateway offers to reload the page', () => withPage(async ({ gateway, page, expectLoss }) => {
  await untilLive(page);
  expectLoss();
  await gateway.stop();
  gateway.version = '0.2.0';
  await gateway.start();
  await untilText(page.locator('.status'), /now runs version 0\.2\.0/);
}));

test('a sensor that falls silent turns grey with its age, a failed read says why, a retained value is marked', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  const stale = tile(page, 'boiler1/pressure'), bad = tile(page, 'pump3/current');
  assert.match(await textOf(tile(page, 'office/battery')), /Retained/);
  assert.doesNotMatch(await stale.getAttribute('class'), /not-live/);
  gateway.failing.set('boiler1/pressure', 'silent');
  gateway.failing.set('pump3/current', 'no_answer');
  await untilText(stale, /Stale, \d+ s/);
  assert.match(await stale.getAttribute('class'), /not-live/);
  await untilText(bad, /No answer.*last 1\d\.\d A.*Bad/);
  await untilText(page.locator('.sentence'), /1 stale, 1 bad/);
  await page.getByRole('button', { name: 'Not fresh' }).click();
  await until('only what is not fresh', async () => (await page.locator('.tile').count()) === 3);
}));

test('an upstream that is cut off closes its gate and says how much waits', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  assert.equal(await page.locator('.gate-closed').count(), 0);
  gateway.upstreamDownSince = gateway.now() - 240 * kSecond;
  await untilText(page.locator('.sentence'), /Upstream cut off, 4 min waiting/);
  assert.equal(await page.locator('.gate-closed').count(), 1);
  await untilText(page.locator('#upstream'), /did not answer; next try in 8 s/);
}));

test('while nothing is stored the page says what happens to alerts and to the upstream', () => withPage(async ({ gateway, page }) => {
  const store = (change) => (gateway.storeHealth = { health: 'down', text: 'a batch of 40 samples is not stored: disk full', takes_samples: false, rate: 0, ...change });
  await untilText(page.locator('.alerts .empty'), /^No alerts\. Rules are watching\.$/);
  store({ takes_alerts: true });
  await untilText(page.locator('.sentence'), /Readings are not being stored.* alerts still are\. Upstream gets alerts and no readings\.$/);
  await untilText(page.locator('.alerts .empty'), /an alert is stored, shown and sent even while readings cannot be/);
  await untilText(page.locator('#upstream'), /only alerts reach the upstream/);
  store({ takes_alerts: false });
  await untilText(page.locator('.sentence'), /No stored alerts\..* an alert raised now waits for the disk\. Upstream gets nothing new\.$/);
  await untilText(page.locator('.alerts .empty'), /nothing can be stored: an alert raised now is shown and sent once it is on the disk/);
  store({ takes_alerts: false, alerts_waiting: 3 });
  await untilText(page.locator('.alerts-waiting'), /^3 changes of alerts wait for the disk/);
  await untilText(page.locator('#upstream'), /nothing new reaches the upstream/);
  assert.equal(await page.locator('.alerts .empty').isVisible(), false);
  assert.equal(await page.locator('.channel .gate-closed').count(), 1);
  assert.deepEqual(await seriousViolations(page), []);
  store({ health: 'up', text: '', takes_samples: true, notices: ['the record of alert x was damaged'] });
  await untilText(page.locator('.sentence'), /Stored data was damaged.* Upstream up to date\.$/);
  await untilText(page.locator('#store'), /the record of alert x was damaged/);
}));

test('a source says how it keeps its turns, and one that takes none says nothing of them', () => withPage(async ({ gateway, page }) => {
  await untilText(page.locator('#sources .card', { hasText: 'plant' }), /turns begin at most 2\.8 ms late, take at most 12 ms, none missed$/);
  assert.equal(await page.locator('#sources .card', { hasText: 'field' }).locator('.turns').count(), 0);
  gateway.plantTurns = { lateness_ms: 4300, time_ms: 5250, missed: 1204 };
  await untilText(page.locator('#sources .turns'), /at most 4\.3 s late, take at most 5\.3 s, 1,204 missed$/);
}));

test('a rule says which points it cannot watch, and why', () => withPage(async ({ gateway, page }) => {
  await untilLive(page);
  assert.equal(await page.locator('#rules .bad').count(), 0);
  const problem = 'boiler1/pressure: its unit is bar, and the limit\'s °C does not convert to that';
  gateway.moreRules = [['all-of-boiler1', 'threshold', 'above 90 °C', 'high', 'boiler1/+', 1, 3, [problem]]];
  const card = page.locator('#rules .card', { hasText: 'all-of-boiler1' });
  await untilText(card, /Cannot watch boiler1\/pressure: its unit is bar/);
  await untilText(card, /… and 2 more/);
  assert.equal(await page.locator('#rules .bad').count(), 2);
  assert.deepEqual(await seriousViolations(page), []);
}));

test('many refused messages with long topics are a few lines that open', () => withPage(async ({ gateway, page }) => {
  const topic = (i) => `plant/${'hall-with-a-long-name/'.repeat(12)}device-${i}/state`;
  const refuse = () => gateway.deadLetters.unshift({ id: gateway.deadLetters.length, time: gateway.now(), times: 3, source: 'field', topic: topic(gateway.deadLetters.length),
    payload: 'x'.repeat(500), reason: `'unavailable-${gateway.deadLetters.length}' is no number` });
  await untilLive(page);
  for (let i = 0; i < 40; i += 1) refuse();
  const group = page.locator('.letters > li');
  await untilText(group.locator('summary'), /^‘…’ is no numberfield · 120 messages on 40 topics · last /);
  assert.equal(await group.count(), 1);
  assert.ok((await group.boundingBox()).height < 120, 'closed, it is a few lines');
  await group.locator('summary').click();
  refuse();
  await untilText(group.locator('summary'), /123 messages on 41 topics/);
  const first = group.locator('.letter-topic').first();
  assert.equal(await first.getAttribute('title'), topic(40));
  assert.ok(await first.isVisible(), 'it stays open while more come');
  assert.ok((await first.boundingBox()).height < 90, 'a long topic takes a few lines');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'the page scrolls sideways');
  assert.deepEqual(await seriousViolations(page), []);
}, { width: 390 }));

test('a sample that stands alone is drawn', () => withPage(async ({ page }) => {
  await untilLive(page);
  await tile(page, 'new/point').click();
  await untilText(page.locator('.chart-summary'), /lowest/);
  await until('a dot on the chart', () => page.evaluate(() => {
    const drawn = document.querySelector('.plot canvas');
    const probe = new OffscreenCanvas(drawn.width, drawn.height + 1).getContext('2d', { willReadFrequently: true });
    probe.drawImage(drawn, 0, 0);
    probe.fillStyle = getComputedStyle(document.querySelector('.plot')).getPropertyValue('--water-line').trim();
    probe.fillRect(0, drawn.height, 1, 1);
    const [r, g, b] = probe.getImageData(0, drawn.height, 1, 1).data;
    const { data } = probe.getImageData(0, 0, drawn.width, drawn.height);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) found += Number(data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255);
    return found >= 4;
  }));
}, { gateway: { points: [...plant(), { ...plant()[0], name: 'new/point' }] },
  before: (gateway) => {
    gateway.failing.set('new/point', 'silent');
    const history = gateway.history, at = gateway.now() - 300 * kSecond;
    gateway.history = function (query) {
      const answer = history.call(this, query);
      return { ...answer, series: answer.series.map((one) => (one.name === 'new/point' ? { ...one, points: [[at, 1, 1, 1, 1, 1, 0]] } : one)) };
    };
  } }));

test('pausing holds the values, in a search too, and says so; resuming catches up', () => withPage(async ({ page }) => {
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
  await page.getByRole('button', { name: 'Pause' }).click();
  await untilText(page.locator('.banner-paused'), /Paused at/);
  const value = tile(page, 'boiler1/temperature').locator('.tile-number');
  const held = await textOf(value);
  await page.waitForTimeout(3000);
  assert.equal(await textOf(value), held);
  await page.getByRole('searchbox').fill('boiler1');
  await until('only what was searched', async () => (await page.locator('.tile').count()) === 4);
  assert.equal(await textOf(value), held);
  await page.getByRole('button', { name: 'Resume' }).click();
  await until('a moved value', async () => (await textOf(value)) !== held);
}));

test('a tile opens its chart by keyboard; ranges, table and keys work; Escape gives the focus back', () => withPage(async ({ page }) => {
  await untilLive(page);
  await tile(page, 'boiler1/temperature').focus();
  await page.keyboard.press('Enter');
  await untilText(page.locator('.chart-summary'), /^Last 15 min: lowest \d+\.\d °C, highest \d+\.\d °C/);
  await page.getByRole('button', { name: '1 h', exact: true }).click();
  await untilText(page.locator('.chart-summary'), /^Last 1 h: .*; 1 gap without data\.$/);
  await page.locator('.plot').focus();
  await page.keyboard.press('ArrowLeft');
  await untilText(page.locator('.chart-readout'), /\d\d:\d\d:\d\d {2}\d+\.\d °C/);
  await page.keyboard.press('+');
  await untilText(page.locator('.chart-summary'), /^Last 30 min/);
  await page.getByRole('button', { name: 'Table' }).click();
  await until('rows', async () => (await page.locator('.chart-table tbody tr').count()) > 50);
  await page.getByRole('button', { name: 'Earlier' }).click();
  await page.getByRole('button', { name: 'Follow live' }).click();
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-series')), 'boiler1/temperature');
}, { before: (gateway) => (gateway.gap = [gateway.now() - 20 * 60 * kSecond, gateway.now() - 17 * 60 * kSecond]) }));

test('the header of an open chart follows its series over a new description and a restart, and ages', () => withPage(async ({ gateway, page, expectLoss }) => {
  const current = page.locator('.chart-current');
  const moves = async (after) => {
    const before = await textOf(current);
    await until(`the header to move on after ${after}`, async () => (await textOf(current)) !== before);
  };
  await untilLive(page);
  await tile(page, 'boiler1/temperature').click();
  await moves('the chart was opened');
  gateway.send('series', { series: gateway.allSeries() });
  await moves('a description');
  await moves('a description');
  expectLoss();
  await gateway.stop();
  await untilText(page.locator('.chart-age'), /^Last known, \d+ s$/);
  await gateway.start();
  await untilLive(page);
  await moves('a restart');
  gateway.failing.set('boiler1/temperature', 'silent');
  await untilText(page.locator('.chart-age'), /^Stale, \d+ s$/);
}));

test('the chart of a state and of a point without history work', () => withPage(async ({ page }) => {
  await untilLive(page);
  await tile(page, 'boiler1/burner').click();
  await untilText(page.locator('.chart-summary'), /^Last 15 min: now (idle|ignite|run), \d+ changes\.$/);
  await tile(page, 'new/point').click();
  await untilText(page.locator('.chart-message'), /No samples in this range/);
}, { gateway: { points: [...plant(), { ...plant()[0], name: 'new/point', value: () => 1, every: 3600 }] },
  before: (gateway) => { const history = gateway.history; gateway.history = function (query) {
    const answer = history.call(this, query);
    return query.getAll('series').includes('new/point') && query.getAll('series').length === 1 ? { ...answer, series: [{ name: 'new/point', points: [] }] } : answer; }; } }));

test('hostile names, messages and payloads are shown as text', () => {
  const evil = '<img src=x onerror=alert(1)>"\'&amp;<script>alert(2)</script>';
  const points = [{ ...plant()[0], name: `${evil}/t`, unit: '<b>°C</b>', area: evil, states: [evil], kind: 'state', value: () => 0 }];
  return withPage(async ({ gateway, page }) => {
    await untilLive(page);
    gateway.raise(evil, { ...kHot, series: `${evil}/t`, message: evil, runbook: evil, unit: evil });
    gateway.deadLetters.unshift({ id: 1, time: gateway.now(), times: 1, source: evil, topic: evil, payload: evil, reason: evil });
    await untilText(page.locator('.alert-message'), /<img src=x onerror/);
    await untilText(page.locator('.tile-number'), /<script>alert\(2\)/);
    await untilText(page.locator('.letters pre'), /<img src=x/);
    await page.locator('.tile').click();
    await untilText(page.locator('#chart-title'), /<img src=x/);
    await page.getByRole('button', { name: 'Table' }).click();
    await acknowledge(page, '<img', 'n');
    assert.equal(await page.locator('main img, main script, main b:has(> *)').count(), 0);
  }, { gateway: { points } });
});

test('a gateway without sources, rules, uplinks or points teaches what comes next', () => withPage(async ({ page }) => {
  await untilText(page.locator('.sentence'), /No points yet\. Add a source.* No alerts\. No upstream\./);
  await untilText(page.locator('#sources'), /No sources are configured/);
  assert.deepEqual(await seriousViolations(page), []);
}, { gateway: { points: [] }, before: (gateway) => { const state = gateway.state.bind(gateway); gateway.state = () => ({ ...state(), sources: [], rules: [], uplinks: [] }); } }));

for (const width of [320, 768, 1400]) {
  for (const scheme of ['light', 'dark']) {
    test(`accessible, without sideways scrolling, with targets large enough: ${width} px, ${scheme}`, () => withPage(async ({ gateway, page }) => {
      await untilLive(page);
      await until('alerts', async () => (await page.locator('.alert').count()) > 0);
      await page.locator('.acknowledge').first().click();
      await untilText(page.locator('.letters').first(), /legacy/);
      assert.deepEqual(await seriousViolations(page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'the page scrolls sideways');
      const small = await page.$$eval('button, a, input', (nodes) => nodes.filter((node) => node.offsetParent).map((node) => [node.textContent, node.getBoundingClientRect()])
        .filter(([, { width: w, height: h }]) => w < 24 || h < 24).map(([text]) => text));
      assert.deepEqual(small, []);
      await tile(page, 'boiler1/temperature').click();
      await untilText(page.locator('.chart-summary'), /lowest/);
      assert.deepEqual(await seriousViolations(page), []);
      gateway.mute = true;
    }, { width, scheme, motion: 'reduce', before: playScenes }));
  }
}

test('nothing moves by itself for who asked for reduced motion', () => withPage(async ({ page }) => {
  await untilLive(page);
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
}, { motion: 'reduce' }));

test('the whole page fits its budget of 150 KiB compressed', () => {
  const files = readdirSync(kDist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const total = files.reduce((sum, { parentPath, path, name }) => sum + gzipSync(readFileSync(join(parentPath ?? path, name)), { level: 9 }).length, 0);
  assert.ok(total > 10_000 && total <= 150 * 1024, `${total} bytes`);
});
