// What stands in place of the page for who is not logged in: the form that claims a new gateway, or the one to log in.

import type { Access } from './access.ts';
import type { Session } from './api.ts';
import { el, setText, show, withCode } from './dom.ts';
import { codeField, nameField, newPasswordField, passwordField } from './fields.ts';
import { Form, once } from './form.ts';
import { sentence } from './format.ts';
import { Refusal } from './rest.ts';
import { codeOf, isThisMachine } from './session.ts';
import { text } from './strings.ts';

const kFirstUser = 'admin';

export class Door {
  private readonly name = el('span', { class: 'gateway-name' });
  private readonly site = el('span', { class: 'gateway-site' });
  private readonly notice = el('p', { class: 'banner banner-notice', role: 'status', hidden: true });
  private readonly insecure = el('p', { class: 'banner banner-unsafe', hidden: true }, text.door.notSecure);
  private readonly content = el('div', { class: 'door-form' });
  readonly node = el('div', { class: 'door', hidden: true },
    el('header', { class: 'brand' }, el('img', { src: './icon.svg', alt: '', width: 32, height: 32 }),
      el('h1', {}, el('span', { class: 'product' }, text.product), ' ', this.name, ' ', this.site)),
    el('main', { class: 'panel door-panel' }, this.insecure, this.notice, this.content));
  private kind: 'claim' | 'log-in' | 'closed' | null = null;

  /** @param entered called when the gateway has let the reader in */
  constructor(private readonly access: Access, private readonly entered: () => void) {}

  /** A form that is shown already stays as it is, with what was typed. */
  open({ claimed, name, site, secure, trouble }: Session, notice: string, user: string): void {
    const kind = trouble ? 'closed' : claimed ? 'log-in' : 'claim', title = claimed ? text.door.logIn : text.door.claim;
    setText(this.name, name);
    setText(this.site, site);
    document.title = `${title} · ${name ? `${name} · ` : ''}${text.product}`;
    show(this.node, true);
    if (notice || kind !== this.kind) this.say(notice);
    show(this.insecure, !secure && !isThisMachine(location.hostname));
    if (kind === this.kind) return;
    this.kind = kind;
    if (trouble) return this.content.replaceChildren(el('h2', {}, title), ...this.closed(trouble));
    const form = claimed ? this.logInForm(user) : this.claimForm();
    this.content.replaceChildren(el('h2', {}, title), ...(claimed ? [] : [el('p', {}, text.door.claimWhat)]), form.node);
    form.focus();
  }

  /** No password stays behind in the document. */
  close(): void {
    this.kind = null;
    show(this.node, false);
    this.content.replaceChildren();
  }

  private say(notice: string): void {
    setText(this.notice, notice);
    show(this.notice, notice !== '');
  }

  /** Nobody can log in now, so nobody is asked to. */
  private closed(trouble: string): HTMLElement[] {
    const again = el('button', { type: 'button', class: 'button', click: () => void once(again, async () => void (await this.access.ask().catch(() => undefined))) }, text.door.tryAgain);
    return [el('p', { class: 'form-error', role: 'alert' }, sentence(trouble)), el('div', { class: 'actions' }, again)];
  }

  private claimForm(): Form {
    const code = codeField(), name = nameField(kFirstUser), password = newPasswordField();
    const places = text.door.codePlaces.map((place) => el('li', {}, ...withCode(place)));
    return new Form({ send: text.door.claimSend, sending: text.door.claiming, fields: [code, name, password], secret: code,
      ask: () => this.enter(this.access.claim(codeOf(code.value), name.value.trim(), password.value)) },
      { above: [el('div', { class: 'where' }, el('p', {}, text.door.codeWhere), el('ul', {}, ...places))] });
  }

  private logInForm(user: string): Form {
    const name = nameField(user), password = passwordField(text.form.password);
    return new Form({ send: text.door.logIn, sending: text.door.loggingIn, fields: [name, password], secret: password,
      ask: () => this.enter(this.access.logIn(name.value.trim(), password.value)) },
      { below: [el('p', { class: 'hint' }, ...withCode(text.door.forgotten))] });
  }

  private async enter(answer: Promise<Session>): Promise<void> {
    try {
      await answer;
    } catch (problem) {
      if (!(problem instanceof Refusal && problem.status === 409)) throw problem;
      await this.access.ask();
      return this.say(text.door.claimedMeanwhile);
    }
    this.entered();
  }
}
