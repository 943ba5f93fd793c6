// The top of the page: who this is, whether the line is live, and how everything is in one sentence.

import type { Alert, State, Store, Time } from './api.ts';
import { isListed, needsAcknowledge } from './alert_words.ts';
import { behind } from './channel_view.ts';
import { el, setAttribute, setClass, setText, show } from './dom.ts';
import * as format from './format.ts';
import { tally } from './freshness.ts';
import { changeIcon, icon } from './icons.ts';
import type { Shown } from './link.ts';
import type { Model } from './model.ts';
import { text } from './strings.ts';

export type Mood = 'calm' | 'attention' | 'alarm' | 'unknown';

/** The status line: freshness, alerts, trouble, upstream; and how it should look. Pure. */
export function statusLine(model: Model, now: Time): { sentence: string; mood: Mood } {
  if (!model.state) return { sentence: text.status.waiting, mood: 'unknown' };
  const points = tally(model.series.values(), now);
  const listed = [...model.alerts.values()].filter(isListed);
  const open = listed.filter(needsAcknowledge).length;
  const critical = listed.filter(({ severity }) => severity === 'critical').length;
  const trouble = troubles(model.state);
  const parts = [
    points.total ? text.status.points(points) : text.status.empty,
    alerts(model, listed.length, open, critical),
    ...trouble, upstream(model.state, now),
  ];
  const unseen = model.state.store.alerts_waiting > 0;
  return { sentence: parts.join(' '), mood: unseen ? 'alarm' : mood(listed, open, trouble.length + points.stale + points.bad + Number(!model.alertsKnown)) };
}

function alerts(model: Model, total: number, open: number, critical: number): string {
  if (!model.alertsKnown) return text.status.alertsUnknown;
  return total === 0 && !model.state!.store.takes_alerts ? text.status.alertsNoneStored : text.status.alerts(total, open, critical);
}

function mood(listed: Alert[], unacknowledged: number, troubled: number): Mood {
  const grave = listed.some(({ severity, acknowledged }) => !acknowledged && (severity === 'critical' || severity === 'high'));
  return grave ? 'alarm' : unacknowledged || troubled ? 'attention' : 'calm';
}

function troubles({ sources, store }: State): string[] {
  const down = sources.filter(({ health }) => health === 'down').map(({ name }) => name);
  return [...(down.length ? [text.status.sourcesDown(down)] : []), ...storeTroubles(store)];
}

function storeTroubles(store: Store): string[] {
  const damage = store.notices.length ? [text.status.storeDamaged] : [];
  if (store.takes_samples) return [...(store.health === 'down' ? [text.status.storeDown] : []), ...damage];
  return [store.takes_alerts ? text.status.alertsOnly : text.status.nothingStored(store.alerts_waiting), ...damage];
}

function upstream({ uplinks, store }: State, now: Time): string {
  if (uplinks.length === 0) return text.status.upstreamNone;
  const late = Math.max(...uplinks.map((uplink) => behind(uplink, now)));
  const span = format.span(late);
  if (uplinks.some(({ health }) => health === 'down')) return late ? text.status.upstreamDown(span) : text.status.upstreamDownEmpty;
  if (late >= 2 * format.kSecond) return text.status.upstreamBehind(span);
  return store.takes_samples ? text.status.upstreamLive : store.takes_alerts ? text.status.upstreamAlertsOnly : text.status.upstreamStarved;
}

export class StatusBar {
  readonly header: HTMLElement;
  readonly node: HTMLElement;
  private readonly name = el('span', { class: 'gateway-name' });
  private readonly site = el('span', { class: 'gateway-site' });
  private readonly linkText = el('span');
  private readonly badge = el('span', { class: 'link-badge' }, el('span', { class: 'link-dot', 'aria-hidden': 'true' }), this.linkText);
  private readonly retry: HTMLButtonElement;
  private readonly pauseIcon = icon('pause');
  private readonly pauseText = el('span');
  private readonly pauseButton: HTMLButtonElement;
  private readonly offline = el('p', { class: 'banner banner-offline', hidden: true });
  private readonly paused = el('p', { class: 'banner banner-paused', hidden: true });
  private readonly demo = el('p', { class: 'banner banner-demo', hidden: true }, text.demo);
  private readonly insecure = el('p', { class: 'banner banner-insecure', hidden: true }, text.insecure);
  private readonly certificate = el('p', { class: 'banner banner-certificate', hidden: true });
  private readonly version = el('span');
  private readonly update: HTMLElement;
  private readonly mark = icon('unknown');
  private readonly sentence = el('p', { class: 'sentence' });

