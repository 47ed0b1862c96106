import { SearchUnavailableError } from '../searchEngine.ts';

export interface WaitingBounds {
  /** searches that wait at once, of all users and of one */
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

/** The share of one process that a user may take all the time without falling behind others. */
const FREE_SHARE = 0.1;
const MOST_REMEMBERED = 10_000;

/**
 * Searches that wait for a process. A user has one search running at a time; of those that wait, the user who has taken
 * the least time of late comes first, so that heavy searches delay their own user and nobody else.
 */
export class WaitingSearches<T> {
  readonly #bounds: WaitingBounds;
  #waiting: Waiting<T>[] = [];
  readonly #running = new Set<string>();
  /** milliseconds that a user's searches took, less what is free since then */
  readonly #taken = new Map<string, { ms: number; at: number }>();

  constructor(bounds: WaitingBounds) {
    this.#bounds = bounds;
  }

  /**
   * Resolves with the turn. @param user '' is nobody in particular: such searches do not wait for each other
   * @throws SearchUnavailableError when too many wait, or after `waitMs`
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

  /** Gives a turn to whoever is next. @returns false if nobody may have one */
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

  /** A turn has ended. @param ms how long it took */
  finish(user: string, ms: number): void {
    if (user === '') return;
    this.#running.delete(user);
    const now = performance.now();
    const taken = this.#takenBy(user, now) + ms;
    // The latest one is the last in the map's order.
    this.#taken.delete(user);
    this.#taken.set(user, { ms: taken, at: now });
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
    return taken ? Math.max(0, taken.ms - (now - taken.at) * FREE_SHARE) : 0;
  }
}
