// The one polite live region. At most one announcement in five seconds: what comes in between is said together.

import { el } from './dom.ts';

const kPauseMs = 5000;
const kMost = 3;

export class Announcer {
  readonly node = el('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
  private waiting: string[] = [];
  private timer: number | undefined;
  private spokenAt = -Infinity;

  say(sentence: string): void {
    this.waiting = [...this.waiting.filter((other) => other !== sentence), sentence].slice(-kMost);
    if (this.timer !== undefined) return;
    this.timer = window.setTimeout(() => this.speak(), Math.max(100, this.spokenAt + kPauseMs - performance.now()));
  }

  private speak(): void {
    this.timer = undefined;
    this.spokenAt = performance.now();
    this.node.textContent = this.waiting.join(' ');
    this.waiting = [];
  }
}
