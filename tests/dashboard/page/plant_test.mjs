// What the page shows of the plant, in a real browser against the fake gateway. usage: node plant_test.mjs DIST
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
