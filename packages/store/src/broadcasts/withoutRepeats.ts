import { randomInt } from 'node:crypto';
import type { Sliced } from '@ruyi/flow';

const NEWLINE = 0x0a;
const FNV_PRIME = 0x01000193;
/** Nobody outside can tell which uids share a place of the table. */
const SEED = randomInt(2 ** 32);
/** Of a table that is at most half full hardly any line is looked for in so many places. */
const MOST_PROBES = 64;
/** Bytes that a slice of a long list takes at once: some tenths of a millisecond. */
const SLICE_BYTES = 32 * 1024;

export interface WithoutRepeats {
  /** the list itself if it has no repeats */
  packed: Buffer;
  /** how many uids are left */
  count: number;
  repeats: number;
}

/**
 * Each uid of a packed list once, in the order of the list. Memory: the list, once more if it has repeats, and 8 to 16 bytes for each
 * uid. A set of strings would take ten times as much, and the collection of its garbage longer than all of this.
 * @param list a newline behind each uid
 */
export function* withoutRepeats(list: Buffer, mostProbes = MOST_PROBES): Sliced<WithoutRepeats> {
  const table = new LineTable(list, yield* linesOf(list), mostProbes);
  let packed: Buffer | undefined;
  let length = 0;
  let count = 0;
  let repeats = 0;
  let pauseAt = SLICE_BYTES;
  for (let at = 0; at < list.length; ) {
    const end = list.indexOf(NEWLINE, at) + 1 || list.length;
    if (table.add(at, end)) {
      if (packed) length += list.copy(packed, length, at, end);
      count++;
    } else {
      repeats++;
      if (!packed) {
        packed = Buffer.allocUnsafeSlow(list.length);
        length = list.copy(packed, 0, 0, at);
      }
    }
    at = end;
    if (at < pauseAt) continue;
    pauseAt = at + SLICE_BYTES;
    yield;
  }
  return { packed: packed?.subarray(0, length) ?? list, count, repeats };
}

function* linesOf(list: Buffer): Sliced<number> {
  let lines = 0;
  let pauseAt = SLICE_BYTES;
  for (let at = 0; at < list.length; lines++) {
    at = list.indexOf(NEWLINE, at) + 1 || list.length;
    if (at < pauseAt) continue;
    pauseAt = at + SLICE_BYTES;
    yield;
  }
  return lines;
}

/** Which lines of a list have been seen: a hash table of where they begin, with linear probing. */
class LineTable {
  readonly #list: Buffer;
  readonly #mostProbes: number;
  /** where a line begins, plus one; 0 if the place is free */
  readonly #starts: Uint32Array;
  /** lines that found no place nearby */
  readonly #others = new Set<string>();

  constructor(list: Buffer, lines: number, mostProbes: number) {
    this.#list = list;
    this.#mostProbes = mostProbes;
    this.#starts = new Uint32Array(2 ** Math.ceil(Math.log2(2 * lines + 1)));
  }

  /** @param end behind its newline @returns false if the same line was added before */
  add(start: number, end: number): boolean {
    const last = this.#starts.length - 1;
    const place = this.#hash(start, end);
    for (let i = 0; i < this.#mostProbes; i++) {
      const known = this.#starts[(place + i) & last] ?? 0;
      if (known === 0) {
        this.#starts[(place + i) & last] = start + 1;
        return true;
      }
      if (this.#isSame(known - 1, start, end)) return false;
    }
    // However the lines were chosen, the work for each is bounded.
    const before = this.#others.size;
    return this.#others.add(this.#list.toString('latin1', start, end)).size > before;
  }

  #isSame(other: number, start: number, end: number): boolean {
    const list = this.#list;
    for (let i = 0; i < end - start; i++) if (list[other + i] !== list[start + i]) return false;
    return true;
  }

  #hash(start: number, end: number): number {
    let hash = SEED;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (this.#list[i] ?? 0), FNV_PRIME);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }
}
