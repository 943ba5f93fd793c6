// The alerts that are raised or wait for an acknowledgement, worst first, each with its form; and those that are about to
// be raised.

import type { Alert, Severity, State, Time } from './api.ts';
import { el, reconcile, setClass, setText, show } from './dom.ts';
import * as format from './format.ts';
import { icon } from './icons.ts';
import type { Model } from './model.ts';
import { acknowledge } from './rest.ts';
import { text } from './strings.ts';

const kSeverityRank: Record<Severity, number> = { critical: 0, high: 1, warning: 2, info: 3 };
const kNameKey = 'tidegate.name';

export const isRaised = ({ phase }: Alert) => phase === 'active' || phase === 'clearing' || phase === 'returned';
/** `acknowledged` says that nothing is left to acknowledge: it is false from the first raise on, in any phase. */
export const needsAcknowledge = ({ phase, acknowledged }: Alert) => phase !== 'normal' && !acknowledged;
/** One that is about to be raised again may still owe the acknowledgement of the last time. */
export const isListed = (alert: Alert) => isRaised(alert) || needsAcknowledge(alert);

/** What needs a person first: not acknowledged, then the worst, then the newest. */
export function byUrgency(a: Alert, b: Alert): number {
  return Number(a.acknowledged) - Number(b.acknowledged) || kSeverityRank[a.severity] - kSeverityRank[b.severity] ||
    (b.raised ?? b.since) - (a.raised ?? a.since) || (a.id < b.id ? -1 : 1);
}

export class Alerts {
  readonly node: HTMLElement;
  private readonly list = el('ul', { class: 'alert-list' });
  private readonly pendingList = el('ul', { class: 'pending-list' });
  private readonly pending = el('div', { class: 'pending', hidden: true }, el('h3', {}, text.alerts.pendingTitle), this.pendingList);
  private readonly none = el('p');
  private readonly waiting = el('p', { class: 'banner alerts-waiting', hidden: true });
  private readonly count = el('span', { class: 'count' });
  private readonly nodes = new Map<string, HTMLElement>();
  private readonly cards = new Map<string, AlertCard>();
  private readonly pendingNodes = new Map<string, HTMLElement>();

  constructor(private readonly model: Model, private readonly openChart: (series: string) => void) {
    this.node = el('section', { class: 'alerts', 'aria-labelledby': 'alerts-title' },
      el('div', { class: 'section-head' }, el('h2', { id: 'alerts-title' }, text.alerts.title, ' ', this.count)),
      this.waiting, this.none, this.list, this.pending);
  }

  update(now: Time): void {
    const all = [...this.model.alerts.values()];
    const listed = all.filter(isListed).sort(byUrgency);
    const pending = all.filter((alert) => !isListed(alert)).sort(byUrgency);
    reconcile(this.list, listed, ({ id }) => id, this.nodes, (alert) => {
      const card = new AlertCard(alert, this.model, this.openChart);
      this.cards.set(alert.id, card);
      return card.node;
    });
    for (const id of this.cards.keys()) if (!this.nodes.has(id)) this.cards.delete(id);
    for (const alert of listed) this.cards.get(alert.id)!.update(alert, now);
    reconcile(this.pendingList, pending, ({ id }) => id, this.pendingNodes, () => el('li', {}, el('span'), ' ', el('span', { class: 'muted' })));
    for (const alert of pending) {
      const [message, since] = this.pendingNodes.get(alert.id)!.children;
      setText(message!, alert.message || alert.id);
      setText(since!, text.alerts.pendingFor(format.span(now - alert.since)));
    }
    setText(this.count, listed.length ? String(listed.length) : '');
    const { alertsKnown, state } = this.model;
    const waiting = state?.store.alerts_waiting ?? 0;
    setText(this.waiting, text.alerts.waiting(waiting));
    show(this.waiting, waiting > 0);
    setText(this.none, alertsKnown ? noAlerts(state) : text.alerts.unknown);
    setClass(this.none, alertsKnown && state?.store.takes_alerts ? 'empty all-quiet' : 'empty');
    show(this.none, (listed.length === 0 && waiting === 0) || !alertsKnown);
    show(this.pending, pending.length > 0);
  }
}

function noAlerts(state: State | null): string {
  if (!state?.rules.length) return text.alerts.noneNoRules;
  if (state.store.takes_samples) return text.alerts.none;
  return state.store.takes_alerts ? text.alerts.noneAlertsOnly : text.alerts.noneStored;
}

