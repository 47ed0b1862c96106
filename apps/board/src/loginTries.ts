import { setTimeout as pause } from 'node:timers/promises';

const FREE_FAILURES = 10;
const PAUSE_MS = 1000;
const MOST_WAITING = 100;

/**
 * Slows down who guesses the token: after ten failures every further try, a right one too, waits a second before it is
 * looked at, so that a guesser cannot tell them apart sooner. Nobody is locked out: it is a delay, and the next right
 * token ends it. The tries that wait are bounded, and each second makes room for others.
 */
export class LoginTries {
  #failures = 0;
  #waiting = 0;

  /** @returns whether the token was right, or `busy` where too many tries wait already and this one was not looked at */
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
