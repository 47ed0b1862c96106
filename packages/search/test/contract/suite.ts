import type { SearchDocument, SearchEngine, SearchQuery, SearchResult } from '@ruyi/search';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { caseDocuments, cases, rankedCases } from './cases.ts';
import { queryOf } from './documents.ts';
import { expectedResult } from './oracle.ts';
import { scenarios } from './scenarios.ts';

/** One engine as two processes see it: the indexer and the API. It is prepared, empty, and belongs to one test. */
export interface EnginePair {
  writer: SearchEngine;
  reader: SearchEngine;
  /** fields with which this engine refuses a document */
  refused: Partial<SearchDocument>;
  close(): Promise<void>;
}

/** Indexes and searches for the tests, and remembers what was indexed. */
export interface Contract {
  readonly writer: SearchEngine;
  readonly refused: Partial<SearchDocument>;
  /** Indexes documents, and expects that none is refused. */
  index(documents: SearchDocument[]): Promise<void>;
  find(part: Partial<SearchQuery>): Promise<SearchResult>;
  /** What `find` must answer, computed from everything that was indexed so far. */
  expected(part: Partial<SearchQuery>): SearchResult;
}

/** What every engine must do, however it is built. */
export function contractSuite(name: string, open: () => Promise<EnginePair>): void {
  describe(`the search contract on the ${name} engine`, () => {
    let pair: EnginePair;
    const indexed: SearchDocument[] = [];
    const contract: Contract = {
      get writer() {
        return pair.writer;
      },
      get refused() {
        return pair.refused;
      },
      async index(documents) {
        indexed.push(...documents);
        expect(await pair.writer.index(documents)).toEqual([]);
      },
      find: (part) => pair.reader.search(queryOf(part)),
      expected: (part) => expectedResult(indexed, queryOf(part)),
    };
    beforeAll(async () => {
      pair = await open();
      await contract.index(caseDocuments);
    });
    afterAll(() => pair.close());

    for (const [about, table] of Object.entries(cases)) {
      describe(about, () => {
        test.each(table.map((one) => [one.name, one] as const))('%s', async (_, { query, found }) => {
          const result = await contract.find(query);
          if (found) expect(idsOf(result, query)).toEqual(hasText(query) ? [...found].sort() : found);
          const expected = contract.expected(query);
          expect(result.total).toBe(expected.total);
          if (hasText(query) && result.hits.length < result.total) return;
          expect(sorted(result, query)).toEqual(sorted(expected, query));
        });
      });
    }
    test.each(rankedCases.map((one) => [one.name, one] as const))('%s', async (_, { query, total, first }) => {
      const result = await contract.find(query);
      expect([result.total, result.hits[0]?.id]).toEqual([total, first]);
    });
    scenarios(contract);
  });
}

const hasText = ({ text = {} }: Partial<SearchQuery>) => Object.keys(text).length > 0;

/** Hits in their order; if relevance orders them, sorted by id. */
function sorted({ hits }: SearchResult, query: Partial<SearchQuery>): SearchResult['hits'] {
  return hasText(query) ? hits.toSorted((a, b) => (a.id < b.id ? -1 : 1)) : hits;
}

const idsOf = (result: SearchResult, query: Partial<SearchQuery>) => sorted(result, query).map(({ id }) => id);
