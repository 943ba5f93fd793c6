// The real gateway in a real browser: it is claimed with its code, a value moves, an alert appears and is acknowledged, the
// program is killed and started again, and the page, the log-in and the alert are as they were; then the alert is shelved
// for a while, the password is changed, and the reader logs out and in.
// usage: browser_test.mjs --program build/release/bin/tidegate [--config FILE] [--data DIR] [--screenshot FILE.png]
// With a configuration of one's own the alert is expected of its rules; without one this test brings its own.
// With data of one's own nobody may have claimed it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
const data = options.data ?? join(work, 'data');
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
  const child = spawn(options.program, ['run', '--config', config, '--listen', `127.0.0.1:${port}`, '--data', data]);
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

/** Asked as the browser, with its log-in. */
const rest = async (page, path) => (await page.context().request.get(new URL(`/api/v1/${path}`, page.url()).href)).json();

const kPassword = 'a tide comes twice a day', kAnother = 'ebb and flow and ebb again';

/** The first user, by the form: nobody has claimed the box before. */
async function claim(page) {
  await page.locator('#claim-code').fill(readFileSync(join(data, 'claim-code'), 'utf8').trim().toLowerCase());
  await page.locator('#username').fill('Eva');
  await page.locator('#new-password').fill(kPassword);
  await page.locator('.door form [type=submit]').click();
}

