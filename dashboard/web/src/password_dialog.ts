// The dialog in which a user gives himself a password: another, or the first.

import type { Access } from './access.ts';
import type { User } from './api.ts';
import { el } from './dom.ts';
import { newPasswordField, passwordField } from './fields.ts';
import { Form } from './form.ts';
import { text } from './strings.ts';

export class PasswordDialog {
  readonly node: HTMLDialogElement = el('dialog', { class: 'panel dialog', 'aria-labelledby': 'password-title', close: () => this.node.replaceChildren() });

  constructor(private readonly access: Access) {}

  open({ name, password }: User): void {
    const old = password ? passwordField(text.form.oldPassword) : null, next = newPasswordField();
    const form = new Form({ send: text.account.save, sending: text.account.saving, fields: old ? [old, next] : [next], ...(old && { secret: old }),
      ask: async () => {
        await this.access.setPassword(old?.value, next.value);
        this.say(password ? text.account.passwordChanged : text.account.passwordSet);
      } },
      // Tells a password manager whose password this is.
      { above: [el('input', { type: 'text', name: 'username', autocomplete: 'username', value: name, readonly: true, hidden: true })],
        beside: [this.closer(text.account.cancel)] });
    this.show(password ? text.account.changePassword : text.account.setPassword, form.node);
    this.node.showModal();
    form.focus();
  }

  close(): void {
    this.node.close();
  }

  private say(sentence: string): void {
    if (!this.node.open) return;
    const closer = this.closer(text.account.close);
    this.show(text.account.done, el('p', { role: 'status' }, sentence), el('div', { class: 'actions' }, closer));
    closer.focus();
  }

  private show(title: string, ...content: HTMLElement[]): void {
    this.node.replaceChildren(el('h2', { id: 'password-title' }, title), ...content);
  }

  private closer(label: string): HTMLButtonElement {
    return el('button', { type: 'button', class: 'button', click: () => this.close() }, label);
  }
}
