/**
 * Sessions of the page's own mount, and the one-time link that opens one. All of
 * it lives in memory: a restart ends every session.
 */
import type { Clock } from '../host/clock.ts';

export interface Session {
  /** What the cookie holds. */
  id: string;
  /** How it was opened. */
  login: 'token' | 'password';
  /** The session of rpcd behind it; null for one opened by the link. */
  rpcd: string | null;
  begun: number;
  used: number;
}

/** Milliseconds without a request, and in all, after which a session is over. */
export const IDLE = 30 * 60_000;
export const LONGEST = 12 * 3600_000;
/** A link that nobody has opened is good for so long, in milliseconds. */
export const LINK = 3600_000;
/** Sessions at the same time; one more ends the one that has been idle longest. */
export const MOST_SESSIONS = 16;

/** Bytes of randomness in a token. */
const TOKEN_BYTES = 32;

/** Compares two texts in a time that depends on their lengths alone. */
export function sameText(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < other.length; at++) difference |= (at < one.length ? one.charCodeAt(at) : 0) ^ other.charCodeAt(at);
  return difference === 0;
}

export interface Sessions {
  /** A new one-time token for the link; the one before it is worth nothing any more. */
  newToken(): string;
  /** Whether a token is out that nobody has used. */
  tokenOpen(): boolean;
  /** Spends the token: true once. */
  spend(token: string): boolean;
  /** Opens a session. `over` are those that had to go for it. */
  open(login: Session['login'], rpcd: string | null): { session: Session; over: Session[] };
  /** The session a cookie names, if it is not over; it is used then. */
  find(id: string): Session | null;
  close(id: string): Session | null;
  count(): number;
}

/** @param random so many random bytes, as text that may stand in an address and in a cookie */
export function createSessions(clock: Clock, random: (bytes: number) => string): Sessions {
  const all = new Map<string, Session>();
  let token: { text: string; until: number } | null = null;

  const isOver = ({ begun, used }: Session): boolean => clock.now() - used >= IDLE || clock.now() - begun >= LONGEST;

  function clear(): Session[] {
    const over = [...all.values()].filter(isOver);
    for (const { id } of over) all.delete(id);
    return over;
  }

  /** Every session is compared, so that the time tells nothing of any. */
  function sought(id: string): Session | null {
    let found: Session | null = null;
    for (const session of all.values()) if (sameText(id, session.id)) found = session;
    return found;
  }

  const good = (): boolean => token !== null && clock.now() < token.until;

  return {
    newToken() {
      token = { text: random(TOKEN_BYTES), until: clock.now() + LINK };
      return token.text;
    },
    tokenOpen: good,
    spend(given) {
      if (token === null || !sameText(given, token.text) || !good()) return false;
      token = null;
      return true;
    },
    open(login, rpcd) {
      const over = clear();
      if (all.size >= MOST_SESSIONS) {
        const oldest = [...all.values()].reduce((one, other) => (other.used < one.used ? other : one));
        all.delete(oldest.id);
        over.push(oldest);
      }
      const session: Session = { id: random(TOKEN_BYTES), login, rpcd, begun: clock.now(), used: clock.now() };
      all.set(session.id, session);
      return { session, over };
    },
    find(id) {
      const session = sought(id);
      if (session === null) return null;
      if (isOver(session)) {
        all.delete(session.id);
        return null;
      }
      session.used = clock.now();
      return session;
    },
    close(id) {
      const session = sought(id);
      if (session !== null) all.delete(session.id);
      return session;
    },
    count: () => all.size,
  };
}
