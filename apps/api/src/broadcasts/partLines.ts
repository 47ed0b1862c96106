import { isUtf8 } from 'node:buffer';
import { BATCH_REASON_INVALID, type InvalidLine, isName, SYSTEM_UID } from '@ruyi/contracts';

/** A uid as a JSON string with every character escaped takes 1,538 bytes. */
const MOST_LINE_BYTES = 4096;
/** An echoed uid is cut here (docs/api.md §4). */
const MOST_SHOWN = 256;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';
const NOTHING: Buffer = Buffer.alloc(0);

/** What some bytes of a part say. */
export interface ReadLines {
  /** valid uids with the number of their line, in order */
  uids: string[];
  lines: number[];
  invalid: InvalidLine[];
}

/**
 * Reads the lines of a part as they arrive: a uid each, or a JSON string each. Nothing is trimmed but the line end; blank
 * lines do not count. A line that is too long is invalid, and is not kept.
 */
export class PartLines {
  readonly #isCommand: boolean;
  #rest = NOTHING;
  /** the beginning of a line that is too long, while its end has not come */
  #tooLong: Buffer | undefined;
  #line = 0;

  /** @param isCommand the system user has no inbox */
  constructor(isCommand: boolean) {
    this.#isCommand = isCommand;
  }

  read(chunk: Buffer): ReadLines {
    const read: ReadLines = { uids: [], lines: [], invalid: [] };
    let bytes = chunk;
    if (this.#tooLong) {
      const end = chunk.indexOf(NEWLINE);
      if (end < 0) return read;
      this.#refuse(read, ++this.#line, this.#tooLong.toString('utf8'));
      this.#tooLong = undefined;
      bytes = chunk.subarray(end + 1);
    }
    const end = bytes.lastIndexOf(NEWLINE);
    if (end < 0) this.#keep(bytes);
    else {
      const rest = this.#rest;
      this.#rest = NOTHING;
      const whole = bytes.subarray(0, end);
      this.#readBlock(rest.length === 0 ? whole : Buffer.concat([rest, whole]), read);
      this.#keep(bytes.subarray(end + 1));
    }
    return read;
  }

  /** The last line needs no line end. */
  end(): ReadLines {
    const read: ReadLines = { uids: [], lines: [], invalid: [] };
    if (this.#tooLong) this.#refuse(read, ++this.#line, this.#tooLong.toString('utf8'));
    else if (this.#rest.length > 0) this.#readBlock(this.#rest, read);
    return read;
  }

  /** Keeps the beginning of a line whose end has not come. It is copied: a small piece would keep the chunk alive. */
  #keep(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(0, MOST_LINE_BYTES + 1)]);
    if (this.#rest.length <= MOST_LINE_BYTES) return;
    this.#tooLong = Buffer.from(this.#rest.subarray(0, 4 * MOST_SHOWN));
    this.#rest = NOTHING;
  }

  #readBlock(block: Buffer, read: ReadLines): void {
    if (isUtf8(block)) {
      for (const text of block.toString('utf8').split('\n')) this.#readLine(text, read);
      return;
    }
    for (let at = 0; at <= block.length; ) {
      const newline = block.indexOf(NEWLINE, at);
      const end = newline < 0 ? block.length : newline;
      const line = block.subarray(at, end);
      if (isUtf8(line)) this.#readLine(line.toString('utf8'), read);
      else this.#refuse(read, ++this.#line, line.toString('utf8'));
      at = end + 1;
    }
  }

  #readLine(given: string, read: ReadLines): void {
    const line = ++this.#line;
    let text = given.endsWith('\r') ? given.slice(0, -1) : given;
    if (line === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    if (text === '') return;
    const uid = text.startsWith('"') ? unquoted(text) : text;
    if (!isName(uid) || (this.#isCommand && uid === SYSTEM_UID)) this.#refuse(read, line, uid);
    else {
      read.uids.push(uid);
      read.lines.push(line);
    }
  }

  #refuse(read: ReadLines, line: number, uid: string): void {
    read.invalid.push({ line, uid: shown(uid), reason: BATCH_REASON_INVALID });
  }
}

/** A uid as an answer shows it. */
export const shown = (uid: string): string =>
  uid.length <= MOST_SHOWN
    ? uid
    : Array.from(uid.slice(0, 2 * MOST_SHOWN))
        .slice(0, MOST_SHOWN)
        .join('');

/** The text of a JSON string; the line itself if it is none: a uid may begin with a quotation mark. */
function unquoted(line: string): string {
  if (line.length > MOST_LINE_BYTES || line.length < 2 || !line.endsWith('"')) return line;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'string' ? value : line;
  } catch {
    return line;
  }
}
