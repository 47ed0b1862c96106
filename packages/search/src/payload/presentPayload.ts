import { highlight } from '../analyzer/highlight.ts';
import { fieldsOf, payloadBytes, stringAt } from './payloadFields.ts';

/** How the payloads of one answer are shown (docs/api.md §2, usersearch). */
export interface Presentation {
  /** paths such as `payload.content` */
  highlights: string[];
  /** what was searched for, by payload field */
  text: Record<string, string>;
  /** `base64`: the same bytes as a base64 string (SEARCH_PAYLOAD) */
  mode: 'object' | 'base64';
}

const EMPTY = Buffer.from('{}');
const PATH = 'payload.';

/**
 * A found message's payload for the answer: the sender's bytes, with only the highlighted top-level strings replaced. So
 * numbers, the order of keys and duplicate keys are returned as they were sent.
 * @param base64 the stored payload
 * @returns one JSON value in UTF-8; `{}` if the payload is not a JSON object or is nested deeper than 100 levels
 */
export function presentPayload(base64: string, { highlights, text, mode }: Presentation): Buffer {
  const bytes = payloadBytes(base64);
  const shown = (bytes && highlighted(bytes, queriesOf(highlights, text))) ?? EMPTY;
  return mode === 'object' ? shown : Buffer.from(`"${shown.toString('base64')}"`);
}

/** The fields to highlight that were also searched, each with its query value. */
function queriesOf(highlights: string[], text: Record<string, string>): Map<string, string> {
  const queries = new Map<string, string>();
  for (const path of highlights) {
    const field = path.startsWith(PATH) ? path.slice(PATH.length) : '';
    const query = Object.hasOwn(text, field) ? text[field] : undefined;
    if (query !== undefined) queries.set(field, query);
  }
  return queries;
}

function highlighted(bytes: Buffer, queries: Map<string, string>): Buffer | undefined {
  const fields = fieldsOf(bytes, new Set(queries.keys()));
  if (!fields) return undefined;
  const parts: Buffer[] = [];
  let done = 0;
  for (const [name, { kind, start, end }] of [...fields].sort(([, a], [, b]) => a.start - b.start)) {
    if (kind !== 'string') continue;
    const marked = highlight(stringAt(bytes, start, end), queries.get(name) ?? '');
    if (marked === undefined) continue;
    // JSON.stringify escapes lone surrogates, which UTF-8 cannot encode.
    parts.push(bytes.subarray(done, start), Buffer.from(JSON.stringify(marked)));
    done = end;
  }
  return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(done)]);
}
