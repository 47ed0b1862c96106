import type { ScopeClause, SearchQuery } from '../searchQuery.ts';
import { DocumentFilter } from './documentFilter.ts';
import { ALSO_SEEN_BY } from './documentWriter.ts';
import { joined, type Numbers, shared, sortedNumbers } from './numbers.ts';
import { keyBytes, PLACE_SIZE, placeOf } from './schema.ts';
import type { Place, StoredIndex } from './storedIndex.ts';

/** The part of a clause that a place does not decide: it depends on the single document. */
interface Open {
  from?: string;
  audience?: string;
}

/** What a place tells about its documents. No verdict (undefined) means that none of them can be found. */
interface Verdict {
  /** whether the user may see all of them; otherwise only those that it sent or that list it */
  seesAll: boolean;
  /** one of these must hold; undefined if the query has no clauses, or if one holds for all documents */
  clauses: Open[] | undefined;
  /** whether every document of the place is found, whatever its columns are */
  isWhole: boolean;
}

/** All that a user may see, found from the user's keys instead of from a text's hits. */
export interface OwnDocuments {
  /** places in which the user sees every document */
  places: number[];
  /** single documents of other places */
  loose: Numbers;
}

interface Row {
  n: number;
  sender: Buffer;
}

const ROWS_AT_ONCE = 5000;
/**
 * If at least one in this many documents of a place is asked for, all of them are read, in order: that costs a tenth per
 * document.
 */
const MANY = 8;

/** Which documents a query may find, by everything that it asks for except its text. */
export class Scope {
  readonly #index: StoredIndex;
  readonly #query: SearchQuery;
  readonly #keys: Set<string>;
  readonly #filter: DocumentFilter;
  readonly #verdicts = new Map<number, Verdict | undefined>();
  #listedKeys: string[] | undefined;
  #ownDocuments: OwnDocuments | undefined;

  constructor(index: StoredIndex, query: SearchQuery) {
    this.#index = index;
    this.#query = query;
    this.#keys = new Set(query.audience.filter((key) => key !== ''));
    this.#filter = new DocumentFilter(index, query);
  }

  get keyCount(): number {
    return this.#keys.size;
  }

