// Wires the page together: the stream feeds the model, a frame takes what changed to the views, and a clock of one
// second lets ages grow.

import './style.css';
import './access.css';
import './views.css';

import { aloud } from './alert_words.ts';
import { Alerts } from './alerts.ts';
import { Announcer } from './announce.ts';
import type { AlertEvent, Role, StreamEvent, Time } from './api.ts';
import { Channel } from './channel.ts';
import { Chart } from './chart.ts';
import { ServerClock } from './clock.ts';
import { Details } from './details.ts';
import { el, setText } from './dom.ts';
import * as format from './format.ts';
import { Gate } from './gate.ts';
import { Log } from './log.ts';
import { Changes, Model } from './model.ts';
import { PeopleView } from './people_view.ts';
import { PointSetting } from './point_setting.ts';
import { Points } from './points.ts';
import { fetchAlertLog, fetchDeadLetters } from './rest.ts';
import { RulesView } from './rules_view.ts';
import { Sparks } from './sparks.ts';
import { StatusBar } from './status.ts';
import { Stream } from './stream.ts';
import { text } from './strings.ts';
import { SystemView } from './system_view.ts';
import { type View, Views } from './views.ts';

const kLogEntries = 100;
const kDeadLetters = 50;
const kRestAfterHiddenMs = 5 * 60_000;

class Page {
  private readonly model = new Model();
  private readonly clock = new ServerClock(() => performance.now());
  /** All that only who is logged in may see. */
  private readonly node = el('div');
  private readonly gate = new Gate({ node: this.node, opened: () => this.stream.open(), closed: () => this.out(),
    knocked: () => this.stream.connect(), changed: () => this.readerChanged() });
  private readonly stream: Stream = new Stream((event) => this.receive(event), () => this.lost(), () => this.gate.admits());
  private readonly sparks = new Sparks();
  private readonly announcer = new Announcer();
  private readonly status = new StatusBar(() => this.stream.connect(), () => this.togglePause());
  private readonly channel = new Channel();
  private readonly alerts = new Alerts(this.model, { openChart: (name) => this.chart.open(name), refusal: () => this.gate.lacks('operator') });
  private readonly log = new Log(this.model, () => this.clock.now());
  private readonly points = new Points(this.model, this.sparks, (name) => this.chart.open(name));
  private readonly setting = new PointSetting(this.model, { now: () => this.clock.now(), online: () => this.online, refusal: () => this.gate.lacks('operator') });
  private readonly chart: Chart = new Chart(this.model, {
    now: () => this.clock.now(), online: () => this.online, present: () => this.pausedAt ?? this.clock.now(), closed: (name) => this.points.focus(name) }, this.setting);
  private readonly details = new Details();
  private readonly footer = el('footer');
  private readonly live = el('main', {}, this.status.node,
    el('div', { class: 'rail' }, this.alerts.node, this.log.node),
    el('div', { class: 'body' }, this.channel.node, this.points.node, this.chart.node, this.details.node));
  private readonly around = { now: () => this.clock.now(), lacks: (role: Role) => this.gate.lacks(role) };
  private readonly views: Views = new Views([
    { id: '', title: text.views.live, needs: 'viewer', node: this.live },
    view('rules', 'viewer', new RulesView(this.around)),
    view('people', 'admin', new PeopleView(this.around)),
    view('system', 'admin', new SystemView(this.around, () => this.model.state)),
  ], (role) => !this.gate.lacks(role));
  private frame = 0;
  private pausedAt: Time | null = null;
  private held = new Changes();
  private firstVersion = '';
  private startedAt: Time | null = null;
  private lastHeard = Number.NaN;
  private lostSince: number | null = null;
  private rejected = -1;
  private hiddenSince = 0;
  private reloads = 0;

  start(root: HTMLElement): void {
    this.status.header.append(this.gate.account.node);
    this.node.append(this.status.header, this.views.node, this.gate.account.hint, ...this.views.nodes, this.footer, this.announcer.node, this.gate.account.dialog.node, this.setting.dialog.node);
    root.append(this.node, this.gate.door.node);
    this.views.follow();
    this.tick();
    this.stream.connect();
    setInterval(() => this.tick(), 1000);
    document.addEventListener('visibilitychange', () => this.visibilityChanged());
  }

  /** The door comes in place of the page; a dialog that stayed open would keep the focus from it. */
  private out(): void {
    this.setting.dialog.close();
    this.stream.rest();
  }

  /** What he may see and do is another's now. */
  private readerChanged(): void {
    this.alerts.update(this.clock.now());
    this.setting.update();
    if (this.gate.isOpen) this.views.follow();
  }

  private receive(event: StreamEvent): void {
    if (event.type === 'hello') this.welcome(event.data.version);
    if (event.type === 'alert') for (const one of event.data.alerts) this.announce(one);
    if (event.type === 'flood') for (const { on, count } of event.data.floods) this.announcer.say(on ? text.flood.began(count) : text.flood.over(count));
    const time = event.type === 'state' ? event.data.gateway.time : 'time' in event.data ? event.data.time : null;
    if (time !== null) this.clock.observe(time);
    this.lastHeard = this.clock.now();
    if (event.type === 'snapshot') this.restarted(event.data.state.gateway.started);
    if (event.type === 'gap') this.log.warn(text.log.gap[event.data.why]);
    this.model.apply(event);
    this.schedule();
  }

