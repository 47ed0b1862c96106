import { isUtf8 } from 'node:buffer';
import { type JsonKind, scanJson } from './scanJson.ts';

/** The searchable part of a payload (docs/api.md §1, payload). */
export interface PayloadFields {
  /** the first 64 top-level string fields, of each the first 100,000 characters */
  text: Record<string, string>;
  /** top-level `type`, if it is a whole number */
  type?: number;
}

/** Where the value of a top-level field is in the payload's bytes. If fields share a name, the last one counts. */
export interface FieldSpan {
  kind: JsonKind;
  start: number;
  end: number;
}

/** How deep objects and arrays may be nested, the payload included. A deeper payload counts as no object. */
const MAX_DEPTH = 100;
const MOST_FIELDS = 64;
const MOST_CHARACTERS = 100_000;

/** The searchable part of a payload in base64; empty if its bytes are not a JSON object. */
export function textFields(base64: string): PayloadFields {
  const bytes = payloadBytes(base64);
  const fields = bytes && fieldsOf(bytes);
  const text: Record<string, string> = Object.create(null);
  if (!fields) return { text };
  let count = 0;
  for (const [name, field] of fields) {
    if (field.kind !== 'string' || count === MOST_FIELDS) continue;
    text[name] = firstCharacters(stringAt(bytes, field.start, field.end), MOST_CHARACTERS);
    count++;
  }
  const type = fields.get('type');
  const value = type?.kind === 'number' ? Number(bytes.toString('latin1', type.start, type.end)) : Number.NaN;
  // Adding 0 turns the -0 of `"type":-0` into 0.
  return Number.isSafeInteger(value) ? { text, type: value + 0 } : { text };
}

/** A payload's bytes without a byte order mark; undefined if they are not UTF-8. */
export function payloadBytes(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64');
  if (!isUtf8(bytes)) return undefined;
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return hasMark ? bytes.subarray(3) : bytes;
}

/**
 * The top-level fields, in the order in which each name appears first, like JSON.parse.
 * @param wanted the names of the fields to return; absent: all
 * @returns undefined if the bytes are not a JSON object, or nested deeper than 100 levels
 */
export function fieldsOf(bytes: Buffer, wanted?: ReadonlySet<string>): Map<string, FieldSpan> | undefined {
  const fields = new Map<string, FieldSpan>();
  const kind = scanJson(bytes, MAX_DEPTH, (kind, start, end, nameStart, nameEnd) => {
    // An array's elements have no names.
    if (wanted?.size === 0 || nameEnd === nameStart) return;
    const name = stringAt(bytes, nameStart, nameEnd);
    if (!wanted || wanted.has(name)) fields.set(name, { kind, start, end });
  });
  return kind === 'object' ? fields : undefined;
}

/** The value of the JSON string between these offsets, which include its quotes. */
export function stringAt(bytes: Buffer, start: number, end: number): string {
  const value: unknown = JSON.parse(bytes.toString('utf8', start, end));
  return String(value);
}

/** A text's first code points. */
function firstCharacters(text: string, count: number): string {
  if (text.length <= count) return text;
  let end = 0;
  for (let seen = 0; seen < count && end < text.length; seen++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}
