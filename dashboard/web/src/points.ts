// The tiles in their groups, with a search and a filter.

import type { Alert, Series, Severity, Time } from './api.ts';
import { arrange, el, reconcile, setText, show } from './dom.ts';
import { freshness } from './freshness.ts';
import { type Group, group } from './groups.ts';
import type { Changes, Model } from './model.ts';
import type { Sparks } from './sparks.ts';
import { text } from './strings.ts';
import { Tile } from './tile.ts';

type Filter = keyof typeof text.points.filter;
const kRank: Record<Severity, number> = { info: 0, warning: 1, high: 2, critical: 3 };

export class Points {
  readonly node: HTMLElement;
  private readonly groups = el('div', { class: 'groups' });
  private readonly none = el('p', { class: 'empty', hidden: true }, text.points.none);
  private readonly search = el('input', { type: 'search', class: 'search', placeholder: text.points.search, 'aria-label': text.points.search, input: () => this.regroup() });
  private readonly tiles = new Map<string, Tile>();
  private readonly groupNodes = new Map<string, HTMLElement>();
  private readonly filterButtons = new Map<Filter, HTMLButtonElement>();
  private severities = new Map<string, Severity>();
  private filter: Filter = 'all';
  private shownKey = '';
  private columns = 1;
  private now: Time = 0;
  private online = true;

  constructor(private readonly model: Model, private readonly sparks: Sparks, private readonly open: (name: string) => void) {
    const filters = el('div', { class: 'segments', role: 'group', 'aria-label': text.points.filterLabel });
    for (const filter of Object.keys(text.points.filter) as Filter[]) {
      const button = el('button', { type: 'button', class: 'segment', 'aria-pressed': String(filter === 'all'), click: () => this.choose(filter) }, text.points.filter[filter]);
      this.filterButtons.set(filter, button);
      filters.append(button);
    }
    this.node = el('section', { class: 'points', 'aria-labelledby': 'points-title' },
      el('div', { class: 'section-head' }, el('h2', { id: 'points-title' }, text.points.title), filters, this.search),
      this.groups, this.none);
    new ResizeObserver(() => this.fit()).observe(this.groups);
  }

  update(changes: Changes, now: Time, online: boolean): void {
    this.now = now;
    this.online = online;
    if (changes.parts.has('alerts')) this.severities = severitiesBySeries(this.model.alerts.values());
    if (changes.parts.has('series') || changes.parts.has('alerts')) this.regroup();
    for (const name of changes.values) {
      const last = this.model.series.get(name)?.last;
      if (last) this.sparks.add(name, last);
      this.refresh(name, true);
    }
  }

  /** Once a second: ages grow and values go stale with nobody telling. */
  tick(now: Time, online: boolean): void {
    this.now = now;
    this.online = online;
    if (this.filter !== 'all') this.regroup();
    for (const name of this.tiles.keys()) this.refresh(name, false);
  }

  redrawSparks(): void {
    for (const [name, tile] of this.tiles) {
      const series = this.model.series.get(name);
      if (series) tile.draw(this.sparks.trail(name), series, performance.now(), true);
    }
  }

  focus(name: string): void {
    this.tiles.get(name)?.node.focus();
  }

  private choose(filter: Filter): void {
    this.filter = filter;
    for (const [name, button] of this.filterButtons) button.setAttribute('aria-pressed', String(name === filter));
    this.regroup();
  }

  private wanted(): Group[] {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const series = [...this.model.series.values()].filter((one) => {
      if (this.filter === 'alert' && !this.severities.has(one.name)) return false;
      if (this.filter === 'trouble' && freshness(one, this.now).kind === 'fresh') return false;
      const haystack = `${one.name} ${one.source} ${Object.values(one.labels).join(' ')} ${one.unit}`.toLowerCase();
      return words.every((word) => haystack.includes(word));
    });
    return group(series, this.model.state?.sources ?? []);
  }

  private regroup(): void {
    const groups = this.wanted();
    const key = groups.map(({ key: name, mixed, series }) => `${name}${mixed}:${series.map((one) => one.name).join()}`).join('\n');
    if (key !== this.shownKey) {
      this.shownKey = key;
      this.layOut(groups);
    }
    show(this.none, groups.length === 0 && this.model.series.size > 0);
  }

  private layOut(groups: Group[]): void {
    for (const name of this.tiles.keys()) if (!this.model.series.has(name)) this.tiles.delete(name);
    reconcile(this.groups, groups, ({ key }) => key, this.groupNodes, ({ key, title }) =>
      el('section', { class: 'group', 'aria-label': title, 'data-key': key }, el('h3', {}, title), el('div', { class: 'group-tiles' })));
    for (const { key, title, mixed, series } of groups) {
      const node = this.groupNodes.get(key)!;
      setText(node.firstElementChild!, title);
      node.classList.toggle('mixed', mixed);
      arrange(node.lastElementChild!, series.map((one) => this.tileOf(one).node));
      node.dataset['size'] = String(series.length);
    }
    this.fit();
  }

  /** One that is shown again still says what it said: a search moves no value while the page is paused. */
  private tileOf(series: Series): Tile {
    const known = this.tiles.get(series.name);
    if (known) return known;
    const tile = new Tile(series, this.open);
    this.tiles.set(series.name, tile);
    this.refresh(series.name, true);
    return tile;
  }

  /** Small groups share a row: each spans as many columns as it has tiles. */
  private fit(): void {
    this.columns = Math.max(1, getComputedStyle(this.groups).gridTemplateColumns.split(' ').length);
    for (const node of this.groupNodes.values()) {
      node.style.setProperty('--span', String(Math.min(Number(node.dataset['size']), this.columns)));
    }
  }

  private refresh(name: string, withSpark: boolean): void {
    const tile = this.tiles.get(name);
    const series = this.model.series.get(name);
    if (!tile || !series) return;
    tile.update(series, this.model.lastGood.get(name), this.severities.get(name) ?? null, this.now, this.online);
    if (withSpark) tile.draw(this.sparks.trail(name), series, performance.now(), false);
  }
}

/** The worst raised alert of each series that somebody is called for. */
function severitiesBySeries(alerts: Iterable<Alert>): Map<string, Severity> {
  const worst = new Map<string, Severity>();
  for (const { series, severity, phase, silenced } of alerts) {
    if (silenced || (phase !== 'active' && phase !== 'clearing')) continue;
    const known = worst.get(series);
    if (!known || kRank[severity] > kRank[known]) worst.set(series, severity);
  }
  return worst;
}
