// The session with the gateway: what was last heard of it, and each way to change it. One at a time: who asks while the
// reader logs in hears what came of that.

import type { Session } from './api.ts';
import { fetchSession, pass, postSession } from './rest.ts';

export class Access {
  session: Session | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private asking: Promise<Session> | null = null;

  /** @param changed called with each answer of the gateway, before who asked has it */
  constructor(private readonly changed: (session: Session) => void) {}

  ask(): Promise<Session> {
    return (this.asking ??= this.inTurn(fetchSession).finally(() => (this.asking = null)));
  }

  claim(code: string, name: string, password: string): Promise<Session> {
    return this.inTurn(() => postSession('claim', { code, name, password }));
  }

  logIn(name: string, password: string): Promise<Session> {
    return this.inTurn(() => postSession('log-in', { name, password }));
  }

  follow(link: string): Promise<Session> {
    return this.inTurn(() => postSession('log-in', { link }));
  }

  logOut(): Promise<Session> {
    return this.inTurn(() => postSession('log-out', {}));
  }

  /** @param old left out where there is none yet */
  setPassword(old: string | undefined, next: string): Promise<Session> {
    return this.inTurn(() => postSession('password', { old, new: next }));
  }

  private inTurn(act: () => Promise<Session>): Promise<Session> {
    const mine = this.turn.then(act).then((session) => {
      this.session = session;
      pass.csrf = session.csrf ?? '';
      this.changed(session);
      return session;
    });
    this.turn = mine.catch(() => undefined);
    return mine;
  }
}
