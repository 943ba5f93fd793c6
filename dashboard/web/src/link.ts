// The state of the connection, as a pure machine: what happened and when goes in, what to show and when to try next
// comes out. stream.ts owns the socket and the timers. All times are milliseconds of one monotonic clock.

export type Link =
  | { kind: 'connecting'; attempt: number; lostAt: number | null }
  | { kind: 'open'; heardAt: number }
  | { kind: 'waiting'; attempt: number; retryAt: number; lostAt: number; why: Why }
  | { kind: 'resting'; since: number };
/** `ended`: the log-in was, or the stream had lasted for long enough. */
export type Why = 'lost' | 'silent' | 'busy' | 'bye' | 'ended';

export type Shown =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'delayed'; seconds: number }
  | { kind: 'reconnecting'; inSeconds: number; offlineMs: number; why: Why }
  | { kind: 'trying'; offlineMs: number }
  | { kind: 'resting' };

/** A link that said nothing for longer than this many pings is shown as delayed, then given up. */
const kDelayedPings = 1.2;
const kSilentPings = 2.5;
const kFirstRetryMs = 1000;
const kLongestRetryMs = 30_000;
const kBusyRetryMs = 30_000;
/** A gateway that said goodbye needs a moment to start. */
const kByeRetryMs = 3000;
/** It is there, and whoever is logged in still, or again, need not wait. */
const kEndedRetryMs = 200;
const kFirstRetryOf: Record<Why, number> = { lost: kFirstRetryMs, silent: kFirstRetryMs, busy: kBusyRetryMs, bye: kByeRetryMs, ended: kEndedRetryMs };

/** Doubling, with a jitter of half to one and a half, so that many viewers do not come back in one wave. */
export function retryDelay(attempt: number, why: Why, random: number): number {
  const base = Math.min(kFirstRetryOf[why] * 2 ** attempt, kLongestRetryMs);
  return Math.round(base * (0.5 + random));
}

export function start(): Link {
  return { kind: 'connecting', attempt: 0, lostAt: null };
}

export function heard(now: number): Link {
  return { kind: 'open', heardAt: now };
}

export function lost(link: Link, why: Why, now: number, random: number): Link {
  const attempt = link.kind === 'connecting' ? link.attempt : 0;
  const lostAt = link.kind === 'connecting' ? link.lostAt ?? now : link.kind === 'open' ? link.heardAt : now;
  return { kind: 'waiting', attempt: attempt + 1, retryAt: now + retryDelay(attempt, why, random), lostAt, why };
}

export function retry(link: Link): Link {
  return link.kind === 'waiting'
    ? { kind: 'connecting', attempt: link.attempt, lostAt: link.lostAt }
    : start();
}

export function isSilent(link: Link, now: number, pingMs: number): boolean {
  return link.kind === 'open' && now - link.heardAt > kSilentPings * pingMs;
}

export function shown(link: Link, now: number, pingMs: number): Shown {
  switch (link.kind) {
    case 'connecting':
      return link.lostAt === null ? { kind: 'connecting' } : { kind: 'trying', offlineMs: now - link.lostAt };
    case 'open': {
      const quiet = now - link.heardAt;
      return quiet > kDelayedPings * pingMs ? { kind: 'delayed', seconds: Math.round(quiet / 1000) } : { kind: 'live' };
    }
    case 'waiting': {
      const inSeconds = Math.max(0, Math.ceil((link.retryAt - now) / 1000));
      return { kind: 'reconnecting', inSeconds, offlineMs: now - link.lostAt, why: link.why };
    }
    case 'resting':
      return { kind: 'resting' };
  }
}
