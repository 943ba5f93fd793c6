// Below the tiles, in plain words: each source, rule and uplink, the store, and what was refused.

import type { DeadLetter, Rule, Source, State, Store, Time, Uplink } from './api.ts';
import { behind } from './channel_view.ts';
import { el } from './dom.ts';
import * as format from './format.ts';
import { type Icon, icon } from './icons.ts';
import { Letters } from './letters.ts';
import { text } from './strings.ts';

const kHealthIcons: Record<Source['health'], Icon> = { starting: 'unknown', up: 'check', degraded: 'warning', down: 'bad', stopped: 'pause' };

export class Details {
  readonly node: HTMLElement;
  private readonly sources = el('div', { class: 'cards' });
  private readonly rules = el('div', { class: 'cards' });
  private readonly store = el('div');
  private readonly upstream = el('div', { class: 'cards' });
  private readonly letters = new Letters();
  private drawn = new Map<Element, string>();

  constructor() {
    this.node = el('div', { class: 'details' },
      section('sources', text.details.sources, this.sources), section('rules', text.details.rules, this.rules),
      el('div', { class: 'pair' }, section('store', text.details.store, this.store), section('upstream', text.details.upstream, this.upstream)),
      section('dead-letters', text.letters.title, this.letters.node));
  }

  update(state: State, now: Time): void {
    this.redraw(this.sources, state.sources.map((source) => sourceCard(source, now)), text.details.sourcesNone);
    this.redraw(this.rules, state.rules.map(ruleCard), text.details.rulesNone);
    this.redraw(this.store, [storeCard(state.store, now)], '');
    this.redraw(this.upstream, state.uplinks.map((uplink) => uplinkCard(uplink, state.store, now)), text.details.upstreamNone);
  }

  showDeadLetters(letters: DeadLetter[], now: Time): void {
    this.letters.update(letters, now);
  }

  /** Nothing here holds focus or forms, so a section is simply drawn anew when its words differ. */
  private redraw(into: HTMLElement, cards: HTMLElement[], none: string): void {
    const content = cards.length ? cards : [el('p', { class: 'empty' }, none)];
    const look = content.map((node) => node.outerHTML).join('');
    if (this.drawn.get(into) === look) return;
    this.drawn.set(into, look);
    into.replaceChildren(...content);
  }
}

function section(id: string, title: string, content: HTMLElement): HTMLElement {
  return el('section', { id, class: 'detail', 'aria-labelledby': `${id}-title`, tabindex: -1 },
    el('div', { class: 'section-head' }, el('h2', { id: `${id}-title` }, title)), content);
}

function healthChip(health: Source['health']): HTMLElement {
  return el('span', { class: `chip health-${health}` }, icon(kHealthIcons[health]), text.health[health]);
}

function card(name: string, kind: string, chip: HTMLElement, ...body: (HTMLElement | false | '')[]): HTMLElement {
  return el('article', { class: 'card' }, el('div', { class: 'card-head' }, el('h3', {}, name, ' ', kind !== name && el('span', { class: 'kind' }, kind)), chip), ...body);
}

function facts(rows: [string, string, boolean?][]): HTMLElement {
  return el('dl', { class: 'facts' }, ...rows.map(([name, fact, bad]) =>
    el('div', {}, el('dt', {}, name), el('dd', { class: bad ? 'bad' : undefined }, fact))));
}

function sourceCard(source: Source, now: Time): HTMLElement {
  return card(source.name, source.type, healthChip(source.health),
    source.text && el('p', {}, source.text),
    el('p', { class: 'muted' }, [text.details.sourceLine(source.series, format.rate(source.rate)), text.details.sourceSince(format.span(now - source.since)),
      source.rejected && text.details.rejected(format.count(source.rejected))].filter(Boolean).join(' · ')),
    source.turns !== null && el('p', { class: 'muted turns' }, text.details.turns(format.brief(source.turns.lateness_ms), format.brief(source.turns.time_ms), format.count(source.turns.missed))));
}

function ruleCard(rule: Rule): HTMLElement {
  const chip = el('span', { class: `chip ${rule.active ? `severity-${rule.severity} solid` : ''}` }, icon(rule.severity),
    rule.active ? text.details.ruleActive(rule.active) : text.severity[rule.severity]);
  const untold = rule.unfit - rule.problems.length;
  return card(rule.name, rule.kind, chip, el('p', {}, rule.condition),
    ...rule.problems.map((problem) => el('p', { class: 'bad' }, text.details.ruleCannotWatch(problem))),
    untold > 0 && el('p', { class: 'bad' }, text.details.ruleCannotWatchMore(format.count(untold))),
    el('p', { class: 'muted' }, el('code', {}, rule.series), ' · ', text.details.ruleLine(rule.instances)));
}

function storeCard(store: Store, now: Time): HTMLElement {
  return card(text.details.store, 'SQLite', healthChip(store.health), store.text && el('p', {}, store.text), ...store.notices.map((notice) => el('p', { class: 'bad' }, notice)), facts([
    [text.details.stored, text.details.samplesPerSecond(format.rate(store.rate))],
    [text.details.commit, text.details.commitTimes(format.number(store.commit_p50_ms), format.number(store.commit_p99_ms))],
    [text.details.queue, text.details.queueFill(format.count(store.queue_depth), format.count(store.queue_capacity))],
    [text.details.dropped, store.dropped ? text.details.droppedSome(format.count(store.dropped)) : text.details.droppedNone, store.dropped > 0],
    [text.details.disk, text.details.diskFill(format.bytes(store.used_bytes), format.bytes(store.max_bytes))],
    [text.details.wear, store.wear === null ? text.details.wearUnknown
      : text.details.wearFigures(format.number(store.wear.bytes_a_sample), format.bytes(store.wear.bytes_a_day), format.number(store.wear.life_years))],
    [text.details.keeps, store.oldest === null ? text.never : format.span(now - store.oldest)],
  ]));
}

function uplinkCard(uplink: Uplink, store: Store, now: Time): HTMLElement {
  const late = format.span(behind(uplink, now));
  return card(uplink.name, uplink.type, healthChip(uplink.health), uplink.text && el('p', {}, uplink.text),
    !store.takes_samples && el('p', { class: 'bad' }, store.takes_alerts ? text.details.uplinkAlertsOnly : text.details.uplinkStarved), facts([
    [text.details.delivered, text.details.samplesPerSecond(format.rate(uplink.rate))],
    [text.details.backlog, uplink.backlog_batches ? text.details.backlogBatches(format.count(uplink.backlog_batches), late) : text.details.backlogNone],
    [text.details.drain, uplink.drain_seconds === null ? text.details.drainNever : format.span(uplink.drain_seconds * format.kSecond)],
    [text.details.lastAck, uplink.last_ack === null ? text.never : format.age(now - uplink.last_ack)],
    [text.details.lost, uplink.lost_batches ? text.details.lostSome(format.count(uplink.lost_batches)) : text.details.lostNone, uplink.lost_batches > 0],
  ]));
}
