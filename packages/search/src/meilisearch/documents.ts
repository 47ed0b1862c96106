import { CONTENT_FIELD, type SearchDocument } from '../searchDocument.ts';
import { type EncodedText, encodeText } from './encoding.ts';
import { LONGEST_TERM } from './fieldQueries.ts';

// Meilisearch indexes the first 65,535 words of an attribute. The largest payload has more, so the rest goes into further
// attributes.
const MOST_TOKENS = 60_000;
/** The next attribute repeats so many tokens, so that a phrase across the cut is found. Queries ask for no longer ones. */
const OVERLAP = LONGEST_TERM;
/**
 * Elements of an array are not neighbours to Meilisearch, which makes them cheaper than one text, but each counts as eight
 * words.
 */
const MOST_ELEMENTS = 7000;

const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}_${i + 1}`));
const attributes = (tokens: string, parts: string) => ({ tokens: numbered(tokens, 6), parts: numbered(parts, 5) });

/**
 * One set of attributes holds the content field, the other all further fields. `tokens` are in order, `parts` of them are
 * not. There are enough for a payload of 256 KiB: `a1a1…` has one token per byte, and one symbol of three bytes (ﷺ) stands
 * for four words.
 */
const ATTRIBUTES = {
  content: attributes('content', 'parts'),
  other: attributes('other', 'other_parts'),
};

export const SEARCHED = Object.values(ATTRIBUTES).flatMap(({ tokens, parts }) => [...tokens, ...parts]);
export const attributesOf = (field: string) => ATTRIBUTES[field === CONTENT_FIELD ? 'content' : 'other'];

/** The attribute with the texts as they were sent, by field. It is not searched: candidates are verified on it. */
export const TEXT = 'text';

/** The texts of a document that was read with its TEXT attribute, by field. */
export function textsOf(hit: Record<string, unknown>): Map<string, string> {
  const texts: unknown = JSON.parse(String(hit[TEXT] ?? '{}'));
  return new Map(Object.entries(Object(texts)).map(([field, text]) => [field, String(text)]));
}

/** How much text such a document carries. */
export const charactersOf = (hit: Record<string, unknown>): number => String(hit[TEXT] ?? '').length;

/** A document as Meilisearch gets it: flat, with the same few attributes for every payload. */
export function toMeilisearch(document: SearchDocument): Record<string, unknown> {
  const { [CONTENT_FIELD]: content = '', ...others } = document.text;
  const other: EncodedText = { tokens: [], parts: new Set() };
  for (const [field, text] of Object.entries(others)) {
    const encoded = encodeText(field, text);
    // Not push(...tokens): 130,000 arguments overflow the stack, and one such message would stop all indexing.
    for (const token of encoded.tokens) other.tokens.push(token);
    for (const part of encoded.parts) other.parts.add(part);
  }
  return {
    id: document.id,
    audience: document.audience.filter((key) => key !== ''),
    positions: document.audience.map(positionKey).join(''),
    from: document.from,
    channel: document.channel,
    channelId: document.channelId,
    channelType: document.channelType,
    topic: document.topic,
    ...(document.payloadType === undefined ? {} : { payloadType: document.payloadType }),
    timestamp: document.timestamp,
    expiresAt: document.expiresAt,
    order: document.order,
    locator: document.locator,
    // One string: as an object each field name would become an attribute, and Meilisearch allows 65,536 of those.
    [TEXT]: JSON.stringify(document.text),
    ...textAttributes(ATTRIBUTES.content, encodeText(CONTENT_FIELD, content)),
    ...textAttributes(ATTRIBUTES.other, other),
  };
}

function textAttributes(names: { tokens: string[]; parts: string[] }, { tokens, parts }: EncodedText) {
  const attributes: Record<string, string | string[]> = {};
  names.tokens.forEach((name, i) => {
    const from = i * MOST_TOKENS;
    if (from < tokens.length)
      attributes[name] = tokens.slice(Math.max(0, from - OVERLAP), from + MOST_TOKENS).join(' ');
  });
  const all = [...parts];
  if (all.length > 0 && all.length <= MOST_ELEMENTS) return { ...attributes, [names.parts[0] ?? '']: all };
  names.parts.forEach((name, i) => {
    const some = all.slice(i * MOST_TOKENS, (i + 1) * MOST_TOKENS);
    if (some.length > 0) attributes[name] = some.join(' ');
  });
  return attributes;
}

const POSITION_KEY_LENGTH = 8;
const NOBODY = '-'.repeat(POSITION_KEY_LENGTH);

/** Six bytes of an access key: enough to tell a thousand recipients apart, short enough to be part of every hit. */
const positionKey = (key: string) => (key === '' ? NOBODY : Buffer.from(key.slice(0, 12), 'hex').toString('base64'));

/** Index of a key in the audience that `positions` was made from; -1 if it is not in it. */
export function positionOf(positions: string, key: string): number {
  const wanted = positionKey(key);
  for (let offset = positions.indexOf(wanted); offset !== -1; offset = positions.indexOf(wanted, offset + 1)) {
    if (offset % POSITION_KEY_LENGTH === 0) return offset / POSITION_KEY_LENGTH;
  }
  return -1;
}
