/** A log or an inbox, and what it takes. */
export interface Sized {
  /** the channel's name (`<type>:<id>`), or the uid */
  name: string;
  /** messages or commands */
  count: number;
  bytes: number;
}

/** The largest of many. */
export class Largest {
  readonly #most: number;
  #kept: Sized[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** A scan may name a key twice. */
  add(sized: Sized): void {
    const smallest = this.#kept.at(-1);
    if (this.#kept.length === this.#most && smallest !== undefined && sized.bytes <= smallest.bytes) return;
    const others = this.#kept.filter(({ name }) => name !== sized.name);
    this.#kept = [...others, sized].sort((a, b) => b.bytes - a.bytes).slice(0, this.#most);
  }

  /** The largest first. */
  sorted(): Sized[] {
    return this.#kept;
  }
}
