/** One request's part of the budget. */
export interface Share {
  /** Adds this many bytes, unless the bodies of all requests together would then be too large. @returns whether it did */
  grow(bytes: number): boolean;
  /** Gives everything back; calling it again does nothing. */
  release(): void;
}

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
    let held = 0;
    return {
      grow: (bytes) => {
        if (this.#held + bytes > this.#most) return false;
        this.#held += bytes;
        held += bytes;
        return true;
      },
      release: () => {
        this.#held -= held;
        held = 0;
      },
    };
  }
}
