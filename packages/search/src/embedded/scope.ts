import type { ScopeClause, SearchQuery } from '../searchQuery.ts';
import { DocumentFilter } from './documentFilter.ts';
import { OWN } from './documentWriter.ts';
import { joined, type Numbers, shared, sortedNumbers } from './numbers.ts';
import { keyBytes, PLACE_SIZE, placeOf } from './schema.ts';
import type { Place, StoredIndex } from './storedIndex.ts';

/** What of a clause the place leaves open: the document itself says whether it holds. */
interface Open {
  from?: string;
  audience?: string;
}

/** What a place says about its documents; undefined: none of them can be found. */
interface Verdict {
  /** the user may see each of them; else those that it sent or that list it */
  seesAll: boolean;
  /** one of these has to hold; undefined where the query has no clauses or one holds for all */
  clauses: Open[] | undefined;
  /** each document of it is found, whatever it says */
  isWhole: boolean;
}

/** What the user may see, by its other side: not from a text's hits but from the user. */
export interface OwnDocuments {
  /** all of these can be seen */
  places: number[];
  /** documents of other places */
  loose: Numbers;
}

interface Row {
  n: number;
  sender: Buffer;
}

const ROWS_AT_ONCE = 5000;
/** If more than one in so many documents of a place is asked for, all of them are read: in order, which costs a tenth. */
const MANY = 8;

/** Which documents a query may find by all that it says but its text. */
export class Scope {
  readonly #index: StoredIndex;
  readonly #query: SearchQuery;
  readonly #keys: Set<string>;
  readonly #filter: DocumentFilter;
  readonly #verdicts = new Map<number, Verdict | undefined>();
  #listedKeys: string[] | undefined;
  #own: OwnDocuments | undefined;

  constructor(index: StoredIndex, query: SearchQuery) {
    this.#index = index;
    this.#query = query;
    this.#keys = new Set(query.audience.filter((key) => key !== ''));
    this.#filter = new DocumentFilter(index, query);
  }

  get keyCount(): number {
    return this.#keys.size;
  }

  /** @returns those of the documents that may be found */
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
        for (let at = i; at < end; at++) unsure.push(numbers[at] ?? 0);
      }
      i = end;
    }
    settle();
    return joined(parts);
  }

  /** Whether this one may be found. */
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

  /** Everything that the user may see and that the clauses do not rule out by its place. */
  own(): OwnDocuments {
    this.#own ??= this.#collect();
    return this.#own;
  }

  /** How many documents of a place may be found, all of which the user may see. */
  countIn(place: number): number {
    const verdict = this.verdict(place);
    if (!verdict) return 0;
    if (verdict.isWhole) return this.#index.extent(place).count;
    return verdict.clauses ? this.visible(this.allIn(place)).length : this.#filter.countIn(place);
  }

  /** The newest documents of a place that may be found, in no order. */
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
    if (!seesAll && place.own === OWN.nobody) return undefined;
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
      // Where the clause holds for a whole place, it is the user's own keys that single documents list.
      for (const key of seesAll ? listed : [...listed, ...this.#listed()]) {
        for (const n of this.#index.listing(key)) if (this.verdict(placeOf(n))) loose.add(n);
      }
    }
    return {
      places: [...places].sort((a, b) => a - b),
      loose: sortedNumbers([...loose].filter((n) => !places.has(placeOf(n)))),
    };
  }

  /** Places in which a clause can hold for all documents. */
  #candidates(channel: string | undefined, audience: string | undefined): number[] {
    if (channel !== undefined) return this.#index.placesOfChannel(channel);
    const keys = audience === undefined ? [...this.#keys] : [audience];
    return keys.flatMap((key) => this.#index.placesOf(key));
  }

  /** Those keys of the user that documents list one by one: its uid, hardly ever a group. */
  #listed(): string[] {
    this.#listedKeys ??= [...this.#keys].filter((key) => this.#index.isListed(key));
    return this.#listedKeys;
  }

  /** @param numbers of places that have a verdict, ascending */
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

/** What of a clause is left open by a place: nothing where it cannot hold there. */
function openPart(clause: ScopeClause, place: Place): Open[] {
  const { from, audience, channel, channelId, channelType } = clause;
  // A clause that says nothing must not mean everything.
  if ([from, audience, channel, channelId, channelType].every((part) => part === undefined)) return [];
  if (channel !== undefined && channel !== place.channel) return [];
  if (channelId !== undefined && channelId !== place.channelId) return [];
  if (channelType !== undefined && channelType !== place.channelType) return [];
  if (from !== undefined && !maySend(from, place)) return [];
  const isShared = audience === undefined || place.shared.has(audience);
  if (!isShared && place.own === OWN.nobody) return [];
  return [{ ...(from === undefined ? {} : { from }), ...(isShared ? {} : { audience }) }];
}

/** Between two users nobody else sends. */
const maySend = (from: string, { isPair, shared }: Place) => !isPair || shared.has(from);
