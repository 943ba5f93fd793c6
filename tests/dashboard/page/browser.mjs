// Debian's Chromium, driven by playwright-core, with a witness on everything that a page must not do.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export const kWeb = fileURLToPath(new URL('../../../dashboard/web/', import.meta.url));
const require = createRequire(`${kWeb}package.json`);
const kChromium = process.env.TIDEGATE_CHROMIUM ?? '/usr/bin/chromium';
const kArguments = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
const kSkipped = 77;
export const kPatience = 60_000;

/** A missing browser fails the test: a test that is skipped in silence proves nothing. */
export async function launch() {
  const missing = [];
  if (!existsSync(kChromium)) missing.push(`${kChromium} (Debian: apt install chromium, or set TIDEGATE_CHROMIUM)`);
  let playwright;
  try {
    playwright = require('playwright-core');
  } catch {
    missing.push(`playwright-core (npm ci in ${kWeb})`);
  }
  if (missing.length === 0) return playwright.chromium.launch({ executablePath: kChromium, args: kArguments });
  const skip = process.env.TIDEGATE_SKIP_BROWSER === '1';
  console.error(`browser test: missing ${missing.join(' and ')}.${skip ? '' : ' TIDEGATE_SKIP_BROWSER=1 skips this test.'}`);
  process.exit(skip ? kSkipped : 1);
}

/**
 * Opens `url` in a context of its own, with `cookie` of a log-in. `close()` fails if the page broke a promise. `expected` is what
 * the browser may log from the beginning on: `serverGone`, `refused`.
 */
export async function open(browser, url, { width = 1400, height = 900, scheme = 'light', motion = 'no-preference', cookie = null, expected = {} } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: motion });
  if (cookie) await context.addCookies([{ ...cookie, url, httpOnly: true, sameSite: 'Strict' }]);
  const page = await context.newPage();
  page.setDefaultTimeout(kPatience);
  const origin = new URL(url).origin;
  const sins = [];
  const seen = { serverGone: false, refused: false, ...expected };
  page.on('pageerror', (error) => sins.push(`exception: ${error.stack}`));
  page.on('console', (message) => {
    const excused = (seen.serverGone && /net::ERR_/.test(message.text())) || (seen.refused && /status of 4\d\d/.test(message.text()));
    if ((message.type() === 'error' || message.type() === 'warning') && !excused) sins.push(`console ${message.type()}: ${message.text()}`);
  });
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== origin && !request.url().startsWith('data:')) sins.push(`request to another host: ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    sins.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.exposeFunction('reportViolation', (text) => sins.push(`CSP violation: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
  });
  await page.goto(url);
  return {
    page,
    /** From here on refused connections are expected: the server is about to be killed. */
    expectLoss: () => (seen.serverGone = true),
    /** From here on the gateway refuses something, which the browser logs as an error. */
    expectRefusal: () => (seen.refused = true),
    async close() {
      await page.waitForTimeout(100);
      await context.close();
      assert.deepEqual(sins, []);
    },
  };
}

/** Waits until `look()` gives something truthy and hands it back; says `what` was awaited when it never does. */
export async function until(what, look, patience = kPatience) {
  const end = Date.now() + patience;
  let last;
  while (Date.now() < end) {
    try {
      last = await look();
      if (last) return last;
    } catch (problem) {
      last = problem.message;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`waited ${patience / 1000} s in vain for: ${what} (last: ${last})`);
}

export const tile = (page, name) => page.locator(`[data-series="${name}"]`);
export const textOf = async (locator) => (await locator.textContent())?.trim() ?? '';
export const badge = (page) => textOf(page.locator('.link-badge'));
export const untilLive = (page) => until('a live connection', async () => (await badge(page)) === 'Live');
export const untilText = (locator, pattern) => until(`${pattern} in ${locator}`, async () => pattern.test(await textOf(locator)));

/** Waits until the tile of `name` shows another value than it does now, and hands back both. */
export async function untilValueMoves(page, name) {
  const value = tile(page, name).locator('.tile-number');
  const before = await until(`a value of ${name}`, async () => textOf(value));
  const after = await until(`${name} to change from ${before}`, async () => {
    const now = await textOf(value);
    return now !== before && now;
  });
  return { before, after };
}

/** Fills the form of the alert that says `message`, sends it, and waits for the page to say so. */
export async function acknowledge(page, message, note) {
  const card = page.locator('.alert', { hasText: message });
  await card.locator('.acknowledge').click();
  await card.locator('input[name=note]').fill(note);
  await card.locator('button[type=submit]').click();
  await untilText(card.locator('.alert-done'), new RegExp(`Acknowledged by .+: “${note}`));
}

const axeSource = () => require('axe-core').source;

/** What axe-core holds against the page at impact serious or worse. */
export async function seriousViolations(page) {
  await page.evaluate(axeSource());
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`));
}