class AlertCard {
  readonly node: HTMLElement;
  private readonly message = el('p', { class: 'alert-message' });
  private readonly facts = el('p', { class: 'alert-facts' });
  private readonly done = el('p', { class: 'alert-done' });
  private readonly runbook = el('p', { class: 'alert-runbook' });
  private readonly phase = el('span', { class: 'alert-phase' });
  private readonly error = el('p', { class: 'form-error', role: 'alert', hidden: true });
  private readonly open: HTMLButtonElement;
  private readonly send = el('button', { type: 'submit', class: 'button primary' }, text.alerts.send);
  private readonly who = el('input', { name: 'who', autocomplete: 'name', maxlength: 80 });
  private readonly note = el('input', { name: 'note', autocomplete: 'off', maxlength: 500 });
  private readonly form: HTMLFormElement;

  constructor(private alert: Alert, private readonly model: Model, openChart: (series: string) => void) {
    this.open = el('button', { type: 'button', class: 'button primary acknowledge', click: () => this.ask() }, text.alerts.acknowledge);
    this.form = el('form', { class: 'ack-form', hidden: true, submit: (event: SubmitEvent) => this.submit(event), keydown: (event: KeyboardEvent) => event.key === 'Escape' && this.close() },
      el('label', {}, text.alerts.who, this.who), el('label', {}, text.alerts.note, this.note), this.error,
      el('div', { class: 'actions' }, this.send, el('button', { type: 'button', class: 'button', click: () => this.close() }, text.alerts.cancel)));
    this.node = el('li', { class: 'alert' },
      el('div', { class: 'alert-head' }, icon(alert.severity), el('span', { class: 'alert-severity' }, text.severity[alert.severity]), this.phase),
      this.message, this.facts, this.runbook, this.done,
      el('div', { class: 'actions' }, this.open,
        el('button', { type: 'button', class: 'button', click: () => openChart(this.alert.series) }, text.alerts.chart)),
      this.form);
  }

  update(alert: Alert, now: Time): void {
    this.alert = alert;
    const since = alert.raised ?? alert.since;
    setClass(this.node, `alert severity-${alert.severity}${alert.acknowledged ? ' acknowledged' : ''} phase-${alert.phase}`);
    setText(this.phase, alert.phase === 'active' ? '' : text.phase[alert.phase]);
    setText(this.message, alert.message || alert.id);
    setText(this.facts, [valueAgainstLimit(alert), text.alerts.since(format.moment(since, now), format.span(now - since)), alert.series].filter(Boolean).join(' · '));
    setText(this.runbook, alert.runbook ? text.alerts.runbook + alert.runbook : '');
    setText(this.done, alert.acknowledged ? text.alerts.acknowledged(alert.acknowledged_by, alert.note) : '');
    show(this.open, !alert.acknowledged && this.form.hidden);
    if (alert.acknowledged && !this.form.hidden) this.close();
    this.open.setAttribute('aria-label', text.alerts.acknowledgeOf(alert.message || alert.id));
  }

  private ask(): void {
    this.who.value = remembered();
    show(this.form, true);
    show(this.open, false);
    (this.who.value ? this.note : this.who).focus();
  }

  private close(): void {
    const hadFocus = this.form.contains(document.activeElement);
    show(this.form, false);
    show(this.error, false);
    show(this.open, !this.alert.acknowledged);
    if (hadFocus) (this.alert.acknowledged ? this.node.querySelector<HTMLElement>('.actions .button:not([hidden])') : this.open)?.focus();
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    this.send.disabled = true;
    setText(this.send, text.alerts.sending);
    try {
      const who = this.who.value.trim();
      remember(who);
      this.model.takeAcknowledged(await acknowledge(this.alert.id, who, this.note.value.trim()));
    } catch (problem) {
      setText(this.error, problem instanceof Error ? problem.message : String(problem));
      show(this.error, true);
    }
    this.send.disabled = false;
    setText(this.send, text.alerts.send);
  }
}

export function valueAgainstLimit({ value, limit, unit }: Alert): string {
  if (value === null) return '';
  const shown = format.plain(value, unit);
  return limit === null ? shown : text.alerts.valueLimit(shown, format.plain(limit, unit));
}

function remembered(): string {
  try {
    return localStorage.getItem(kNameKey) ?? '';
  } catch {
    return '';
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(kNameKey, name);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
