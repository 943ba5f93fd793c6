// Who may use the gateway: users with a password of their own, and tokens for programs.

import type { Person, Role, Token } from './api.ts';
import { el, show } from './dom.ts';
import { nameField, newPasswordField } from './fields.ts';
import { Complaint, Field, Form } from './form.ts';
import * as format from './format.ts';
import { addUser, fetchTokens, fetchUsers, makeToken, removeToken, removeUser, setRole, setUserPassword } from './rest.ts';
import type { Surroundings } from './rules_view.ts';
import { text } from './strings.ts';
import { viewNode, viewSection, why } from './views.ts';
import { type Wish, Wishes } from './wish.ts';

let opened = 0;

const kRoles: Role[] = ['viewer', 'operator', 'admin'];
const kRoleOptions = kRoles.map((role): [string, string] => [text.account.roles[role], role]);

export class PeopleView {
  readonly node: HTMLElement;
  private readonly users = el('ul', { class: 'records' });
  private readonly userForm = el('div');
  private readonly tokens = el('ul', { class: 'records' });
  private readonly noTokens = el('p', { class: 'empty', hidden: true }, text.people.tokensNone);
  private readonly tokenForm = el('div');
  private readonly fresh = el('div', { class: 'panel fresh-token', hidden: true });
  private readonly complaint = new Complaint();
  private readonly said = el('p', { class: 'said', role: 'status' });

  constructor(private readonly around: Surroundings) {
    this.node = viewNode(
      viewSection('users', text.people.users, this.complaint.node, this.said, this.users, folded(text.people.addUser, this.userForm)),
      viewSection('tokens', text.people.tokens, this.fresh, this.noTokens, this.tokens, folded(text.people.addToken, this.tokenForm)));
  }