  private welcome(version: string): void {
    this.clock.forget();
    if (this.firstVersion && version !== this.firstVersion) this.status.offerReload(version);
    this.firstVersion ||= version;
    if (this.lostSince !== null) this.announcer.say(text.link.back(format.span((performance.now() - this.lostSince) * 1000)));
    this.lostSince = null;
  }

  private restarted(started: Time): void {
    if (this.startedAt !== null && this.startedAt !== started) this.announcer.say(text.link.restarted);
    this.startedAt = started;
    this.sparks.reset();
  }

  private announce(event: AlertEvent): void {
    const sentence = aloud(event);
    if (sentence) this.announcer.say(sentence);
  }

  private schedule(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.render());
  }

  /** Takes all that changed since the last frame to the views at once. */
  private render(): void {
    this.frame = 0;
    if (!this.gate.isOpen) return;
    const changes = this.model.takeChanges();
    const { parts } = changes;
    if (parts.has('reload')) void this.reload(parts.has('gap'));
    if (parts.has('alerts') || parts.has('state')) this.alerts.update(this.clock.now());
    if (parts.has('log')) this.log.update();
    if (parts.has('state')) this.refreshDeadLetters();
    if (this.pausedAt !== null) this.hold(changes);
    else this.renderLive(changes);
  }

  private renderLive(changes: Changes): void {
    const now = this.clock.now(), state = this.model.state;
    this.points.update(changes, now, this.online);
    const name = this.chart.shownSeries;
    const last = name && changes.values.has(name) ? this.model.series.get(name)?.last : null;
    if (last) this.chart.add(last);
    if (!state || !(changes.parts.has('state') || changes.parts.has('alerts'))) return;
    this.channel.update(state, now);
    this.details.update(state, now);
    this.status.showStatus(this.model, now);
  }

  private get online(): boolean {
    const { kind } = this.stream.shown();
    return kind === 'live' || kind === 'delayed';
  }

  private tick(): void {
    if (!this.gate.isOpen) return;
    this.stream.tick();
    this.showLink();
    const now = this.clock.now();
    if (!this.clock.known) return this.status.showStatus(this.model, now);
    this.alerts.update(now);
    if (this.pausedAt !== null) return;
    this.points.tick(now, this.online);
    this.chart.tick();
    this.status.showStatus(this.model, now);
    if (!this.model.state) return;
    this.channel.update(this.model.state, now);
    this.details.update(this.model.state, now);
    const { version, started } = this.model.state.gateway;
    setText(this.footer, text.footer(version, format.span(now - started)));
  }

  private lost(): void {
    this.gate.showUnknown();
    this.showLink();
  }

  private showLink(): void {
    const link = this.stream.shown(), now = this.clock.now();
    if ((link.kind === 'reconnecting' || link.kind === 'trying') && this.lostSince === null) this.lostSince = performance.now() - link.offlineMs;
    this.status.showLink(link, this.lastHeard, now);
    document.documentElement.classList.toggle('offline', link.kind === 'reconnecting' || link.kind === 'trying');
  }

  /** What the stream does not carry: the log, the trails behind the tiles, the chart's history. */
  private async reload(afterGap: boolean): Promise<void> {
    const mine = (this.reloads += 1);
    const oldest = this.model.state?.store.oldest ?? null;
    void this.sparks.fill([...this.model.series.values()], oldest, this.clock.now(), () => this.points.redrawSparks());
    void this.chart.load();
    try {
      const { log, floods } = await fetchAlertLog(kLogEntries);
      this.model.takeLog(log, floods);
      if (!afterGap && mine === this.reloads) this.log.warn('');
      this.schedule();
    } catch (problem) {
      this.log.warn(problem instanceof Error ? problem.message : String(problem));
    }
  }

  private refreshDeadLetters(): void {
    const { sources, uplinks } = this.model.state ?? { sources: [], uplinks: [] };
    const rejected = sources.reduce((sum, source) => sum + source.rejected, 0) + uplinks.reduce((sum, uplink) => sum + uplink.lost_batches, 0);
    if (rejected === this.rejected) return;
    this.rejected = rejected;
    fetchDeadLetters(kDeadLetters).then((letters) => this.details.showDeadLetters(letters, this.clock.now()), () => (this.rejected = -1));
  }

  private togglePause(): void {
    const resumed = this.pausedAt !== null;
    this.pausedAt = resumed ? null : this.clock.now();
    this.status.showPaused(this.pausedAt === null ? null : format.moment(this.pausedAt, this.pausedAt));
    document.documentElement.classList.toggle('paused', !resumed);
    if (!resumed) return;
    const missed = this.held;
    this.held = new Changes();
    this.renderLive(missed);
    void this.chart.load();
    this.tick();
  }

  private hold({ parts, values }: Changes): void {
    parts.forEach((part) => this.held.parts.add(part));
    values.forEach((name) => this.held.values.add(name));
  }

  /** A page that nobody sees gives its connection back after a while, and is whole again at the first look. */
  private visibilityChanged(): void {
    if (document.hidden) {
      this.hiddenSince = performance.now();
      window.setTimeout(() => document.hidden && performance.now() - this.hiddenSince >= kRestAfterHiddenMs && this.stream.rest(), kRestAfterHiddenMs + 500);
    } else if (this.stream.shown().kind === 'resting') {
      this.stream.connect();
    }
  }
}

function view(id: 'rules' | 'people' | 'system', needs: Role, shown: { node: HTMLElement; opened(): void }): View {
  return { id, title: text.views[id], needs, node: shown.node, opened: () => shown.opened() };
}

new Page().start(document.getElementById('app')!);
