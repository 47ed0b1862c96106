import type { Match } from '../analyzer/matcher.ts';
import { charactersOf, textsOf } from './documents.ts';
import type { FieldQuery } from './fieldQueries.ts';

type Hit = Record<string, unknown>;

/** One answer holds all texts of a page and is parsed at once, so a page of long texts is short. */
const FIRST_PAGE = 20;
const LARGEST_PAGE = 500;
const PAGE_CHARACTERS = 1_000_000;

/** Reads candidates with their texts, starting at `offset`. */
export type ReadCandidates = (offset: number, limit: number) => Promise<Hit[]>;

export interface Verified {
  /** the candidates whose texts match, in the order in which they were read */
  hits: { hit: Hit; match: Match }[];
  /** how many candidates were read */
  seen: number;
}

/**
 * Reads up to `most` candidates and verifies each on its text. It has no deadline, because a search process that takes too
 * long is ended by its parent.
 */
export async function verify(read: ReadCandidates, fields: FieldQuery[], most: number): Promise<Verified> {
  const verified: Verified = { hits: [], seen: 0 };
  // Documents that are indexed meanwhile shift the candidates, so one may appear on two pages.
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

/** The best match among the fields, which are ORed. */
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
