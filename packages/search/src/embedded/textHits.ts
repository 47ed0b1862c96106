import { includes, joined, lowerBound, type Numbers, shared } from './numbers.ts';
import { placeOf } from './schema.ts';
import type { OwnDocuments, Scope } from './scope.ts';
import { rangeOf, type StoredIndex } from './storedIndex.ts';
import type { TextRequest } from './textRequest.ts';

/**
 * Three ways to find the same documents. `hits`: walk over all hits of the text and keep those that the user may see;
 * `places`: ask for the text's hits in each place that the user may see; `texts`: match the texts of all documents that
 * the user may see.
 */
export type Plan = 'hits' | 'places' | 'texts';

/** What a search with text finds. */
export interface TextHits {
  numbers: Numbers;
  /** the hits of whole words; may be undefined if all hits are, or if there are too many hits to rank */
  whole: Numbers | undefined;
}

// The unit of cost is one hit that the index walks over. Measured: a hit takes 0.25 µs, a search of one place 25 µs, a text
// 3 µs and 0.6 µs per token.
const COST = { place: 100, text: 12, token: 2.4 };
const FEW = 2000;
/** If matching all of the user's texts costs no more than this, the index is not asked at all. */
const SMALL = 50 * COST.text;
const FEW_KEYS = 50;
const MOST_AT_ONCE = 1_000_000;

/** The documents that a query finds by its text. @param forced the plan to use instead of the one that seems to cost least */
export function textHits(index: StoredIndex, scope: Scope, request: TextRequest, forced?: Plan): TextHits {
  const search = new TextSearch(index, scope, request);
  if (forced) return search.by(forced);
  if (scope.keyCount <= FEW_KEYS && search.cost('texts') <= SMALL) return search.by('texts');
  // Walking over so few hits is about the cheapest way; even finding out what the user may see costs more.
  const few = request.hasPrefix ? undefined : search.everywhere(request.match, FEW);
  if (few) return search.from(few);
  // Only counting tells how many hits there are. Count as long as that costs no more than the whole other plan.
  const other = search.cheapest();
  const hits = search.everywhere(request.match, search.cost(other));
  return hits ? search.from(hits) : search.by(other);
}

class TextSearch {
  readonly #index: StoredIndex;
  readonly #scope: Scope;
  readonly #request: TextRequest;
  #costs: { places: number; texts: number } | undefined;

  constructor(index: StoredIndex, scope: Scope, request: TextRequest) {
    this.#index = index;
    this.#scope = scope;
    this.#request = request;
  }

  by(plan: Plan): TextHits {
    const { match } = this.#request;
    if (plan === 'hits') return this.from(this.everywhere(match, Infinity) ?? joined([]));
    const mine = this.#scope.ownDocuments();
    if (plan === 'texts') return this.#looked(this.#scope.visible(allOf(this.#scope, mine)));
    const hits = this.#scope.visible(this.#inPlaces(match, mine));
    return this.#settled(hits, (whole) => this.#inPlaces(whole, mine));
  }

  /** @param hits all hits of the expression, in the whole index */
  from(hits: Numbers): TextHits {
    return this.#settled(this.#scope.visible(hits), (whole) => this.everywhere(whole, Infinity) ?? hits);
  }

  /** All hits of an expression; undefined if there are more than `most`. */
  everywhere(match: string, most: number): Numbers | undefined {
    const parts: Numbers[] = [];
    let after = -1;
    let count = 0;
    // Each query for a prefix gathers its words anew, so all hits are read at once.
    for (
      let atOnce = this.#request.hasPrefix ? MOST_AT_ONCE : FEW;
      count <= most;
      atOnce = Math.min(atOnce * 10, MOST_AT_ONCE)
    ) {
      const limit = Math.min(atOnce, most + 1);
      const part = this.#index.matchesAfter(match, after, limit);
      parts.push(Float64Array.from(part));
      count += part.length;
      if (part.length < limit) return count > most ? undefined : joined(parts);
      after = part.at(-1) ?? after;
    }
    return undefined;
  }

  cheapest(): 'places' | 'texts' {
    return this.cost('places') <= this.cost('texts') ? 'places' : 'texts';
  }

  /** A plan's cost, in hits of the text: with fewer hits than this, walking over all of them is cheaper. */
  cost(plan: 'places' | 'texts'): number {
    this.#costs ??= this.#estimate();
    return this.#costs[plan];
  }

  #estimate(): { places: number; texts: number } {
    const { places, loose } = this.#scope.ownDocuments();
    let [documents, tokens] = [loose.length, 0];
    for (const place of places) {
      const extent = this.#index.extent(place);
      documents += extent.count;
      tokens += extent.tokens;
    }
    // The lengths of loose documents are not known without reading them; 50 tokens are assumed.
    const texts = documents * COST.text + (tokens + loose.length * 50) * COST.token;
    const ranges = places.length + looseRanges(loose).length;
    // Each query for a prefix gathers its words anew, in whatever range it looks.
    const isDear = this.#request.hasPrefix && ranges > 1;
    // Place by place, the user's own share of the hits is walked over too.
    const others = 1 - Math.min(1, documents / Math.max(1, this.#index.count()));
    const byPlace = isDear || others === 0 ? Infinity : Math.ceil((ranges * COST.place) / others);
    return { places: byPlace, texts: Math.ceil(texts) };
  }

  #inPlaces(match: string, { places, loose }: OwnDocuments): Numbers {
    const ranges = [...places.map(rangeOf), ...looseRanges(loose)].sort(([a], [b]) => a - b);
    const isLoose = (n: number) => includes(loose, n);
    const whole = new Set(places);
    return joined(
      ranges.map(([first, last]) => {
        const found = this.#index.matchesWithin(match, first, last);
        return whole.has(placeOf(first)) ? found : found.filter(isLoose);
      }),
    );
  }

  /** Verifies hits on their texts if the expression is not exact. */
  #settled(hits: Numbers, whole: (match: string) => Numbers): TextHits {
    const { isExact, whole: match } = this.#request;
    if (!isExact) return this.#looked(hits);
    if (match === undefined || !this.#ranks(hits)) return { numbers: hits, whole: undefined };
    return { numbers: hits, whole: shared(hits, whole(match)) };
  }

  #ranks = (hits: Numbers) => hits.length > 1 && hits.length <= 10_000;

  #looked(numbers: Numbers): TextHits {
    const [found, whole]: [number[], number[]] = [[], []];
    for (const n of numbers) {
      const match = this.#request.find(JSON.parse(this.#index.source(n)?.text ?? '{}'));
      if (match !== undefined) found.push(n);
      if (match === 'whole') whole.push(n);
    }
    return { numbers: Float64Array.from(found), whole: Float64Array.from(whole) };
  }
}

/** All documents that the user may see, by number. */
function allOf(scope: Scope, { places, loose }: OwnDocuments): Numbers {
  const parts = places.map((place) => scope.allIn(place));
  return joined([...parts, loose]).sort();
}

/** Groups loose documents into one range per place: a place is one query, however many of its documents are asked for. */
function looseRanges(loose: Numbers): [number, number][] {
  const ranges: [number, number][] = [];
  for (let i = 0; i < loose.length; ) {
    const first = loose[i] ?? 0;
    const end = lowerBound(loose, rangeOf(placeOf(first))[1] + 1);
    ranges.push([first, loose[end - 1] ?? first]);
    i = end;
  }
  return ranges;
}
