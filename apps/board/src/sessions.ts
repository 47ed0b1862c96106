import { randomBytes } from 'node:crypto';

export const SESSION_MS = 12 * 60 * 60 * 1000;
const MOST_SESSIONS = 1000;

interface Session {
  /** the name given at login */
  who: string;
  ends: number;
}

/** Sessions live in the memory of this process, so a restart ends them. */
export class Sessions {
  /** by session id, the oldest first */
  readonly #open = new Map<string, Session>();

  /** @returns the id, which is a secret */
  open(who: string): string {
    const [oldest] = this.#open.keys();
    if (this.#open.size >= MOST_SESSIONS && oldest !== undefined) this.#open.delete(oldest);
    const id = randomBytes(32).toString('base64url');
    this.#open.set(id, { who, ends: Date.now() + SESSION_MS });
    return id;
  }

  /** @returns undefined if it has ended */
  find(id: string): Session | undefined {
    const session = this.#open.get(id);
    if (session === undefined || session.ends > Date.now()) return session;
    this.#open.delete(id);
    return undefined;
  }

  end(id: string): void {
    this.#open.delete(id);
  }
}
