// Between the reader and the page: shows the page to who is logged in and the door to everybody else, follows one-time
// links, and gives readers who come back the place where they were.

import { Access } from './access.ts';
import { Account } from './account.ts';
import type { Role, Session } from './api.ts';
import { Door } from './door.ts';
import { show } from './dom.ts';
import { pass, Refusal } from './rest.ts';
import { lacks, linkIn } from './session.ts';
import { text } from './strings.ts';

/** So long the page may stay empty while nobody says who its reader is. */
const kBlankMs = 1000;

/** What the gate asks of the page behind it. */
export interface Behind {
  node: HTMLElement;
  /** The reader has just come in, or is out: the stream opens or ends. */
  opened(): void;
  closed(): void;
  /** A link came in: who asks again follows it. */
  knocked(): void;
  /** To draw anew what depends on who is logged in. */
  changed(): void;
}

export class Gate {
  private readonly access = new Access((session) => this.take(session));
  readonly account = new Account(this.access, () => this.leave());
  readonly door = new Door(this.access, () => this.behind.opened());
  private link = '';
  /** Who was here last. */
  private reader = '';
  private leaving = false;
  /** Where that was, for coming back. */
  private place: { focus: Element | null; scroll: number } | null = null;

  constructor(private readonly behind: Behind) {
    show(behind.node, false);
    pass.turnedAway = () => void this.access.ask().catch(() => undefined);
    window.setTimeout(() => this.showUnknown(), kBlankMs);
    this.takeLink();
    window.addEventListener('hashchange', () => this.takeLink() && behind.knocked());
  }

  get isOpen(): boolean {
    return !this.behind.node.hidden;
  }

  /** Why the reader may not do what takes `role`; empty: allowed. */
  lacks(role: Role): string {
    return lacks(this.access.session?.user ?? null, role);
  }

  /** Asks the gateway whether the reader may come in; throws where it does not answer. */
  async admits(): Promise<boolean> {
    const session = await this.access.ask();
    return (this.link ? await this.follow(session) : session).user !== null;
  }

  /** Nobody has said yet who is logged in, nor that nobody is: the empty page says what it waits for. */
  showUnknown(): void {
    if (!this.access.session) show(this.behind.node, true);
  }

  /** Out of the address at once: nobody who looks at it, or at the history, gets in by it. */
  private takeLink(): boolean {
    const link = linkIn(location.hash);
    if (!link) return false;
    this.link = link;
    history.replaceState(history.state, '', location.pathname + location.search);
    return true;
  }

  private async follow(session: Session): Promise<Session> {
    try {
      session = await this.access.follow(this.link);
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;  // it is still good
      this.link = '';
      if (!session.user) this.close(session, problem.status === 401 ? text.door.linkOver : problem.message);
    }
    this.link = '';
    return session;
  }

  private take(session: Session): void {
    const { user } = session;
    // Nothing of one reader's is left for another.
    if (user && this.reader && user.name !== this.reader) return location.reload();
    this.account.show(user);
    if (user) this.open(user.name);
    else if (!this.link) this.close(session, this.leaving ? text.door.loggedOut : this.reader ? text.door.ended : '');
    this.behind.changed();
  }

  private async leave(): Promise<void> {
    this.leaving = true;
    await this.access.logOut().finally(() => (this.leaving = false));
  }

  private open(reader: string): void {
    this.reader = reader;
    document.documentElement.classList.remove('at-door');
    this.door.close();
    show(this.behind.node, true);
    if (!this.place) return;
    window.scrollTo(0, this.place.scroll);
    if (this.place.focus instanceof HTMLElement) this.place.focus.focus({ preventScroll: true });
    this.place = null;
  }

  private close(session: Session, notice: string): void {
    if (this.isOpen) {
      this.place = { focus: document.activeElement, scroll: window.scrollY };
      show(this.behind.node, false);
      document.documentElement.classList.add('at-door');
      this.behind.closed();
    }
    this.door.open(session, notice, this.leaving ? '' : this.reader);
  }
}
