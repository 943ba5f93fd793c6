// The real gateway in a real browser: a value moves, an alert appears and is acknowledged, the program is killed and
// started again, and the page and the alert are as they were; then the alert is shelved for a while.
// usage: browser_test.mjs --program build/release/bin/tidegate [--config FILE] [--data DIR] [--screenshot FILE.png]
// With a configuration of one's own the alert is expected of its rules; without one this test brings its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { acknowledge, badge, launch, open, seriousViolations, textOf, until, untilLive, untilText, untilValueMoves } from '../dashboard/page/browser.mjs';

const { values: options } = parseArgs({ options: {
  program: { type: 'string' }, config: { type: 'string' }, data: { type: 'string' }, screenshot: { type: 'string' } } });
if (!options.program) {
  console.error('browser_test: --program PATH/TO/tidegate is missing');
  process.exit(64);
}

const kConfig = `
gateway: {name: browser-test, site: "Bench 1"}
sources:
  - {name: plant, type: simulator, every: 500ms, faults: false, labels: {area: boiler-house}}
  - {name: gateway, type: self, every: 1s}
rules:
  - {name: boiler-warm, series: "{device}/temperature", threshold: {above: 30 °C, clear_below: 20 °C}, for: 3s, severity: high,
     message: "{device} is at {value} {unit}, limit {limit}", runbook: "Nothing to do: this is a test."}
`;

const work = mkdtempSync(join(tmpdir(), 'tidegate-browser-'));
const config = options.config ?? join(work, 'tidegate.yaml');
if (!options.config) writeFileSync(config, kConfig);
let gateway = null;

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

/** Starts the program and waits until it answers. */
async function start(port) {
  const output = [];
  const child = spawn(options.program, ['run', '--config', config, '--listen', `127.0.0.1:${port}`, '--data', options.data ?? join(work, 'data')]);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk.toString()));
  gateway = { child, output, ended: new Promise((done) => child.on('exit', (code, signal) => done({ code, signal }))) };
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await until(`${options.program} to answer`, async () => ended() || (await fetch(`http://127.0.0.1:${port}/healthz`)).ok);
  assert.ok(!ended(), 'the gateway ended before it answered');
}

async function stop(signal) {
  if (!gateway) return {};
  gateway.child.kill(signal);
  const end = await gateway.ended;
  gateway = null;
  return end;
}

const rest = async (port, path) => (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json();

async function story(browser, port) {
  const view = await open(browser, `http://127.0.0.1:${port}/`);
  const { page } = view;
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
  await untilText(page.locator('.sentence'), /points fresh/);
  await page.locator('[data-series="boiler1/temperature"]').click();
  await untilText(page.locator('.chart-summary'), /lowest .* °C, highest .* °C/);
  await page.keyboard.press('Escape');

  const message = await until('an alert', async () => textOf(page.locator('.alert:not(.acknowledged) .alert-message').first()));
  await acknowledge(page, message, 'Eva', 'seen on the bench');
  assert.deepEqual(await seriousViolations(page), []);
  if (options.screenshot) await page.screenshot({ path: options.screenshot });

  const before = (await rest(port, 'alerts')).alerts.find((alert) => alert.acknowledged);
  assert.deepEqual([before.acknowledged_by, before.note], ['Eva', 'seen on the bench']);
  view.expectLoss();
  assert.equal((await stop('SIGKILL')).signal, 'SIGKILL');
  await until('the page to notice', async () => /^Reconnecting/.test(await badge(page)));
  await untilText(page.locator('.banner-offline'), /Offline since/);

  await start(port);
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
  await untilText(page.locator('.alert-done').first(), /Acknowledged by Eva.*seen on the bench/);
  const again = (await rest(port, 'alerts')).alerts.find(({ id }) => id === before.id);
  assert.deepEqual([again.phase, again.raised, again.acknowledged_by], ['active', before.raised, 'Eva']);
  const raised = (await rest(port, 'alerts/log?limit=100')).log.filter(({ cause, alert }) => cause === 'raised' && alert.id === before.id);
  assert.equal(raised.length, 1, 'an alert that outlives a crash is announced once');
  await shelveAndEnd(page, port, message);
  await view.close();
}

async function shelveAndEnd(page, port, message) {
  const alerts = async () => (await rest(port, 'alerts')).alerts.filter(({ silenced }) => silenced);
  const card = page.locator('.alert', { hasText: message });
  await card.getByRole('button', { name: 'Shelve' }).click();
  await card.getByLabel('Out of service').check();
  await card.locator('input[name=why]').fill('valve is changed');
  await card.locator('button[type=submit]').click();
  await untilText(page.locator('.silent .alert-why'), /^Taken out of service by Eva: valve is changed$/);
  assert.deepEqual((await alerts()).map(({ out_of_service, shelved_until }) => [out_of_service, shelved_until]), [[true, null]]);
  await page.locator('.silent').getByRole('button', { name: 'Unshelve' }).click();
  await until('nothing silenced', async () => (await alerts()).length === 0 && !(await page.locator('.silent').isVisible()));
}

const browser = await launch();
try {
  const port = await freePort();
  await start(port);
  await story(browser, port);
  assert.deepEqual(await stop('SIGTERM'), { code: 0, signal: null });
  console.log('browser_test: live value, alert, acknowledgement, kill -9, recovery and shelf: ok');
} catch (problem) {
  console.error(problem);
  if (gateway) console.error(`the gateway said:\n${gateway.output.join('')}`);
  process.exitCode = 1;
} finally {
  await stop('SIGKILL');
  await browser.close();
  rmSync(work, { recursive: true, force: true });
}
