interface Waiting {
  weight: number;
  enter(): void;
}

/** Lets calls through in the order in which they came, as long as the calls in flight weigh no more than `most`. */
export class Gate {
  readonly #most: number;
  #free: number;
  readonly #waiting: Waiting[] = [];

  constructor(most: number) {
    this.#most = most;
    this.#free = most;
  }

  /** @param weight a call heavier than `most` goes alone */
  async run<T>(call: () => Promise<T>, weight = 1): Promise<T> {
    const taken = Math.min(weight, this.#most);
    await this.#enter(taken);
    try {
      return await call();
    } finally {
      this.#leave(taken);
    }
  }

  async #enter(weight: number): Promise<void> {
    if (this.#waiting.length === 0 && weight <= this.#free) this.#free -= weight;
    else await new Promise<void>((enter) => this.#waiting.push({ weight, enter }));
  }

  #leave(weight: number): void {
    this.#free += weight;
    for (let [next] = this.#waiting; next && next.weight <= this.#free; [next] = this.#waiting) {
      this.#waiting.shift();
      this.#free -= next.weight;
      next.enter();
    }
  }
}
