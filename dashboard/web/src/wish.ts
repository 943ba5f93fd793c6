// A button that asks once more before it does what cannot be undone, or wants words for it: it opens a small form in its
// row, of which there is one at a time.

import { AlertForm, type Question } from './alert_form.ts';
import { el, show } from './dom.ts';
import { Complaint } from './form.ts';
import { why } from './views.ts';

export interface Wish {
  button: string;
  /** For who does not see what the button stands beside. */
  label: string;
  sending: string;
  /** What the button is sent with; the question itself where there are none. */
  fields?: () => { nodes: HTMLElement[]; first: HTMLElement };
  question?: string;
  ask: () => Promise<unknown>;
  danger?: boolean;
}

/** Buttons and, below them, the form that one of them has opened. `refusal`: why its reader may not; empty: allowed. */
export class Wishes {
  readonly node: HTMLElement;
  private readonly buttons: HTMLElement;
  private readonly complaint = new Complaint();
  private form: AlertForm | null = null;

  constructor(wishes: Wish[], refusal = '') {
    this.buttons = el('div', { class: 'actions' }, ...wishes.map((wish) => this.button(wish, refusal)), refusal && wishes.length > 0 && el('span', { class: 'refusal' }, refusal));
    this.node = el('div', { class: 'wishes' }, this.buttons, this.complaint.node);
  }

  private button(wish: Wish, refusal: string): HTMLButtonElement {
    const open = (): void => this.open(wish, node);
    const node: HTMLButtonElement = el('button', { type: 'button', class: `button${refusal ? ' refused' : ''}`, 'aria-label': wish.label,
      'aria-disabled': refusal ? 'true' : undefined, click: () => refusal || open() }, wish.button);
    return node;
  }

  private open(wish: Wish, opener: HTMLElement): void {
    const fields = wish.fields?.() ?? { nodes: [], first: null };
    const question: Question = { send: wish.button, sending: wish.sending, first: fields.first ?? opener,
      fields: [...(wish.question ? [el('p', {}, wish.question)] : []), ...fields.nodes],
      ask: async () => {
        try {
          this.complaint.say('');
          await wish.ask();
          this.close(opener);
        } catch (problem) {
          this.complaint.say(why(problem));
        }
      } };
    this.form = new AlertForm(question, () => this.close(opener));
    show(this.buttons, false);
    this.complaint.say('');
    this.complaint.node.before(this.form.node);
    (fields.first ?? this.form.node.querySelector('button'))?.focus();
  }

  private close(opener: HTMLElement): void {
    this.form?.node.remove();
    this.form = null;
    this.complaint.say('');
    show(this.buttons, true);
    if (opener.isConnected) opener.focus();
  }
}