  constructor(retry: () => void, pause: () => void) {
    this.retry = el('button', { type: 'button', class: 'button', hidden: true, click: retry }, text.link.retryNow);
    this.pauseButton = el('button', { type: 'button', class: 'button pause', click: pause }, this.pauseIcon, this.pauseText);
    this.update = el('p', { class: 'banner banner-demo', hidden: true }, this.version, ' ',
      el('button', { type: 'button', class: 'button', click: () => location.reload() }, text.link.reload));
    this.header = el('header', { class: 'top' },
      el('div', { class: 'brand' }, el('img', { src: './icon.svg', alt: '', width: 32, height: 32 }),
        el('h1', {}, el('span', { class: 'product' }, text.product), ' ', this.name, ' ', this.site)),
      el('div', { class: 'link' }, this.badge, this.retry, this.pauseButton));
    this.node = el('div', { class: 'status' }, this.offline, this.paused, this.update, this.insecure, this.certificate, this.demo,
      el('div', { class: 'status-line' }, this.mark, this.sentence));
    this.showPaused(null);
  }

  showStatus(model: Model, now: Time): void {
    const { sentence, mood } = statusLine(model, now);
    setText(this.sentence, sentence);
    setClass(this.node, `status mood-${mood}`);
    changeIcon(this.mark, mood === 'calm' ? 'check' : mood === 'unknown' ? 'unknown' : mood === 'alarm' ? 'critical' : 'warning');
    const { name, site, demo } = model.state?.gateway ?? model.hello ?? { name: '', site: '', demo: false };
    setText(this.name, name);
    setText(this.site, site);
    show(this.demo, demo);
    show(this.insecure, model.state?.gateway.insecure ?? false);
    const trouble = model.state?.gateway.certificate?.trouble ?? '';
    setText(this.certificate, trouble && text.certificate(trouble));
    show(this.certificate, trouble !== '');
    const open = [...model.alerts.values()].filter(needsAcknowledge).length;
    document.title = `${open ? `(${open}) ` : ''}${name ? `${name} · ` : ''}${text.product}`;
  }

  /** @param lostAt the server's time when the line was last heard, NaN if never */
  showLink(link: Shown, lostAt: Time, now: Time): void {
    const [word, look] = linkWords(link);
    setText(this.linkText, word);
    setClass(this.badge, `link-badge link-${look}`);
    show(this.retry, link.kind === 'reconnecting');
    const offlineMs = link.kind === 'reconnecting' || link.kind === 'trying' ? link.offlineMs : 0;
    const why = link.kind === 'reconnecting' && (link.why === 'busy' || link.why === 'bye') ? ` ${text.link[link.why]}` : '';
    const known = Number.isFinite(lostAt);
    setText(this.offline, (known ? text.link.offlineSince(format.moment(lostAt, now), format.span(offlineMs * 1000)) : text.link.firstContact) + why);
    show(this.offline, offlineMs > 0);
  }

  showPaused(since: string | null): void {
    changeIcon(this.pauseIcon, since === null ? 'pause' : 'play');
    setText(this.pauseText, since === null ? text.pause.pause : text.pause.resume);
    setAttribute(this.pauseButton, 'aria-pressed', String(since !== null));
    if (since !== null) setText(this.paused, text.pause.banner(since));
    show(this.paused, since !== null);
  }

  offerReload(version: string): void {
    setText(this.version, text.link.newVersion(version));
    show(this.update, true);
  }
}

function linkWords(link: Shown): [string, string] {
  switch (link.kind) {
    case 'connecting': return [text.link.connecting, 'waiting'];
    case 'live': return [text.link.live, 'live'];
    case 'delayed': return [text.link.delayed(link.seconds), 'delayed'];
    case 'reconnecting': return [text.link.reconnecting(link.inSeconds), 'lost'];
    case 'trying': return [text.link.trying, 'lost'];
    case 'resting': return [text.link.resting, 'waiting'];
  }
}
