// One alert: what is wrong, since when, what was done about it and what its reader can do.

import { AlertForm, Choice, noteInput, type Question } from './alert_form.ts';
import { chatterOf, evidenceOf, isRaised, isShelved, owesAcknowledge, valueAgainstLimit, whySilenced } from './alert_words.ts';
import type { Alert, Time } from './api.ts';
import { changeIcon, icon } from './icons.ts';
import { el, setClass, setText, show } from './dom.ts';
import { once } from './form.ts';
import * as format from './format.ts';
import type { Model } from './model.ts';
import { acknowledge, address, comment, fetchSnapshots, kOutOfService, shelve, unshelve } from './rest.ts';
import { text } from './strings.ts';

const kUsualShelf = '1h';
const kSnapshotsShown = 5;
let cards = 0;

/** What a card asks of the page around it. */
export interface Around {
  openChart(series: string): void;
  /** Why the reader may not act on an alert; empty: allowed. */
  refusal(): string;
}

export class AlertCard {
  readonly node: HTMLElement;
  private readonly mark = icon('info');
  private readonly severity = el('span', { class: 'alert-severity' });
  private readonly message = el('p', { class: 'alert-message' });
  private readonly why = el('p', { class: 'alert-why' });
  private readonly facts = el('p', { class: 'alert-facts' });
  private readonly chatter = el('p', { class: 'alert-chatter' });
  private readonly evidence = el('dl', { class: 'facts' });
  private readonly snapshots = el('ul', { class: 'alert-snapshots' });
  private readonly basis: HTMLDetailsElement = el('details', { class: 'alert-basis', toggle: () => void this.showSnapshots() },
    el('summary', {}, text.alerts.why), this.evidence, this.snapshots);
  private evidenceShown = '';
  private now: Time = 0;
  private readonly done = el('p', { class: 'alert-done' });
  private readonly said = el('p', { class: 'alert-said' });
  private readonly runbook = el('p', { class: 'alert-runbook' });
  private readonly phase = el('span', { class: 'alert-phase' });
  private readonly first = el('span', { class: 'alert-first', hidden: true }, text.flood.first);
  private readonly error = el('p', { class: 'form-error', role: 'alert', hidden: true });
  private readonly acknowledge = this.button('primary acknowledge', text.alerts.acknowledge, () => this.open(this.acknowledge, this.askAcknowledge()));
  private readonly shelve = this.button('shelve', text.alerts.shelve, () => this.open(this.shelve, this.askShelve()));
  private readonly unshelve = this.button('unshelve', text.alerts.unshelve, () => this.endShelf());
  private readonly comment = this.button('', text.alerts.comment, () => this.open(this.comment, this.askComment()));
  private readonly chart = this.button('', text.alerts.chart, () => this.around.openChart(this.alert.series));
  private readonly refusal = el('span', { class: 'refusal', id: `refusal-${(cards += 1)}`, hidden: true });
  private form: AlertForm | null = null;
  /** What opened the form, and has the focus back when it closes. */
  private opener: HTMLButtonElement | null = null;

  constructor(private alert: Alert, private readonly model: Model, private readonly around: Around) {
    this.node = el('li', { class: 'alert' },
      el('div', { class: 'alert-head' }, this.mark, this.severity, this.first, this.phase),
      this.message, this.why, this.facts, this.chatter, this.runbook, this.done, this.said, this.basis,
      el('div', { class: 'actions' }, this.acknowledge, this.shelve, this.unshelve, this.comment, this.chart, this.refusal), this.error);
  }

  update(alert: Alert, now: Time): void {
    this.alert = alert;
    this.now = now;
    const since = alert.raised ?? alert.since, name = alert.message || alert.id, owed = owesAcknowledge(alert);
    setClass(this.node, `alert severity-${alert.severity}${owed ? '' : ' acknowledged'}${alert.silenced ? ' silenced' : ''} phase-${alert.phase}`);
    changeIcon(this.mark, alert.severity);
    show(this.first, this.model.state?.flood?.first === alert.id);
    setText(this.severity, text.severity[alert.severity]);
    setText(this.phase, alert.phase === 'active' && !alert.silenced ? '' : alert.phase === 'pending' && !owed ? text.alerts.pending : text.phase[alert.phase]);
    setText(this.message, name);
    setText(this.why, whySilenced(alert, this.model.alerts, now).join(' · '));
    setText(this.facts, [alert.phase === 'normal' ? '' : valueAgainstLimit(alert), text.alerts.since(format.moment(since, now), format.span(now - since)), alert.series].filter(Boolean).join(' · '));
    setText(this.chatter, chatterOf(alert));
    setText(this.runbook, alert.runbook ? text.alerts.runbook + alert.runbook : '');
    setText(this.done, alert.acknowledged && isRaised(alert) ? text.alerts.acknowledged(alert.acknowledged_by, alert.note) : '');
    setText(this.said, alert.comment ? text.alerts.said(alert.commented_by, alert.comment) : '');
    this.showEvidence(evidenceOf(alert));
    this.acknowledge.setAttribute('aria-label', text.alerts.acknowledgeOf(name));
    this.shelve.setAttribute('aria-label', text.alerts.shelveOf(name));
    this.unshelve.setAttribute('aria-label', text.alerts.unshelveOf(name));
    this.comment.setAttribute('aria-label', text.alerts.commentOf(name));
    if (this.opener && !this.offered(this.opener)) this.close();
    this.showButtons();
  }