  opened(): void {
    if (!this.userForm.firstChild) {
      this.userForm.replaceChildren(this.newUser());
      this.tokenForm.replaceChildren(this.newToken());
    }
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      this.showUsers(await fetchUsers());
      this.showTokens((await fetchTokens()).tokens);
      this.complaint.say('');
    } catch (problem) {
      this.complaint.say(why(problem));
    }
  }

  private showUsers(users: Person[]): void {
    this.users.replaceChildren(...users.map((user) => this.user(user)));
  }

  private user({ name, role, password, since }: Person): HTMLElement {
    const choice = el('select', { 'aria-label': text.people.roleOf(name), change: () => void this.changeRole(name, choice.value as Role) },
      ...kRoleOptions.map(([label, value]) => el('option', { value, selected: value === role }, label)));
    return el('li', { class: 'record' },
      el('p', {}, el('b', {}, name), ' ', el('span', { class: 'muted' },
        [since !== null && text.people.userSince(format.moment(since, this.around.now())), !password && text.people.linkOnly].filter(Boolean).join(' · '))),
      el('div', { class: 'record-actions' }, choice, new Wishes([this.newPassword(name), this.removal(name, text.people.removeUser(name), async () => this.showUsers(await removeUser(name)))]).node));
  }

  private async changeRole(name: string, role: Role): Promise<void> {
    try {
      this.showUsers(await setRole(name, role));
      this.complaint.say('');
    } catch (problem) {
      await this.load();
      this.complaint.say(why(problem));
    }
  }

  private newPassword(name: string): Wish {
    let field: Field | null = null;
    return { button: text.people.password, label: text.people.passwordOf(name), sending: text.people.settingPassword,
      fields: () => ({ nodes: [(field = newPasswordField(`password-${(opened += 1)}`)).node], first: field.input }),
      ask: async () => {
        if (!field!.check()) return Promise.reject(new Error(''));
        this.showUsers(await setUserPassword(name, field!.value));
        this.said.textContent = text.people.passwordSet(name);
      } };
  }

  private removal(name: string, question: string, ask: () => Promise<void>): Wish {
    return { button: text.people.remove, label: text.people.removeOf(name), sending: text.people.removing, question, ask };
  }

  private newUser(): HTMLElement {
    const name = nameField('', 'new-user'), password = newPasswordField('new-user-password');
    const role = new Field({ id: 'new-user-role', label: text.people.role, attributes: {}, options: kRoleOptions, check: () => '' });
    return new Form({ send: text.people.add, sending: text.people.adding, fields: [name, role, password], ask: async () => {
      this.showUsers(await addUser(name.value.trim(), role.value as Role, password.value));
      this.userForm.replaceChildren(this.newUser());
    } }).node;
  }

  private showTokens(tokens: Token[]): void {
    this.tokens.replaceChildren(...tokens.map((token) => this.token(token)));
    show(this.noTokens, tokens.length === 0);
  }

  private token({ id, name, role, scope, made, made_by, until }: Token): HTMLElement {
    const now = this.around.now();
    const end = until === null ? text.people.untilRemoved : (until > now ? text.people.until : text.people.over)(format.moment(until, now));
    return el('li', { class: 'record' },
      el('p', {}, el('b', {}, name), ' ', el('code', {}, scope || role), ' ', el('span', { class: 'muted' }, text.people.tokenLine(format.moment(made, now), made_by, end))),
      el('div', { class: 'record-actions' }, new Wishes([this.removal(name, text.people.removeToken(name), async () => this.showTokens((await removeToken(id)).tokens))]).node));
  }

  private newToken(): HTMLElement {
    const name = new Field({ id: 'token-name', label: text.people.tokenName, attributes: { autocomplete: 'off', maxlength: '64' }, check: (value) => (value.trim() ? '' : text.people.tokenNameMissing) });
    const may = new Field({ id: 'token-may', label: text.people.may, attributes: {}, options: text.people.mayOptions, check: () => '' });
    const source = new Field({ id: 'token-source', label: text.people.source, hint: text.people.sourceHint, attributes: { required: false, autocomplete: 'off' }, check: () => '' });
    const pattern = new Field({ id: 'token-pattern', label: text.people.pattern, hint: text.people.patternHint, attributes: { autocomplete: 'off' },
      check: (value) => (may.value !== 'read' || value.trim() ? '' : text.people.patternMissing) });
    const lasts = new Field({ id: 'token-lasts', label: text.people.lasts, attributes: { required: false }, options: text.people.lastsOptions, check: () => '' });
    const suit = () => {
      show(source.node, may.value === 'push');
      show(pattern.node, may.value === 'read');
    };
    may.input.addEventListener('change', suit);
    suit();
    return new Form({ send: text.people.make, sending: text.people.making, fields: [name, may, source, pattern, lasts], ask: async () => {
      const { token, tokens } = await makeToken(name.value.trim(), grantOf(may.value, source.value.trim(), pattern.value.trim()), lasts.value);
      this.showTokens(tokens);
      this.showOnce(name.value.trim(), token);
      this.tokenForm.replaceChildren(this.newToken());
    } }).node;
  }

  /** No part of the page keeps it when its reader is done with it. */
  private showOnce(name: string, token: string): void {
    const secret = el('input', { type: 'text', class: 'token', readonly: true, value: token, 'aria-label': text.people.made(name), focus: () => secret.select() });
    const copy = el('button', { type: 'button', class: 'button', click: () => void copyOf(secret).then(() => (copy.textContent = text.people.copied), () => secret.select()) }, text.people.copy);
    const done = el('button', { type: 'button', class: 'button primary', click: () => {
      this.fresh.replaceChildren();
      show(this.fresh, false);
    } }, text.people.done);
    this.fresh.replaceChildren(el('p', { role: 'status' }, text.people.made(name)), secret, el('div', { class: 'actions' }, copy, done));
    show(this.fresh, true);
    this.fresh.scrollIntoView({ block: 'nearest' });
    secret.focus();
  }
}

/** Browsers keep the clipboard from pages that came without encryption. */
async function copyOf(field: HTMLInputElement): Promise<void> {
  if (!navigator.clipboard) throw new Error();
  await navigator.clipboard.writeText(field.value);
}

export function grantOf(may: string, source: string, pattern: string): { role: Role } | { scope: string } {
  if (may === 'push') return { scope: source ? `push:${source}` : may };
  if (may === 'read') return { scope: `read:${pattern}` };
  return may === 'metrics' ? { scope: may } : { role: may as Role };
}

function folded(title: string, content: HTMLElement): HTMLElement {
  return el('details', { class: 'folded' }, el('summary', {}, title), content);
}
