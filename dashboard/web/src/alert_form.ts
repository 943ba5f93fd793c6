// What a card asks of its reader before the gateway is asked for something: a note, how long.

import { el, setText } from './dom.ts';
import { once } from './form.ts';
import { text } from './strings.ts';

const kLongestNote = 500;

export interface Question {
  send: string;
  sending: string;
  fields: HTMLElement[];
  /** Where a reader begins to type. */
  first: HTMLElement;
  ask: () => Promise<void>;
}

/** `close` is asked when the reader thinks better of it; what was sent changes the alert, and the form goes with the reason for it. */
export class AlertForm {
  readonly node: HTMLFormElement;
  private readonly send: HTMLButtonElement;

  constructor(private readonly question: Question, close: () => void) {
    this.send = el('button', { type: 'submit', class: 'button primary' }, question.send);
    this.node = el('form', { class: 'ack-form', submit: (event: SubmitEvent) => this.submit(event), keydown: (event: KeyboardEvent) => event.key === 'Escape' && close() },
      ...question.fields,
      el('div', { class: 'actions' }, this.send, el('button', { type: 'button', class: 'button', click: close }, text.alerts.cancel)));
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    await once(this.send, async () => {
      setText(this.send, this.question.sending);
      await this.question.ask().catch(() => undefined);
      setText(this.send, this.question.send);
    });
  }
}

export function noteInput(name: string, required = false): HTMLInputElement {
  return el('input', { name, autocomplete: 'off', maxlength: kLongestNote, required });
}

/** One of several, as buttons to press; `value` is the chosen one. */
export class Choice {
  readonly node: HTMLElement;
  private readonly inputs: HTMLInputElement[];

  constructor(title: string, name: string, choices: [label: string, value: string][], chosen: string) {
    this.inputs = choices.map(([, value]) => el('input', { type: 'radio', name, value, checked: value === chosen }));
    this.node = el('fieldset', { class: 'choice' }, el('legend', {}, title),
      ...choices.map(([label], at) => el('label', {}, this.inputs[at], label)));
  }

  get value(): string {
    return this.inputs.find(({ checked }) => checked)?.value ?? '';
  }
}