  private showEvidence(rows: [string, string][]): void {
    const shown = JSON.stringify(rows);
    if (shown === this.evidenceShown) return;
    this.evidenceShown = shown;
    this.evidence.replaceChildren(...rows.map(([name, fact]) => el('div', {}, el('dt', {}, name), el('dd', {}, fact))));
    show(this.basis, rows.length > 0);
  }

  /** What its rule kept of the time around its raises, asked for when the reader wants to know why. */
  private async showSnapshots(): Promise<void> {
    if (!this.basis.open) return;
    const kept = await fetchSnapshots(this.alert.id, kSnapshotsShown).catch(() => []);
    this.snapshots.replaceChildren(...kept.map(({ id, raised, samples }) => el('li', {},
      el('a', { href: address(`snapshot?id=${id}`), download: `snapshot-${id}.json` }, text.alerts.snapshot(format.moment(raised, this.now), samples)))));
  }

  private offered(button: HTMLButtonElement): boolean {
    if (button === this.comment) return true;
    if (button === this.acknowledge) return owesAcknowledge(this.alert);
    return isShelved(this.alert) === (button === this.unshelve);
  }

  private showButtons(): void {
    const wishes = [this.acknowledge, this.shelve, this.unshelve, this.comment], refusal = this.around.refusal();
    for (const button of wishes) show(button, !this.form && this.offered(button));
    if (this.refusal.textContent === refusal) return;
    setText(this.refusal, refusal);
    show(this.refusal, refusal !== '');
    for (const button of wishes) refuse(button, refusal ? this.refusal.id : null);
  }

  private button(look: string, label: string, click: () => void): HTMLButtonElement {
    return el('button', { type: 'button', class: `button ${look}`.trim(), click }, label);
  }

  private open(opener: HTMLButtonElement, question: Question): void {
    if (this.around.refusal()) return;
    this.opener = opener;
    this.form = new AlertForm(question, () => this.close());
    this.error.before(this.form.node);
    show(this.error, false);
    this.showButtons();
    question.first.focus();
  }

  private close(): void {
    const hadFocus = this.form?.node.contains(document.activeElement);
    const opener = this.opener;
    this.form?.node.remove();
    this.form = this.opener = null;
    show(this.error, false);
    this.showButtons();
    if (hadFocus) (opener && this.offered(opener) ? opener : this.chart).focus();
  }

  private askAcknowledge(): Question {
    const note = noteInput('note');
    return { send: text.alerts.send, sending: text.alerts.sending, fields: [el('label', {}, text.alerts.note, note)], first: note,
      ask: () => this.send(acknowledge(this.alert.id, note.value.trim())) };
  }

  private askShelve(): Question {
    const why = noteInput('why', true);
    const span = new Choice(text.alerts.shelveFor, 'for', [...text.alerts.shelfSpans, [text.alerts.outOfService, kOutOfService]], kUsualShelf);
    return { send: text.alerts.shelve, sending: text.alerts.shelving, fields: [span.node, el('label', {}, text.alerts.shelveWhy, why)], first: why,
      ask: () => this.send(shelve(this.alert.id, span.value, why.value.trim())) };
  }

  /** It changes nothing that would close the form. */
  private askComment(): Question {
    const words = noteInput('comment', true);
    return { send: text.alerts.comment, sending: text.alerts.commenting, fields: [el('label', {}, text.alerts.commentWhat, words)], first: words,
      ask: () => this.send(comment(this.alert.id, words.value.trim())).then(() => this.close()) };
  }

  private endShelf(): Promise<void> {
    return once(this.unshelve, () => this.send(unshelve(this.alert.id)).then(() => this.chart.focus(), () => undefined));
  }

  /** What goes wrong is said on the card. */
  private async send(answer: Promise<Alert>): Promise<void> {
    try {
      const alert = await answer;
      show(this.error, false);
      this.model.takeAnswer(alert);
    } catch (problem) {
      setText(this.error, problem instanceof Error ? problem.message : String(problem));
      show(this.error, true);
      throw problem;
    }
  }
}

/** Not `disabled`: who cannot see it should come by it and hear why. */
function refuse(button: HTMLButtonElement, because: string | null): void {
  button.classList.toggle('refused', because !== null);
  for (const [name, value] of [['aria-disabled', because && 'true'], ['aria-describedby', because]] as const) {
    if (value) button.setAttribute(name, value);
    else button.removeAttribute(name);
  }
}
