// Forms that ask before the gateway is asked: a field with its hint and what is wrong with it, told to the eye and to a
// screen reader alike, and the way from a submit to an answer.

import { el, setText, show } from './dom.ts';
import { Refusal } from './rest.ts';
import { text } from './strings.ts';

/** Does it unless it is being done. The button is not `disabled` meanwhile: it would lose the focus. */
export async function once(button: HTMLButtonElement, act: () => Promise<void>): Promise<void> {
  if (button.hasAttribute('aria-disabled')) return;
  button.setAttribute('aria-disabled', 'true');
  await act();
  button.removeAttribute('aria-disabled');
}

/** Where a form says what went wrong: it is read aloud when it appears. */
export class Complaint {
  readonly node: HTMLElement;

  constructor(id?: string) {
    this.node = el('p', { class: 'form-error', id, role: 'alert', hidden: true });
  }

  say(sentence: string): void {
    setText(this.node, sentence);
    show(this.node, sentence !== '');
  }
}

export interface FieldLook {
  id: string;
  label: string;
  attributes: Record<string, string | boolean>;
  hint?: string;
  /** A password: hidden unless its reader asks to see it. */
  secret?: boolean;
  /** One of these is to be chosen. */
  options?: [label: string, value: string][];
  /** What is wrong with the value, in words; empty: nothing. */
  check: (value: string) => string;
}

export class Field {
  readonly node: HTMLElement;
  readonly input: HTMLInputElement | HTMLSelectElement;
  private readonly complaint: Complaint;
  private readonly reveal: Reveal | null;

  constructor(private readonly look: FieldLook) {
    const { id, label, attributes, hint, options } = look;
    this.complaint = new Complaint(`${id}-error`);
    const all = { id, name: id, 'aria-describedby': `${hint ? `${id}-hint ` : ''}${id}-error`, required: true, spellcheck: 'false',
      autocapitalize: 'none', ...attributes, input: () => this.complain('') };
    this.input = options ? el('select', all, ...options.map(([name, value]) => el('option', { value }, name))) : el('input', all);
    this.reveal = look.secret && this.input instanceof HTMLInputElement ? new Reveal(this.input) : null;
    this.node = el('div', { class: 'field' }, el('label', { for: id }, label), hint && el('p', { class: 'hint', id: `${id}-hint` }, hint),
      this.reveal?.node ?? this.input, this.complaint.node);
  }

  get value(): string {
    return this.input.value;
  }

  check(): boolean {
    const wrong = this.look.check(this.value);
    this.complain(wrong);
    return wrong === '';
  }

  complain(sentence: string): void {
    this.complaint.say(sentence);
    if (sentence) this.input.setAttribute('aria-invalid', 'true');
    else this.input.removeAttribute('aria-invalid');
  }

  /** To be called when the form is sent. */
  conceal(): void {
    this.reveal?.set(false);
  }
}

/** The button that shows a password to its reader while it is typed. */
class Reveal {
  readonly button: HTMLButtonElement;
  readonly node: HTMLElement;

  constructor(private readonly input: HTMLInputElement) {
    this.button = el('button', { type: 'button', class: 'button', 'aria-controls': input.id, click: () => this.set(input.type === 'password') });
    this.node = el('div', { class: 'secret' }, input, this.button);
    this.set(false);
  }

  set(shown: boolean): void {
    this.input.type = shown ? 'text' : 'password';
    setText(this.button, shown ? text.form.hide : text.form.show);
    this.button.setAttribute('aria-label', shown ? text.form.hidePassword : text.form.showPassword);
  }
}

export interface Asked {
  send: string;
  sending: string;
  fields: Field[];
  ask: () => Promise<void>;
  /** What a 401 is about: the secret that is to be known already. */
  secret?: Field;
}

export class Form {
  readonly node: HTMLFormElement;
  private readonly send: HTMLButtonElement;
  private readonly complaint = new Complaint();

  /** @param parts what stands above the fields, beside the button to send, and below it */
  constructor(private readonly asked: Asked, parts: { above?: Node[]; beside?: Node[]; below?: Node[] } = {}) {
    this.send = el('button', { type: 'submit', class: 'button primary' }, asked.send);
    // `novalidate`: a browser's own bubbles vanish, are in its language and not tied to the field.
    this.node = el('form', { class: 'form', method: 'post', novalidate: true, submit: (event: SubmitEvent) => void this.submit(event) },
      ...(parts.above ?? []), ...asked.fields.map(({ node }) => node), this.complaint.node, el('div', { class: 'actions' }, this.send, ...(parts.beside ?? [])),
      ...(parts.below ?? []));
  }

  /** To the first field that is still to be filled. */
  focus(): void {
    (this.asked.fields.find(({ value }) => !value) ?? this.asked.fields[0])?.input.focus();
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    this.complaint.say('');
    const wrong = this.asked.fields.filter((field) => !field.check());
    if (wrong[0]) return wrong[0].input.focus();
    await once(this.send, async () => {
      for (const field of this.asked.fields) field.conceal();
      setText(this.send, this.asked.sending);
      await this.asked.ask().catch((problem: unknown) => this.tell(problem));
      setText(this.send, this.asked.send);
    });
  }

  private tell(problem: unknown): void {
    const message = problem instanceof Error ? problem.message : String(problem);
    const { secret } = this.asked;
    if (!secret || !(problem instanceof Refusal) || problem.status !== 401) return this.complaint.say(message);
    secret.complain(message);
    secret.input.focus();
    if (secret.input instanceof HTMLInputElement) secret.input.select();
  }
}
