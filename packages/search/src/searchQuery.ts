/** Results beyond this one are not returned (docs/api.md §2, usersearch); totals stay exact. */
export const LAST_RESULT = 10_000;

/** A search within what one user may see. All parts are ANDed. */
export interface SearchQuery {
  /** a document matches if its audience contains one of these keys; an empty list matches nothing */
  audience: string[];
  /** restricts the scope further: a document matches if ANY of these clauses does; absent: no restriction */
  anyOf?: ScopeClause[];
  /** text by payload field: fields are ORed, words within one field are ANDed; empty: no text is asked for */
  text: Record<string, string>;
  payloadTypes: number[];
  from?: string;
  topic?: string;
  channelType?: number;
  /** seconds, both inclusive; 0 means open */
  startTime: number;
  endTime: number;
  /** seconds; documents with 0 < expiresAt <= now are left out */
  now: number;
  /** the first hit to return, and how many; beyond the 10,000th result nothing is returned, but `total` stays exact */
  offset: number;
  limit: number;
  /** each hit is returned with the positions of these keys in its audience */
  locate: string[];
}

/** A clause holds if all of its given parts hold. `audience`: the document's audience contains this one key. */
export interface ScopeClause {
  from?: string;
  audience?: string;
  channel?: string;
  channelId?: string;
  channelType?: number;
}

export interface SearchHit {
  id: string;
  locator: string;
  /** for each key in `locate` its index in the audience, or -1 */
  positions: number[];
}

export interface SearchResult {
  total: number;
  hits: SearchHit[];
}
