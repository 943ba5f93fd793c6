// The fields with which a reader gets in. Names, ids and `autocomplete` are what password managers go by; nothing is asked
// of a password but its length, and pasting is fine.

import { Field } from './form.ts';
import { codeOf } from './session.ts';
import { text } from './strings.ts';

const kShortestPassword = 12;

export function codeField(): Field {
  return new Field({ id: 'claim-code', label: text.form.code, hint: text.form.codeHint,
    attributes: { class: 'code', autocomplete: 'off', autocapitalize: 'characters', placeholder: 'XXXX-XXXX' },
    check: (value) => (codeOf(value) ? '' : text.form.codeWrong) });
}

/** @param id of somebody else's: then no password manager takes it for the reader's */
export function nameField(value: string, id = 'username'): Field {
  const field = new Field({ id, label: text.form.name, attributes: { autocomplete: id === 'username' ? id : 'off' },
    check: (name) => (name.trim() ? '' : text.form.nameMissing) });
  field.input.value = value;
  return field;
}

export function passwordField(label: string): Field {
  return new Field({ id: 'current-password', label, secret: true, attributes: { autocomplete: 'current-password' },
    check: (value) => (value ? '' : text.form.passwordMissing) });
}

export function newPasswordField(id = 'new-password'): Field {
  return new Field({ id, label: text.form.newPassword, hint: text.form.newPasswordHint(kShortestPassword), secret: true,
    attributes: { autocomplete: 'new-password', minlength: String(kShortestPassword) },
    check: (value) => ([...value].length >= kShortestPassword ? '' : text.form.newPasswordShort(kShortestPassword, [...value].length)) });
}
