/** What a member of the outermost object or array is. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'literal';

/**
 * A member of the outermost container, as byte offsets into the text; the end is exclusive. The spans of strings include
 * their quotes. In an array the name is empty.
 */
export type OnMember = (kind: JsonKind, start: number, end: number, nameStart: number, nameEnd: number) => void;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;

const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word));
/** What may follow a backslash, `u` aside. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= ZERO && byte <= NINE;
const isHex = (byte: number | undefined) =>
  isDigit(byte) || (byte !== undefined && (byte | SPACE) >= 0x61 && (byte | SPACE) <= 0x66);

/**
 * Reads a whole JSON text once, without recursion and without making values: accepts exactly what JSON.parse accepts,
 * and tells where the members of the outermost container are. Whoever copies the text into another JSON text relies on
 * that.
 * @param bytes valid UTF-8 without a byte order mark
 * @param maxDepth containers within each other, the outermost included
 * @returns what the text is; undefined if it is no JSON or deeper than that (members may have been told before)
 */
export function scanJson(bytes: Uint8Array, maxDepth: number, onMember: OnMember): JsonKind | undefined {
  return new Scanner(bytes, maxDepth, onMember).scan();
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #onMember: OnMember;
  readonly #maxDepth: number;
  /** the closing byte of each open container */
  readonly #open: number[] = [];
  #at = 0;
  #kind: JsonKind = 'literal';
  // The member of the outermost container that is being read.
  #memberKind: JsonKind = 'literal';
  #start = 0;
  #nameStart = 0;
  #nameEnd = 0;

  constructor(bytes: Uint8Array, maxDepth: number, onMember: OnMember) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
    this.#onMember = onMember;
  }

  scan(): JsonKind | undefined {
    this.#skipSpace();
    if (!this.#beginValue()) return undefined;
    const outermost = this.#kind;
    while (this.#open.length > 0) {
      if (!this.#step()) return undefined;
    }
    this.#skipSpace();
    return this.#at === this.#bytes.length ? outermost : undefined;
  }

  /** One member of the innermost container, or its end. @returns false if the text is broken or too deep */
  #step(): boolean {
    this.#skipSpace();
    const closing = this.#open.at(-1);
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (this.#bytes[this.#at] === closing) {
      this.#at++;
      this.#open.pop();
      if (this.#open.length === 1) this.#tellMember();
      return true;
    }
    if (!isFirst) {
      if (this.#bytes[this.#at] !== COMMA) return false;
      this.#at++;
      this.#skipSpace();
    }
    if (closing === CLOSE_OBJECT && !this.#name()) return false;
    const depth = this.#open.length;
    const start = this.#at;
    if (!this.#beginValue()) return false;
    if (depth === 1) {
      this.#start = start;
      this.#memberKind = this.#kind;
      if (this.#open.length === 1) this.#tellMember();
    }
    return true;
  }

  /** whether the innermost container has been opened just now: no comma is due */
  #isFirst = false;

  #tellMember(): void {
    this.#onMember(this.#memberKind, this.#start, this.#at, this.#nameStart, this.#nameEnd);
  }

  #name(): boolean {
    const start = this.#at;
    if (this.#bytes[start] !== QUOTE || !this.#string()) return false;
    if (this.#open.length === 1) {
      this.#nameStart = start;
      this.#nameEnd = this.#at;
    }
    this.#skipSpace();
    if (this.#bytes[this.#at] !== COLON) return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  /** Reads a string, number or literal, or the beginning of an object or array. */
  #beginValue(): boolean {
    const byte = this.#bytes[this.#at];
    if (byte === QUOTE) {
      this.#kind = 'string';
      return this.#string();
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (this.#open.length === this.#maxDepth) return false;
      this.#kind = byte === OPEN_OBJECT ? 'object' : 'array';
      this.#open.push(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
      this.#isFirst = true;
      this.#at++;
      return true;
    }
    if (byte === MINUS || isDigit(byte)) {
      this.#kind = 'number';
      return this.#number();
    }
    this.#kind = 'literal';
    return this.#literal();
  }

  #string(): boolean {
    const bytes = this.#bytes;
    for (let at = this.#at + 1; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) {
        this.#at = at + 1;
        return true;
      }
      if (byte < SPACE) return false;
      if (byte !== BACKSLASH) continue;
      at++;
      if (bytes[at] === 0x75) {
        for (let i = 1; i <= 4; i++) if (!isHex(bytes[at + i])) return false;
        at += 4;
      } else if (!ESCAPES.has(bytes[at] ?? 0)) return false;
    }
    return false;
  }

  #number(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] === MINUS) this.#at++;
    if (bytes[this.#at] === ZERO) this.#at++;
    else if (!this.#digits()) return false;
    if (bytes[this.#at] === POINT) {
      this.#at++;
      if (!this.#digits()) return false;
    }
    if (((bytes[this.#at] ?? 0) | SPACE) !== 0x65) return true;
    this.#at++;
    if (bytes[this.#at] === PLUS || bytes[this.#at] === MINUS) this.#at++;
    return this.#digits();
  }

  #digits(): boolean {
    const from = this.#at;
    while (isDigit(this.#bytes[this.#at])) this.#at++;
    return this.#at > from;
  }

  #literal(): boolean {
    const word = LITERALS.find((one) => one.every((byte, i) => this.#bytes[this.#at + i] === byte));
    if (!word) return false;
    this.#at += word.length;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at++;
    }
  }
}
