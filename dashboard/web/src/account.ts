// Who is logged in, at the top of the page: name and role, and behind them the way out and to another password.

import type { Access } from './access.ts';
import type { User } from './api.ts';
import { el, setText, show } from './dom.ts';
import { Complaint, once } from './form.ts';
import { icon } from './icons.ts';
import { PasswordDialog } from './password_dialog.ts';
import { text } from './strings.ts';

export class Account {
  /** For a user who can come in only by a link. */
  readonly hint: HTMLElement;
  readonly dialog: PasswordDialog;
  readonly node: HTMLDetailsElement;
  private readonly name = el('span', { class: 'account-name' });
  private readonly role = el('span', { class: 'account-role' });
  private readonly summary = el('summary', { class: 'button' }, icon('person'), el('span', { class: 'account-who' }, this.name, ' ', this.role));
  /** The same again, for who sees the icon alone. */
  private readonly who = el('p', { class: 'account-again' });
  private readonly may = el('p', { class: 'muted' });
  private readonly change: HTMLButtonElement;
  private readonly leave: HTMLButtonElement;
  private readonly complaint = new Complaint();
  private user: User | null = null;

  /** @param logOut throws where the gateway did not take it */
  constructor(access: Access, logOut: () => Promise<void>) {
    this.dialog = new PasswordDialog(access);
    this.change = el('button', { type: 'button', class: 'button', click: () => this.openDialog() });
    this.leave = el('button', { type: 'button', class: 'button', click: () => void this.leaveBy(logOut) }, text.account.logOut);
    this.hint = el('p', { class: 'password-hint', hidden: true }, el('span', {}, text.account.noPassword),
      el('button', { type: 'button', class: 'button', click: () => this.openDialog() }, text.account.setPassword));
    this.node = el('details', { class: 'account', keydown: (event: KeyboardEvent) => event.key === 'Escape' && this.fold(true),
      focusout: ({ relatedTarget }: FocusEvent) => relatedTarget instanceof Node && !this.node.contains(relatedTarget) && this.fold(false) },
      this.summary, el('div', { class: 'panel account-panel' }, this.who, this.may, this.change, this.leave, this.complaint.node));
    document.addEventListener('pointerdown', ({ target }) => target instanceof Node && !this.node.contains(target) && this.fold(false));
  }

  show(user: User | null): void {
    this.user = user;
    if (!user) {
      this.fold(false);
      return this.dialog.close();
    }
    setText(this.name, user.name);
    setText(this.role, text.account.roles[user.role]);
    setText(this.who, text.account.who(user.name, text.account.roles[user.role]));
    setText(this.may, text.account.may[user.role]);
    setText(this.change, user.password ? text.account.changePassword : text.account.setPassword);
    show(this.hint, !user.password);
  }

  private fold(andFocus: boolean): void {
    if (andFocus && this.node.open) this.summary.focus();
    this.node.open = false;
    this.complaint.say('');
  }

  private openDialog(): void {
    this.fold(true);
    if (this.user) this.dialog.open(this.user);
  }

  private async leaveBy(logOut: () => Promise<void>): Promise<void> {
    await once(this.leave, () => logOut().catch((problem: Error) => this.complaint.say(problem.message)));
  }
}
