import { SearchUnavailableError } from '../searchEngine.ts';

export interface WaitingBounds {
  /** how many searches may wait at once: of all users, and of one user */
  most: number;
  mostOfOne: number;
  /** how long a search waits for its turn */
  waitMs: number;
}

interface Waiting<T> {
  user: string;
  start(turn: T): void;
  refuse(error: Error): void;
  timer: NodeJS.Timeout;
}

/** The share of one process's time that a user may take without ranking behind others. */
const FREE_SHARE = 0.1;
const MOST_REMEMBERED = 10_000;

/**
 * Searches that wait for a process. A user has one search running at a time. Among the waiting users the one who has
 * recently taken the least time comes first, so that heavy searches delay their own user and nobody else.
 */
export class WaitingSearches<T> {
  readonly #bounds: WaitingBounds;
  #waiting: Waiting<T>[] = [];
  readonly #running = new Set<string>();
  /** by user: milliseconds that its searches took, as of the moment `since`, after which FREE_SHARE is taken off */
  readonly #taken = new Map<string, { ms: number; since: number }>();

  constructor(bounds: WaitingBounds) {
    this.#bounds = bounds;
  }

  /**
   * Resolves with the turn.
   * @param user '' for nobody in particular: such searches do not wait for each other
   * @throws SearchUnavailableError if too many wait, or after `waitMs`
   */
  wait(user: string): Promise<T> {
    const { most, mostOfOne, waitMs } = this.#bounds;
    const ofOne = user === '' ? 0 : this.#waiting.filter((one) => one.user === user).length;
    if (this.#waiting.length >= most || ofOne >= mostOfOne) {
      return Promise.reject(
        new SearchUnavailableError(`${Math.max(ofOne, this.#waiting.length)} searches are waiting`),
      );
    }
    return new Promise((start, refuse) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        refuse(new SearchUnavailableError(`no turn within ${waitMs} ms`));
      }, waitMs);
      const waiting: Waiting<T> = { user, start, refuse, timer };
      this.#waiting.push(waiting);
    });
  }

  /** Gives a turn to the next search. @returns false if none may have it */
  give(turn: T): boolean {
    const now = performance.now();
    let next: Waiting<T> | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const one of this.#waiting) {
      const taken = this.#running.has(one.user) ? Number.POSITIVE_INFINITY : this.#takenBy(one.user, now);
      if (taken < least) [next, least] = [one, taken];
    }
    if (!next) return false;
    clearTimeout(next.timer);
    this.#waiting = this.#waiting.filter((one) => one !== next);
    if (next.user !== '') this.#running.add(next.user);
    next.start(turn);
    return true;
  }

  /** Ends a user's turn. @param ms how long it took */
  finish(user: string, ms: number): void {
    if (user === '') return;
    this.#running.delete(user);
    const now = performance.now();
    const taken = this.#takenBy(user, now) + ms;
    // Set again, so that the most recent user is last in the map's order.
    this.#taken.delete(user);
    this.#taken.set(user, { ms: taken, since: now });
    if (this.#taken.size > MOST_REMEMBERED) this.#taken.delete(this.#taken.keys().next().value ?? '');
  }

  refuseAll(error: Error): void {
    for (const { refuse, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      refuse(error);
    }
  }

  #takenBy(user: string, now: number): number {
    const taken = this.#taken.get(user);
    return taken ? Math.max(0, taken.ms - (now - taken.since) * FREE_SHARE) : 0;
  }
}
