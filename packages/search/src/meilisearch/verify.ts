import type { Match } from '../analyzer/matcher.ts';
import { charactersOf, textsOf } from './documents.ts';
import type { FieldQuery } from './fieldQueries.ts';

type Hit = Record<string, unknown>;

/** Texts of a page come in one answer, which is parsed at once: few if they are long. */
const FIRST_PAGE = 20;
const LARGEST_PAGE = 500;
const PAGE_CHARACTERS = 1_000_000;

/** Asks for candidates from the `offset`th on, with their texts. */
export type ReadCandidates = (offset: number, limit: number) => Promise<Hit[]>;

export interface Verified {
  /** of the candidates that were read, in their order, those that are found */
  hits: { hit: Hit; match: Match }[];
  /** candidates that were read */
  seen: number;
}

/**
 * Reads up to `most` candidates and verifies them on their texts. It has no deadline of its own: searches run in processes
 * that are ended after theirs.
 */
export async function verify(read: ReadCandidates, fields: FieldQuery[], most: number): Promise<Verified> {
  const verified: Verified = { hits: [], seen: 0 };
  // What is indexed meanwhile moves the candidates on, so that one may come twice.
  const known = new Set<unknown>();
  for (let size = FIRST_PAGE; verified.seen < most; ) {
    const limit = Math.min(size, most - verified.seen);
    const page = await read(verified.seen, limit);
    let characters = 0;
    for (const hit of page) {
      characters += charactersOf(hit);
      const match = known.has(hit.id) ? undefined : matchOf(hit, fields);
      known.add(hit.id);
      if (match) verified.hits.push({ hit, match });
    }
    verified.seen += page.length;
    if (page.length < limit) break;
    const fitting = Math.floor((PAGE_CHARACTERS * page.length) / Math.max(1, characters));
    size = Math.max(1, Math.min(LARGEST_PAGE, fitting, page.length * 4));
  }
  return verified;
}

/** The best of the fields, which are ORed. */
function matchOf(hit: Hit, fields: FieldQuery[]): Match | undefined {
  let best: Match | undefined;
  const texts = textsOf(hit);
  for (const { field, match } of fields) {
    const found = match(texts.get(field) ?? '');
    if (found === 'whole') return found;
    best ??= found;
  }
  return best;
}
