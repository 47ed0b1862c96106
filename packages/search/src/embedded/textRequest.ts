import { type Match, matcherOf } from '../analyzer/matcher.ts';
import { phrasesOf } from '../analyzer/phrases.ts';
import { CONTENT_FIELD } from '../searchDocument.ts';
import { type Part, partsOf } from './parts.ts';
import type { StoredIndex } from './storedIndex.ts';

/** The text of a query in the index's terms. */
export interface TextRequest {
  /** the FTS5 expression: finds every match, and if not `isExact` also documents that do not match */
  match: string;
  isExact: boolean;
  /** the expression that finds only matches of whole words; undefined if all matches are */
  whole: string | undefined;
  /** whether a word or character may go on; the index then gathers all such tokens before it returns the first hit */
  hasPrefix: boolean;
  /** matches the fields' texts themselves */
  find(text: Record<string, string>): Match | undefined;
}

/** The columns in which a field is indexed, and the mark that precedes each of its tokens there. */
interface Columns {
  text: string;
  grams: string;
  mark: string;
}

/** Fields are ORed; what one field asks for is ANDed. @returns undefined if nothing can be found */
export function textRequest(index: StoredIndex, text: Record<string, string>): TextRequest | undefined {
  const fields = Object.entries(text).flatMap(([name, value]) => {
    const columns = columnsOf(index, name);
    const parts = columns ? partsOf(phrasesOf(value)) : [];
    return columns && parts.length > 0 ? [{ name, columns, parts, matcher: matcherOf(value) }] : [];
  });
  if (fields.length === 0) return undefined;
  const parts = fields.flatMap((field) => field.parts);
  const expression = (mayGoOn: boolean) =>
    fields
      .map(({ columns, parts }) => `(${parts.map((part) => sqlOf(part, columns, mayGoOn)).join(' AND ')})`)
      .join(' OR ');
  return {
    match: expression(true),
    isExact: parts.every(({ isExact }) => isExact),
    whole: parts.some(({ mayGoOn }) => mayGoOn) ? expression(false) : undefined,
    hasPrefix: parts.some(
      ({ mayGoOn, alternatives }) => mayGoOn || alternatives.some(({ isBeginning }) => isBeginning),
    ),
    find(texts) {
      const found = fields.map(({ name, matcher }) =>
        Object.hasOwn(texts, name) ? matcher(texts[name] ?? '') : undefined,
      );
      return found.find((match) => match === 'whole') ?? found.find((match) => match !== undefined);
    },
  };
}

function columnsOf(index: StoredIndex, name: string): Columns | undefined {
  if (name === CONTENT_FIELD) return { text: 'content', grams: 'grams', mark: '' };
  const id = index.fieldId(name);
  return id === undefined ? undefined : { text: 'ext', grams: 'ext_grams', mark: `${id}_` };
}

/** Tokens consist of letters, digits and characters without a meaning in FTS5, so quoting them is safe. */
function sqlOf({ column, alternatives, mayGoOn }: Part, columns: Columns, withBeginnings: boolean): string {
  const phrases = alternatives.map(({ tokens, isBeginning }) => {
    const phrase = `"${tokens.map((token) => columns.mark + token).join(' ')}"`;
    return isBeginning || (mayGoOn && withBeginnings) ? `${phrase} *` : phrase;
  });
  return `${columns[column]} : (${phrases.join(' OR ')})`;
}
