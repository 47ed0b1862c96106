const FIRST_BYTES = 512;
/** UTF-8 takes at most three bytes for each UTF-16 unit. */
const MOST_BYTES_OF_A_UNIT = 3;
const NEWLINE = 0x0a;

/**
 * Lines on their way to Redis, as bytes: a list of strings that lives through a few collections of garbage costs single
 * sends their latency.
 */
export class HeldLines {
  #bytes: Buffer | undefined;
  #used = 0;

  /** bytes with the line ends */
  get length(): number {
    return this.#used;
  }

  add(line: string): void {
    const bytes = this.#withRoomFor(MOST_BYTES_OF_A_UNIT * line.length + 1);
    this.#used += bytes.write(line, this.#used);
    bytes[this.#used++] = NEWLINE;
  }

  /** @returns what is held, and holds nothing any more */
  take(): Buffer {
    const taken = this.#bytes?.subarray(0, this.#used) ?? Buffer.alloc(0);
    this.#bytes = undefined;
    this.#used = 0;
    return taken;
  }

  #withRoomFor(more: number): Buffer {
    const now = this.#bytes;
    if (now && this.#used + more <= now.length) return now;
    // Not of the pool, which would be kept alive by a small piece of it.
    const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * (now?.length ?? 0), this.#used + more));
    now?.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
    return larger;
  }
}