  /** @returns the documents among these that may be found */
  visible(numbers: Numbers): Numbers {
    const parts: (Numbers | number[])[] = [];
    let unsure: number[] = [];
    const settle = () => {
      for (let i = 0; i < unsure.length; i += ROWS_AT_ONCE)
        parts.push(this.#passing(unsure.slice(i, i + ROWS_AT_ONCE)));
      unsure = [];
    };
    for (let i = 0; i < numbers.length; ) {
      const place = placeOf(numbers[i] ?? 0);
      const limit = (place + 1) * PLACE_SIZE;
      let end = i + 1;
      while (end < numbers.length && (numbers[end] ?? 0) < limit) end++;
      const verdict = this.verdict(place);
      if (verdict?.isWhole) {
        settle();
        parts.push(numbers.subarray(i, end));
      } else if (verdict?.seesAll && !verdict.clauses && (end - i) * MANY > this.#index.extent(place).count) {
        settle();
        parts.push(shared(numbers.subarray(i, end), this.#filter.allIn(place)));
      } else if (verdict) {
        for (const n of numbers.subarray(i, end)) unsure.push(n);
      }
      i = end;
    }
    settle();
    return joined(parts);
  }

  /** Whether this document may be found. */
  isVisible(n: number): boolean {
    const verdict = this.verdict(placeOf(n));
    return verdict !== undefined && (verdict.isWhole || this.#passing([n]).length > 0);
  }

  verdict(id: number): Verdict | undefined {
    if (this.#verdicts.has(id)) return this.#verdicts.get(id);
    const place = this.#index.place(id);
    const verdict = place && this.#judge(place);
    this.#verdicts.set(id, verdict);
    return verdict;
  }

  /** Everything that the user may see, without the places that the clauses rule out. */
  ownDocuments(): OwnDocuments {
    this.#ownDocuments ??= this.#collect();
    return this.#ownDocuments;
  }

  /** How many documents of a place may be found. @param place one of which the user may see everything */
  countIn(place: number): number {
    const verdict = this.verdict(place);
    if (!verdict) return 0;
    if (verdict.isWhole) return this.#index.extent(place).count;
    return verdict.clauses ? this.visible(this.allIn(place)).length : this.#filter.countIn(place);
  }

  /** The newest documents of a place that may be found, unordered. */
  newestIn(place: number, count: number): number[] {
    const verdict = this.verdict(place);
    if (!verdict) return [];
    return verdict.clauses ? [...this.visible(this.allIn(place))] : this.#filter.newestIn(place, count);
  }

  allIn(place: number): Numbers {
    return Float64Array.from(this.#index.allIn(place));
  }

  #judge(place: Place): Verdict | undefined {
    const { channelType, from, anyOf } = this.#query;
    if (channelType !== undefined && channelType !== place.channelType) return undefined;
    if (from !== undefined && !maySend(from, place)) return undefined;
    const seesAll = [...place.shared.keys()].some((key) => this.#keys.has(key));
    if (!seesAll && place.alsoSeenBy === ALSO_SEEN_BY.nobody) return undefined;
    const clauses = anyOf?.flatMap((clause) => openPart(clause, place));
    if (clauses?.length === 0) return undefined;
    const isOpen = clauses?.every((clause) => clause.from !== undefined || clause.audience !== undefined) ?? false;
    return {
      seesAll,
      clauses: isOpen ? clauses : undefined,
      isWhole: seesAll && !isOpen && !place.expiring && !this.#filter.isNeeded,
    };
  }

  #collect(): OwnDocuments {
    const [places, loose] = [new Set<number>(), new Set<number>()];
    for (const { channel, audience } of this.#query.anyOf ?? [{}]) {
      const listed = audience === undefined ? this.#listed() : [audience];
      let seesAll = true;
      for (const place of this.#candidates(channel, audience)) {
        const verdict = this.verdict(place);
        if (verdict?.seesAll) places.add(place);
        else if (verdict) seesAll = false;
      }
      // If the user does not see all of a place, single documents in it may list the user's own keys.
      for (const key of seesAll ? listed : [...listed, ...this.#listed()]) {
        for (const n of this.#index.listing(key)) if (this.verdict(placeOf(n))) loose.add(n);
      }
    }
    return {
      places: [...places].sort((a, b) => a - b),
      loose: sortedNumbers([...loose].filter((n) => !places.has(placeOf(n)))),
    };
  }

  /** Places in which a clause may hold for all documents. */
  #candidates(channel: string | undefined, audience: string | undefined): number[] {
    if (channel !== undefined) return this.#index.placesOfChannel(channel);
    const keys = audience === undefined ? [...this.#keys] : [audience];
    return keys.flatMap((key) => this.#index.placesOf(key));
  }

  /** The user's keys that single documents list: its uid, hardly ever a group. */
  #listed(): string[] {
    this.#listedKeys ??= [...this.#keys].filter((key) => this.#index.isListed(key));
    return this.#listedKeys;
  }

  /** @param numbers ascending, of places that have a verdict */
  #passing(numbers: number[]): number[] {
    const rows = this.#filter.among(numbers);
    return rows.filter((row) => this.#holds(row)).map(({ n }) => n);
  }

  #holds({ n, sender }: Row): boolean {
    const id = placeOf(n);
    const verdict = this.verdict(id);
    if (!verdict) return false;
    if (!verdict.seesAll && !this.#listed().some((key) => this.#index.listedAt(key, n) !== undefined)) return false;
    return (
      verdict.clauses?.some(
        ({ from, audience }) =>
          (from === undefined || sender.equals(keyBytes(from))) &&
          (audience === undefined || this.#index.listedAt(audience, n) !== undefined),
      ) ?? true
    );
  }
}

/** The part of a clause that a place does not decide; an empty list if the clause cannot hold there. */
function openPart(clause: ScopeClause, place: Place): Open[] {
  const { from, audience, channel, channelId, channelType } = clause;
  // An empty clause must not mean everything.
  if ([from, audience, channel, channelId, channelType].every((part) => part === undefined)) return [];
  if (channel !== undefined && channel !== place.channel) return [];
  if (channelId !== undefined && channelId !== place.channelId) return [];
  if (channelType !== undefined && channelType !== place.channelType) return [];
  if (from !== undefined && !maySend(from, place)) return [];
  const isShared = audience === undefined || place.shared.has(audience);
  if (!isShared && place.alsoSeenBy === ALSO_SEEN_BY.nobody) return [];
  return [{ ...(from === undefined ? {} : { from }), ...(isShared ? {} : { audience }) }];
}

/** In a place of two users nobody else is a sender. */
const maySend = (from: string, { isPair, shared }: Place) => !isPair || shared.has(from);
