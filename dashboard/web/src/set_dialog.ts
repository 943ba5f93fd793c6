// The dialog in which an operator sets a point: what it takes, what it is to show and why; then, before anything is sent,
// the question that names series, present value and new value; then what the gateway says of it.

import type { WritablePoint } from './api.ts';
import { el, setText } from './dom.ts';
import { sentence } from './format.ts';
import { Field, Form } from './form.ts';
import { setPoint } from './rest.ts';
import { newValue, suggestion, takes, valueOf, wrongWith } from './setting.ts';
import { text } from './strings.ts';

const kLongestWhy = 500;

/** What is known now: the point's present value, and how its interlock is. */
export interface Present {
  value: string;
  interlock: string;
  open: boolean;
}

export class SetDialog {
  readonly node: HTMLDialogElement = el('dialog', { class: 'panel dialog', 'aria-labelledby': 'set-title', close: () => this.node.replaceChildren() });
  private readonly value = el('b');
  private readonly interlock = el('p');
  private readonly progress = el('p', { class: 'muted', role: 'status' });
  private point: WritablePoint | null = null;

  constructor(private readonly present: (point: WritablePoint) => Present) {}

  open(point: WritablePoint, series: Parameters<typeof suggestion>[1] & { last: Parameters<typeof suggestion>[2] }): void {
    this.point = point;
    this.node.showModal();  // first: what is not shown takes no focus
    this.ask(suggestion(point, series, series.last), '');
  }

  close(): void {
    this.node.close();
  }

  /** What is shown of the present moves on while the dialog is open. */
  tick(): void {
    if (!this.node.open || !this.point) return;
    const { value, interlock, open } = this.present(this.point);
    setText(this.value, value);
    setText(this.interlock, interlock);
    this.interlock.classList.toggle('form-error', !open);
    this.interlock.classList.toggle('muted', open);
  }

  private ask(typed: string, reason: string): void {
    const point = this.point!;
    const value = valueField(point, typed);
    const why = new Field({ id: 'set-why', label: text.setting.why, hint: text.setting.whyHint,
      attributes: { required: false, autocomplete: 'off', maxlength: String(kLongestWhy), value: reason, autocapitalize: 'sentences', spellcheck: 'true' }, check: () => '' });
    const form = new Form({ send: text.setting.go, sending: text.setting.go, fields: [value, why],
      ask: () => Promise.resolve(this.confirm(value.value, why.value)) },
      { above: [this.facts(text.setting.shows)], beside: [this.button(text.views.cancel, () => this.close())] });
    this.show(text.setting.title(point.series), form.node);
    value.input.focus();
    if (value.input instanceof HTMLInputElement) value.input.select();
  }

  private confirm(typed: string, reason: string): void {
    const point = this.point!, value = valueOf(point, typed);
    setText(this.progress, '');
    const form = new Form({ send: text.setting.send, sending: text.setting.sending, fields: [], ask: async () => {
      setText(this.progress, text.setting.waits);
      try {
        const done = sentence((await setPoint(point.series, value, reason)).text);
        if (form.node.isConnected) this.say(done);
      } finally {
        setText(this.progress, '');
      }
    } }, { above: [el('dl', { class: 'facts set-facts' }, fact(text.setting.point, point.series), fact(text.setting.now, this.value),
      fact(text.setting.then, el('b', { class: 'set-new' }, newValue(point, value))), reason ? fact(text.setting.because, reason) : ''), this.interlock],
      beside: [this.button(text.setting.back, () => this.ask(typed, reason))], below: [this.progress] });
    this.show(text.setting.sure, form.node);
    this.node.querySelector('h2')!.focus();  // not the button: an Enter that is held down would send it
  }

  private say(done: string): void {
    const closer = this.button(text.account.close, () => this.close());
    this.show(text.account.done, el('p', { role: 'status' }, done), el('div', { class: 'actions' }, closer));
    closer.focus();
  }

  private facts(label: string): HTMLElement {
    return el('div', { class: 'set-now' }, el('p', {}, label, ' ', this.value), this.interlock);
  }

  private show(title: string, ...content: HTMLElement[]): void {
    this.node.replaceChildren(el('h2', { id: 'set-title', tabindex: -1 }, title), ...content);
    this.tick();
  }

  private button(label: string, click: () => void): HTMLButtonElement {
    return el('button', { type: 'button', class: 'button', click }, label);
  }
}

function fact(name: string, value: string | HTMLElement): HTMLElement {
  return el('div', {}, el('dt', {}, name), el('dd', {}, value));
}

function valueField(point: WritablePoint, typed: string): Field {
  const look = { id: 'set-value', label: text.setting.value, check: (value: string) => wrongWith(point, value) };
  const words = point.kind === 'boolean' ? [text.on, text.off] : point.states;
  if (!words) {
    // A telephone's keys for decimals have no minus.
    return new Field({ ...look, hint: text.setting.takes(takes(point)), attributes: { autocomplete: 'off', value: typed, inputmode: point.min! < 0 ? 'text' : 'decimal' } });
  }
  const field = new Field({ ...look, attributes: {}, options: [[text.setting.choice, ''], ...words.map((word): [string, string] => [word, word])] });
  field.input.value = typed;
  return field;
}
