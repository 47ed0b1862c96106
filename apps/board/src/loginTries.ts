import { setTimeout as pause } from 'node:timers/promises';

const FREE_FAILURES = 10;
const PAUSE_MS = 1000;
const MOST_WAITING = 100;

/**
 * Slows down guessing. After ten failures every further try waits a second before it is checked. So does the right token,
 * or a guesser could tell it apart sooner. Nobody is locked out: it is only a delay, and the next right token ends it. The
 * number of waiting tries is bounded, and each second makes room for others.
 */
export class LoginTries {
  #failures = 0;
  #waiting = 0;

  /** @returns whether the token was right; `busy` if too many tries are waiting, and then this one was not checked */
  async check(isRight: () => boolean): Promise<boolean | 'busy'> {
    if (this.#failures >= FREE_FAILURES) {
      if (this.#waiting >= MOST_WAITING) return 'busy';
      this.#waiting++;
      await pause(PAUSE_MS, undefined, { ref: false });
      this.#waiting--;
    }
    const right = isRight();
    this.#failures = right ? 0 : this.#failures + 1;
    return right;
  }
}
