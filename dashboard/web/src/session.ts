// Who is logged in and what that allows; and what a reader types or follows to get in. Pure.

import type { Role, User } from './api.ts';
import { text } from './strings.ts';

const kRank: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };
const kLink = '#link=';

/** Why `user` may not do what takes `role`; empty: allowed. */
export function lacks(user: User | null, role: Role): string {
  return user && kRank[user.role] >= kRank[role] ? '' : text.account.needs(role);
}

/** A claim code as the gateway writes it, however it was typed; empty: it cannot be one. */
export function codeOf(typed: string): string {
  const bare = typed.replace(/[\s-]/g, '').toUpperCase();
  return /^[A-Z0-9]{8}$/.test(bare) ? `${bare.slice(0, 4)}-${bare.slice(4)}` : '';
}

/** The secret of a one-time link in the hash of an address; empty: there is none. */
export function linkIn(hash: string): string {
  return hash.startsWith(kLink) ? hash.slice(kLink.length) : '';
}

/** What goes to this host never leaves the reader's machine. */
export function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}
