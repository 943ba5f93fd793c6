// The page's link to the gateway that is lost and comes back, in a real browser against the fake gateway.
// usage: node link_test.mjs DIST
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { badge, textOf, until, untilLive, untilText, untilValueMoves } from './browser.mjs';
import { kHot, withPage } from './rig.mjs';

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

test('a new version of the gateway offers to reload the page', () => withPage(async ({ gateway, page, expectLoss }) => {
  await untilLive(page);
  expectLoss();
  await gateway.stop();
  gateway.version = '0.2.0';
  await gateway.start();
  await untilText(page.locator('.status'), /now runs version 0\.2\.0/);
}));
