import type { SearchDocument } from '@ruyi/search';
import { personal, user } from './documents.ts';
import { fieldCases, fieldDocuments } from './fieldCases.ts';
import { filterCases, filterDocuments, pairCases, type SearchCase } from './filterCases.ts';
import { type TextCase, textCases } from './textCases.ts';
import { orderCases, ruleCases } from './textFiles.ts';

const shown = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

const contractCases = ruleCases.map(({ text, query, found }): TextCase => [text, query, found]);

/** Each text belongs to its own user, which shows whether it is found, and to one user who may see all of them. */
const everyText = Object.entries({ ...textCases, rule: contractCases }).flatMap(([table, rows]) =>
  rows.map(([text, query, found]: TextCase, i) => {
    const owner = `${table}${i}`;
    const document = personal(`text-${owner}`, owner, 'texts', text);
    const name = `${table}: ${shown(query)} ${found ? 'finds' : 'does not find'} ${shown(text)}`;
    return { document, name, query, owner, found };
  }),
);

const rowCases: SearchCase[] = everyText.map(({ document, name, query, owner, found }) => ({
  name,
  query: { audience: [user(owner)], text: { content: query } },
  found: found ? [document.id] : [],
}));

const queries = [...new Set(everyText.map(({ query }) => query))];
const acrossCases: SearchCase[] = queries.map((query) => ({
  name: shown(query),
  query: { audience: [user('texts')], text: { content: query }, limit: 300 },
}));

/** The last text is the newest, and it is not the one that must come first. */
const orderDocuments = orderCases.map(({ texts, first }, i) =>
  [first, ...texts.filter((text) => text !== first)].map((text, at) =>
    personal(`order${i}-${at}`, `order${i}`, 'bob', text),
  ),
);

/** Which text ranks first, and how many are found. The owner of each case sees only its texts. */
export const rankedCases = orderCases.map(({ texts, query }, i) => ({
  name: `${shown(query)} finds ${texts.length} texts, the whole word first`,
  query: { audience: [user(`order${i}`)], text: { content: query } },
  total: texts.length,
  first: `order${i}-0`,
}));

/** The documents of all cases, indexed once. */
export const caseDocuments: SearchDocument[] = [
  ...filterDocuments,
  ...fieldDocuments,
  ...everyText.map(({ document }) => document),
  ...orderDocuments.flat(),
];

/** All cases, by subject. */
export const cases: Record<string, SearchCase[]> = {
  'a filter': filterCases,
  'two filters at once': pairCases,
  'a text and a query': rowCases,
  'a query over all texts': acrossCases,
  'fields of the payload': fieldCases,
};
