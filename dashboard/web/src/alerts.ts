// The alerts that are raised or wait for an acknowledgement, worst first (in a flood after the one with which it began),
// each with its form; those that are about to be raised; and below them those for which nobody is called.

import { AlertCard, type Around } from './alert_card.ts';
import { floodNow, inFlood, isListed, isPending, isSilent } from './alert_words.ts';
import type { Alert, State, Time } from './api.ts';
import { arrange, el, reconcile, setClass, setText, show } from './dom.ts';
import * as format from './format.ts';
import type { Model } from './model.ts';
import { text } from './strings.ts';

export class Alerts {
  readonly node: HTMLElement;
  private readonly list = el('ul', { class: 'alert-list' });
  private readonly pendingList = el('ul', { class: 'pending-list' });
  private readonly pending = el('div', { class: 'pending', hidden: true }, el('h3', {}, text.alerts.pendingTitle), this.pendingList);
  private readonly silentCount = el('span', { class: 'count' });
  private readonly silentList = el('ul', { class: 'alert-list' });
  private readonly silent = el('div', { class: 'silent', hidden: true },
    el('h3', {}, text.alerts.silentTitle, ' ', this.silentCount), el('p', { class: 'muted' }, text.alerts.silentHelp), this.silentList);
  private readonly none = el('p');
  private readonly flood = el('p', { class: 'banner banner-flood', hidden: true });
  private readonly waiting = el('p', { class: 'banner alerts-waiting', hidden: true });
  private readonly count = el('span', { class: 'count' });
  private readonly cards = new Map<string, AlertCard>();
  private readonly pendingNodes = new Map<string, HTMLElement>();

  constructor(private readonly model: Model, private readonly around: Around) {
    this.node = el('section', { class: 'alerts', 'aria-labelledby': 'alerts-title' },
      el('div', { class: 'section-head' }, el('h2', { id: 'alerts-title' }, text.alerts.title, ' ', this.count)),
      this.waiting, this.flood, this.none, this.list, this.pending, this.silent);
  }

  update(now: Time): void {
    const all = [...this.model.alerts.values()].sort(inFlood(this.model.state?.flood ?? null));
    const listed = all.filter(isListed), silent = all.filter(isSilent), pending = all.filter(isPending);
    const shown = new Set([...listed, ...silent].map(({ id }) => id));
    for (const id of this.cards.keys()) if (!shown.has(id)) this.cards.delete(id);
    const cards = listed.map((alert) => this.card(alert, now)), silentCards = silent.map((alert) => this.card(alert, now));
    setText(this.silentCount, String(silent.length));
    show(this.silent, silent.length > 0);
    const focused = document.activeElement;  // a card that goes to the other list would lose it
    arrange(this.list, cards);
    arrange(this.silentList, silentCards);
    if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus();
    reconcile(this.pendingList, pending, ({ id }) => id, this.pendingNodes, () => el('li', {}, el('span'), ' ', el('span', { class: 'muted' })));
    for (const alert of pending) {
      const [message, since] = this.pendingNodes.get(alert.id)!.children;
      setText(message!, alert.message || alert.id);
      setText(since!, text.alerts.pendingFor(format.span(now - alert.since)));
    }
    setText(this.count, listed.length ? String(listed.length) : '');
    const { alertsKnown, state } = this.model;
    const flood = state?.flood ?? null, waiting = state?.store.alerts_waiting ?? 0;
    setText(this.flood, flood ? floodNow(flood, this.model.alerts, now) : '');
    show(this.flood, flood !== null);
    setText(this.waiting, text.alerts.waiting(waiting));
    show(this.waiting, waiting > 0);
    setText(this.none, alertsKnown ? noAlerts(state) : text.alerts.unknown);
    setClass(this.none, alertsKnown && state?.store.takes_alerts ? 'empty all-quiet' : 'empty');
    show(this.none, (listed.length === 0 && waiting === 0) || !alertsKnown);
    show(this.pending, pending.length > 0);
  }

  /** The same card while its alert goes from one list to the other. */
  private card(alert: Alert, now: Time): HTMLElement {
    let card = this.cards.get(alert.id);
    if (!card) this.cards.set(alert.id, (card = new AlertCard(alert, this.model, this.around)));
    card.update(alert, now);
    return card.node;
  }
}

function noAlerts(state: State | null): string {
  if (!state?.rules.length) return text.alerts.noneNoRules;
  if (state.store.takes_samples) return text.alerts.none;
  return state.store.takes_alerts ? text.alerts.noneAlertsOnly : text.alerts.noneStored;
}
