// Everything the page knows, and how each stream event changes it. Pure: no DOM, no clock, no network.

import { isOver } from './alert_words.ts';
import type { Alert, AlertEvent, FloodEvent, Hello, Reading, Series, State, StreamEvent, StreamEvents } from './api.ts';

export type Part = 'series' | 'alerts' | 'log' | 'state' | 'hello' | 'reload' | 'gap';
const kLogLimit = 200;

/** What changed since the last look: whole parts, and single series by name. */
export class Changes {
  readonly parts = new Set<Part>();
  readonly values = new Set<string>();
}

export class Model {
  hello: Hello | null = null;
  state: State | null = null;
  readonly series = new Map<string, Series>();
  /** Newest reading with a value, for what a failed read should be shown beside. */
  readonly lastGood = new Map<string, Reading>();
  alerts = new Map<string, Alert>();
  /** False while the gateway itself cannot read its alerts: then none known is not none. */
  alertsKnown = true;
  log: AlertEvent[] = [];
  floods: FloodEvent[] = [];
  /** The highest seq of an alert event that the stream told: what has no higher one is told again. */
  private heardSeq = 0;
  private changes = new Changes();

  apply(event: StreamEvent): void {
    switch (event.type) {
      case 'hello':
        if (this.hello && this.hello.epoch !== event.data.epoch) this.forgetLog();
        this.hello = event.data;
        this.changed('hello');
        break;
      case 'snapshot':
        this.takeSnapshot(event.data);
        break;
      case 'delta':
        for (const [name, reading] of Object.entries(event.data.values)) this.takeReading(name, reading);
        break;
      case 'series':
        for (const series of event.data.series) this.takeSeries(series);
        this.changed('series');
        break;
      case 'alerts':
        this.takeAlerts(event.data.alerts);
        break;
      case 'alert':
        this.takeAlertEvents(event.data);
        break;
      case 'flood':
        this.takeFloods(event.data.floods);
        break;
      case 'state':
        this.state = event.data;
        this.changed('state');
        break;
      case 'source':
        this.takeSourceChanges(event.data.changes);
        break;
      case 'gap':
        if (event.data.why === 'id') this.forgetLog();
        this.changed('gap');
        this.changed('reload');
        break;
      case 'ping':
      case 'busy':
      case 'bye':
        break;
    }
  }

  /** The log as REST gave it; the stream may have told of newer entries while it was on its way. */
  takeLog(newestFirst: AlertEvent[], floods: FloodEvent[]): void {
    const newest = newestFirst[0]?.seq ?? 0;
    this.log = [...this.log.filter(({ seq }) => seq > newest), ...newestFirst].slice(0, kLogLimit);
    this.takeFloods(floods);
    this.changed('log');
  }

  /** An acknowledged alert comes back from REST before the stream tells of it, or after it has told that it is over. */
  takeAnswer(alert: Alert): void {
    if (this.alerts.has(alert.id)) this.takeAlert(alert);
  }

  private takeAlert(alert: Alert): void {
    // A resume sends what was missed after the snapshot, which already holds its outcome.
    const known = this.alerts.get(alert.id);
    if (known && known.since > alert.since) return;
    if (isOver(alert)) this.alerts.delete(alert.id);
    else this.alerts.set(alert.id, alert);
    this.changed('alerts');
  }

  takeChanges(): Changes {
    const taken = this.changes;
    this.changes = new Changes();
    return taken;
  }

  private changed(part: Part): void {
    this.changes.parts.add(part);
  }

  /** Seqs count from the start in another journal, and what the old one told is not in its log. */
  private forgetLog(): void {
    this.log = [];
    this.floods = [];
    this.heardSeq = 0;
    this.changed('log');
  }

  private takeSnapshot(data: StreamEvents['snapshot']): void {
    this.series.clear();
    for (const series of data.series) this.takeSeries(series);
    this.takeAlerts(data.alerts ?? []);
    this.alertsKnown = data.alerts !== null;
    this.state = data.state;
    this.changed('series');
    this.changed('state');
    this.changed('reload');
  }

  private takeSeries(series: Series): void {
    this.series.set(series.name, series);
    if (series.last && series.last[1] !== null) this.lastGood.set(series.name, series.last);
    this.changes.values.add(series.name);
  }

  private takeReading(name: string, reading: Reading): void {
    const series = this.series.get(name);
    if (!series) return;
    series.last = reading;
    if (reading[1] !== null) this.lastGood.set(name, reading);
    this.changes.values.add(name);
  }

  private takeAlerts(alerts: Alert[]): void {
    this.alerts = new Map(alerts.map((alert) => [alert.id, alert]));
    this.alertsKnown = true;
    this.changed('alerts');
  }

  private takeAlertEvents({ seq, alerts }: StreamEvents['alert']): void {
    if (seq <= this.heardSeq) return;
    this.heardSeq = seq;
    for (const { alert } of alerts) this.takeAlert(alert);
    // The log may hold them: it comes by REST, perhaps before the stream tells of the same.
    if (this.log.some((entry) => entry.seq === seq)) return;
    this.log = [...[...alerts].reverse(), ...this.log].sort((a, b) => b.seq - a.seq).slice(0, kLogLimit);
    this.changed('log');
  }

  /** A resume and the log tell of the same ones. */
  private takeFloods(floods: FloodEvent[]): void {
    const known = new Set(this.floods.map(({ seq, on }) => `${seq} ${on}`));
    const fresh = floods.filter(({ seq, on }) => !known.has(`${seq} ${on}`));
    this.floods = [...fresh, ...this.floods].sort((a, b) => b.seq - a.seq || b.time - a.time).slice(0, kLogLimit);
    this.changed('log');
  }

  private takeSourceChanges(changes: { time: number; source: string; health: State['sources'][number]['health']; text: string }[]): void {
    for (const change of changes) {
      const source = this.state?.sources.find(({ name }) => name === change.source);
      if (!source || source.since > change.time) continue;
      source.health = change.health;
      source.text = change.text;
      source.since = change.time;
    }
    this.changed('state');
  }
}
