/** The kind of a JSON value. */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'literal';

/**
 * Called for each member of the outermost container, with byte offsets into the text. Ends are exclusive, and the spans of
 * strings include their quotes. In an array the name is empty.
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
/** What may follow a backslash, besides `u`. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= ZERO && byte <= NINE;
const isHex = (byte: number | undefined) =>
  isDigit(byte) || (byte !== undefined && (byte | SPACE) >= 0x61 && (byte | SPACE) <= 0x66);

/**
 * Reads a whole JSON text once, without recursion and without creating values. It accepts exactly what JSON.parse accepts,
 * because callers copy the text into another JSON text, and reports where the members of the outermost container are.
 * @param bytes valid UTF-8 without a byte order mark
 * @param maxDepth how deep containers may be nested, the outermost included
 * @returns the kind of the text; undefined if it is not JSON or too deep, possibly after calls of `onMember`
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
  #position = 0;
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
    return this.#position === this.#bytes.length ? outermost : undefined;
  }

  /** Reads one member of the innermost container, or its end. @returns false if the text is not JSON or too deep */
  #step(): boolean {
    this.#skipSpace();
    const closing = this.#open.at(-1);
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    if (this.#bytes[this.#position] === closing) {
      this.#position++;
      this.#open.pop();
      if (this.#open.length === 1) this.#tellMember();
      return true;
    }
    if (!isFirst) {
      if (this.#bytes[this.#position] !== COMMA) return false;
      this.#position++;
      this.#skipSpace();
    }
    if (closing === CLOSE_OBJECT && !this.#name()) return false;
    const depth = this.#open.length;
    const start = this.#position;
    if (!this.#beginValue()) return false;
    if (depth === 1) {
      this.#start = start;
      this.#memberKind = this.#kind;
      if (this.#open.length === 1) this.#tellMember();
    }
    return true;
  }

  /** whether the innermost container has just been opened, so that no comma precedes its next member */
  #isFirst = false;

  #tellMember(): void {
    this.#onMember(this.#memberKind, this.#start, this.#position, this.#nameStart, this.#nameEnd);
  }

  #name(): boolean {
    const start = this.#position;
    if (this.#bytes[start] !== QUOTE || !this.#string()) return false;
    if (this.#open.length === 1) {
      this.#nameStart = start;
      this.#nameEnd = this.#position;
    }
    this.#skipSpace();
    if (this.#bytes[this.#position] !== COLON) return false;
    this.#position++;
    this.#skipSpace();
    return true;
  }

  /** Reads a string, number or literal, or the beginning of an object or array. */
  #beginValue(): boolean {
    const byte = this.#bytes[this.#position];
    if (byte === QUOTE) {
      this.#kind = 'string';
      return this.#string();
    }
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (this.#open.length === this.#maxDepth) return false;
      this.#kind = byte === OPEN_OBJECT ? 'object' : 'array';
      this.#open.push(byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
      this.#isFirst = true;
      this.#position++;
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
    for (let i = this.#position + 1; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      if (byte === QUOTE) {
        this.#position = i + 1;
        return true;
      }
      if (byte < SPACE) return false;
      if (byte !== BACKSLASH) continue;
      i++;
      if (bytes[i] === 0x75) {
        for (let k = 1; k <= 4; k++) if (!isHex(bytes[i + k])) return false;
        i += 4;
      } else if (!ESCAPES.has(bytes[i] ?? 0)) return false;
    }
    return false;
  }

  #number(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#position] === MINUS) this.#position++;
    if (bytes[this.#position] === ZERO) this.#position++;
    else if (!this.#digits()) return false;
    if (bytes[this.#position] === POINT) {
      this.#position++;
      if (!this.#digits()) return false;
    }
    if (((bytes[this.#position] ?? 0) | SPACE) !== 0x65) return true;
    this.#position++;
    if (bytes[this.#position] === PLUS || bytes[this.#position] === MINUS) this.#position++;
    return this.#digits();
  }

  #digits(): boolean {
    const from = this.#position;
    while (isDigit(this.#bytes[this.#position])) this.#position++;
    return this.#position > from;
  }

  #literal(): boolean {
    const word = LITERALS.find((one) => one.every((byte, i) => this.#bytes[this.#position + i] === byte));
    if (!word) return false;
    this.#position += word.length;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#position];
      if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#position++;
    }
  }
}
