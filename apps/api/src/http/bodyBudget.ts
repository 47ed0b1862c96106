/**
 * Bounds the bodies that a process holds at one time (docs/api.md §1, 429). Each body has its own bound, but any number of
 * them may come at once. Only bytes that have arrived count: if announced lengths counted, 32 requests that send nothing
 * but headers could shut everybody out.
 */
export class BodyBudget {
  #held = 0;
  readonly #most: number;

  /** @param most in bytes */
  constructor(most: number) {
    this.#most = most;
  }

  share(): Share {
    return new Share(this);
  }

  /** @returns whether there was room for so many bytes more; less than 0 always fits */
  add(bytes: number): boolean {
    if (bytes > 0 && this.#held + bytes > this.#most) return false;
    this.#held += bytes;
    return true;
  }
}

/** One request's part of the budget. */
export class Share {
  readonly #budget: BodyBudget;
  #held = 0;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  /** Adds this many bytes, unless the bodies of all requests together would then be too large. @returns whether it did */
  grow(bytes: number): boolean {
    if (!this.#budget.add(bytes)) return false;
    this.#held += bytes;
    return true;
  }

  /** Gives everything back; calling it again does nothing. */
  release(): void {
    this.#budget.add(-this.#held);
    this.#held = 0;
  }
}
