// The server's clock as seen from here. Every message carries the server's time; transport can only delay it, so the
// least delayed message of the recent past is the best estimate. Carried forward by the browser's monotonic clock: a
// wrong or stepping wall clock on the viewer's device moves no age.

import type { Time } from './api.ts';

const kWindow = 30;

export class ServerClock {
  private offsets: number[] = [];
  private best = Number.NaN;

  /** @param monotonicMs milliseconds that only grow, such as performance.now */
  constructor(private readonly monotonicMs: () => number) {}

  get known(): boolean {
    return !Number.isNaN(this.best);
  }

  observe(serverTime: Time): void {
    this.offsets.push(serverTime - this.monotonicMs() * 1000);
    if (this.offsets.length > kWindow) this.offsets.shift();
    this.best = Math.max(...this.offsets);
  }

  /** A new connection may be a new server with another clock. */
  forget(): void {
    this.offsets = [];
  }

  now(): Time {
    return this.known ? this.monotonicMs() * 1000 + this.best : Number.NaN;
  }
}
