// Holds the one EventSource. Reconnects on its own schedule (link.ts) rather than the browser's, because the page must
// be able to say when it tries next, and because a browser gives up for good on anything but a 200.

import type { StreamEvent, StreamEvents } from './api.ts';
import * as links from './link.ts';
import { address } from './rest.ts';

const kEvents: (keyof StreamEvents)[] = [
  'hello', 'snapshot', 'delta', 'series', 'alert', 'alerts', 'flood', 'state', 'source', 'ping', 'gap', 'busy', 'bye',
];
const kConnectTimeoutMs = 15_000;

export class Stream {
  private source: EventSource | null = null;
  private link: links.Link = links.start();
  private lastEventId = '';
  private pingMs = 10_000;
  private openedAt = 0;
  private attempt = 0;

  /**
   * @param lost called when the connection has just been given up, to be shown at once
   * @param admitted asked before each attempt, because a stream that is refused does not say why: false rests
   */
  constructor(private readonly deliver: (event: StreamEvent) => void, private readonly lost: () => void, private readonly admitted: () => Promise<boolean>) {}

  /** To be called about once a second: time-outs and retries are judged here. */
  tick(now = performance.now()): void {
    if (links.isSilent(this.link, now, this.pingMs)) this.drop('silent');
    if (this.link.kind === 'connecting' && now - this.openedAt > kConnectTimeoutMs) this.drop('lost');
    if (this.link.kind === 'waiting' && now >= this.link.retryAt) this.connect();
  }

  connect(): void {
    const mine = this.begin();
    this.admitted().then((yes) => mine === this.attempt && (yes ? this.listen() : this.rest()), () => mine === this.attempt && this.drop('lost'));
  }

  /** For who has just been let in. */
  open(): void {
    this.begin();
    this.listen();
  }

  /** Lets go of the connection while nobody looks: browsers allow six to one host, over all tabs. */
  rest(): void {
    this.end();
    this.link = { kind: 'resting', since: performance.now() };
  }

  shown(now = performance.now()): links.Shown {
    return links.shown(this.link, now, this.pingMs);
  }

  private begin(): number {
    this.end();
    this.link = links.retry(this.link);
    this.openedAt = performance.now();
    return this.attempt;
  }

  private listen(): void {
    const resume = this.lastEventId ? `?last_event_id=${encodeURIComponent(this.lastEventId)}` : '';
    const source = new EventSource(address(`stream${resume}`));
    for (const type of kEvents) source.addEventListener(type, (event) => this.receive(source, type, event));
    source.onerror = () => source === this.source && this.drop('lost');
    this.source = source;
  }

  private receive(source: EventSource, type: keyof StreamEvents, event: MessageEvent<string>): void {
    if (source !== this.source) return;
    const message = { type, data: JSON.parse(event.data) } as StreamEvent;
    if (event.lastEventId) this.lastEventId = event.lastEventId;
    if (message.type === 'hello') this.pingMs = message.data.ping_seconds * 1000;
    this.link = links.heard(performance.now());
    if (message.type === 'busy') this.drop('busy');
    if (message.type === 'bye') this.drop(message.data.why === 'shutdown' ? 'bye' : 'ended');
    this.deliver(message);
  }

  /** What was asked or opened before counts no more. */
  private end(): void {
    this.attempt += 1;
    this.source?.close();
    this.source = null;
  }

  private drop(why: links.Why): void {
    this.end();
    this.link = links.lost(this.link, why, performance.now(), Math.random());
    this.lost();
  }
}
