// Everything the page knows, and how each stream event changes it. Pure: no DOM, no clock, no network.

import type { Alert, AlertEvent, Hello, Reading, Series, State, StreamEvent } from './api.ts';

export type Part = 'series' | 'alerts' | 'log' | 'state' | 'hello' | 'reload';
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
  log: AlertEvent[] = [];
  private changes = new Changes();

  apply(event: StreamEvent): void {
    switch (event.type) {
      case 'hello':
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
        for (const entry of event.data.alerts) this.takeAlertEvent(entry);
        break;
      case 'state':
        this.state = event.data;
        this.changed('state');
        break;
      case 'source':
        this.takeSourceChanges(event.data.changes);
        break;
      case 'gap':
        this.changed('reload');
        break;
      case 'ping':
      case 'busy':
      case 'bye':
        break;
    }
  }

  takeLog(newestFirst: AlertEvent[]): void {
    this.log = newestFirst.slice(0, kLogLimit);
    this.changed('log');
  }

  /** An acknowledged alert comes back from REST before the stream tells of it. */
  takeAlert(alert: Alert): void {
    if (alert.phase === 'normal') this.alerts.delete(alert.id);
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

  private takeSnapshot(data: { series: Series[]; alerts: Alert[]; state: State }): void {
    this.series.clear();
    for (const series of data.series) this.takeSeries(series);
    this.takeAlerts(data.alerts);
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
    this.changed('alerts');
  }

  private takeAlertEvent(entry: AlertEvent): void {
    // A resume sends what was missed after the snapshot, which already holds its outcome.
    const known = this.alerts.get(entry.alert.id);
    const replayed = this.log.some((seen) => sameEvent(seen, entry));
    if (!replayed && !(known && known.since > entry.alert.since)) this.takeAlert(entry.alert);
    if (replayed) return;
    this.log = [entry, ...this.log].sort((a, b) => b.time - a.time).slice(0, kLogLimit);
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

function sameEvent(a: AlertEvent, b: AlertEvent): boolean {
  return a.seq === b.seq && a.alert.id === b.alert.id && a.cause === b.cause && a.time === b.time;
}