async function story(browser, port) {
  const view = await open(browser, `http://127.0.0.1:${port}/`);
  const { page } = view;
  assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/state`)).status, 401, 'nothing is told without a log-in');
  await claim(page);
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
  await untilText(page.locator('.sentence'), /points fresh/);
  await page.locator('[data-series="boiler1/temperature"]').click();
  await untilText(page.locator('.chart-summary'), /lowest .* °C, highest .* °C/);
  await page.keyboard.press('Escape');

  const message = await until('an alert', async () => textOf(page.locator('.alert:not(.acknowledged) .alert-message').first()));
  await acknowledge(page, message, 'seen on the bench');
  assert.deepEqual(await seriousViolations(page), []);
  if (options.screenshot) await page.screenshot({ path: options.screenshot });

  const before = (await rest(page, 'alerts')).alerts.find((alert) => alert.acknowledged);
  assert.deepEqual([before.acknowledged_by, before.note], ['Eva', 'seen on the bench']);
  view.expectLoss();
  assert.equal((await stop('SIGKILL')).signal, 'SIGKILL');
  await until('the page to notice', async () => /^Reconnecting/.test(await badge(page)));
  await untilText(page.locator('.banner-offline'), /Offline since/);

  await start(port);
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
  await untilText(page.locator('.alert-done').first(), /Acknowledged by Eva.*seen on the bench/);
  const again = (await rest(page, 'alerts')).alerts.find(({ id }) => id === before.id);
  assert.deepEqual([again.phase, again.raised, again.acknowledged_by], ['active', before.raised, 'Eva']);
  const raised = (await rest(page, 'alerts/log?limit=100')).log.filter(({ cause, alert }) => cause === 'raised' && alert.id === before.id);
  assert.equal(raised.length, 1, 'an alert that outlives a crash is announced once');
  await shelveAndEnd(page, message);
  await comment(page, message);
  await lookAfter(page);
  await changePasswordAndReturn(page);
  await view.close();
}

async function shelveAndEnd(page, message) {
  const alerts = async () => (await rest(page, 'alerts')).alerts.filter(({ silenced }) => silenced);
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

async function comment(page, message) {
  const card = page.locator('.alert', { hasText: message });
  await card.getByRole('button', { name: 'Comment on' }).click();
  await card.locator('input[name=comment]').fill('it is the bench');
  await card.locator('button[type=submit]').click();
  await untilText(card.locator('.alert-said'), /^Eva: “it is the bench”$/);
  await untilText(page.locator('.log-line').first(), /Comment by Eva/);
}

/** Rules are checked, saved, compared and brought back; a token is made and taken back; the audit has all of it. */
async function lookAfter(page) {
  const goTo = (name) => page.getByRole('navigation').getByRole('link', { name }).click();
  const editor = page.locator('.editor'), text = page.locator('#rules-text'), record = (name) => page.locator('.record', { hasText: name });
  await goTo('Rules');
  await untilText(page.locator('.view .card').first(), /boiler-warm.*tidegate\.yaml, line/);
  await text.fill('rules:\n  - {name: hotter, series: "{device}/temperature", threshold: {above: 400 °C}}\n  - {name: odd, serie: x}\n');
  await editor.getByRole('button', { name: 'Check' }).click();
  await untilText(editor.locator('.problems li').first(), /^line 3, column 5 rule 'odd' has no kind/);
  await text.fill('rules:\n  - {name: hotter, series: "{device}/temperature", threshold: {above: 400 °C}}\n');
  await editor.getByRole('button', { name: 'Check' }).click();
  await untilText(editor.locator('.outcome'), /Adds hotter/);
  await editor.getByRole('button', { name: 'Save' }).click();
  await untilText(page.locator('.view .cards'), /hotter/);
  assert.deepEqual((await rest(page, 'rules')).rules.map(({ name }) => name).sort(), ['boiler-warm', 'hotter']);
  const first = page.locator('.record', { hasText: 'started' }).last();
  await first.getByRole('button', { name: 'Compare' }).click();
  await untilText(first.locator('.diff'), /\+ +- \{name: hotter/);
  await first.getByRole('button', { name: 'Bring' }).click();
  await first.locator('[type=submit]').click();
  await until('the rule to be gone', async () => (await rest(page, 'rules')).rules.length === 1);
  await goTo('People');
  await page.getByText('Make a token').click();
  await page.locator('#token-name').fill('telegraf');
  await page.getByRole('button', { name: 'Make' }).click();
  await untilText(page.locator('.fresh-token'), /shown this once/);
  await page.locator('.fresh-token').getByRole('button', { name: 'Done' }).click();
  await record('telegraf').getByRole('button', { name: 'Remove' }).click();
  await record('telegraf').locator('[type=submit]').click();
  await until('the token to be gone', async () => (await rest(page, 'tokens')).tokens.length === 0);
  await goTo('System');
  await untilText(record('make token').first(), /Eva make token telegraf/);
  assert.deepEqual(await seriousViolations(page), []);
  await goTo('Live');
}

async function changePasswordAndReturn(page) {
  const account = page.locator('.account'), choose = (name) => account.locator('summary').click().then(() => account.getByRole('button', { name }).click());
  await choose('Change password');
  await page.locator('#current-password').fill(kPassword);
  await page.locator('#new-password').fill(kAnother);
  await page.locator('dialog [type=submit]').click();
  await untilText(page.getByRole('dialog'), /Your password is changed/);
  await page.keyboard.press('Escape');
  await untilLive(page);
  await choose('Log out');
  await untilText(page.locator('.door .banner-notice'), /You are logged out/);
  await page.locator('#username').fill('Eva');
  await page.locator('#current-password').fill(kAnother);
  await page.locator('.door form [type=submit]').click();
  await untilLive(page);
  await untilValueMoves(page, 'boiler1/temperature');
}

const browser = await launch();
try {
  const port = await freePort();
  await start(port);
  await story(browser, port);
  assert.deepEqual(await stop('SIGTERM'), { code: 0, signal: null });
  console.log('browser_test: claim, live value, alert, acknowledgement, kill -9, recovery, shelf, comment, rules, token, password and log-in: ok');
} catch (problem) {
  console.error(problem);
  if (gateway) console.error(`the gateway said:\n${gateway.output.join('')}`);
  process.exitCode = 1;
} finally {
  await stop('SIGKILL');
  await browser.close();
  rmSync(work, { recursive: true, force: true });
}
