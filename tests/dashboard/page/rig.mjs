// What the tests of the page in a browser share: a fake gateway with the built page, and a browser that looks at it.
import { after } from 'node:test';

import { FakeGateway } from '../fake_server.mjs';
import { launch, open } from './browser.mjs';

export const kDist = process.env.TIDEGATE_DIST ?? process.argv[2];
export const kHot = { series: 'boiler1/temperature', severity: 'critical', message: 'boiler1 is at 93.2 °C', value: 93.2, limit: 90, unit: '°C' };
export const browser = await launch();
after(() => browser.close());

/**
 * Runs `act` with a gateway and a page open on it, logged in as `user` (null: not at all), at `hash`; both are closed, and
 * the page's behaviour is judged.
 */
export async function withPage(act, { gateway: options = {}, before = () => {}, user = 'Eva', hash = () => '', ...view } = {}) {
  const gateway = await new FakeGateway({ dist: kDist, ...options }).start();
  before(gateway);
  const cookie = user === null ? null : gateway.access.enter(user);
  const opened = await open(browser, gateway.url + hash(gateway), { cookie, ...view });
  try {
    await act({ gateway, ...opened });
    await opened.close();
  } finally {
    await gateway.stop();
  }
}
