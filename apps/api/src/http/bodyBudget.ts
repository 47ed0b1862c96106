/** What one request has of the budget. */
export interface Share {
  /** Asks for so many bytes more; false where the bodies of all requests together would be too large. */
  grow(bytes: number): boolean;
  /** Gives all of it back; may be called again. */
  release(): void;
}

/**
 * Bounds the bodies that a process holds at one time (docs/api.md §1, 429): each is bounded by itself, but any number
 * may come at once. What has arrived counts, not what a client announces, or 32 headers would be enough to shut out
 * everybody.
 */
export class BodyBudget {
  #held = 0;
  readonly #most: number;

  /** @param most in bytes */
  constructor(most: number) {
    this.#most = most;
  }

  share(): Share {
    let own = 0;
    return {
      grow: (bytes) => {
        if (this.#held + bytes > this.#most) return false;
        this.#held += bytes;
        own += bytes;
        return true;
      },
      release: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }
}
