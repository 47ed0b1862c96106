import type { SearchDocument } from '@ruyi/search';
import { personal, user } from './documents.ts';
import { fieldCases, fieldDocuments } from './fieldCases.ts';
import { filterCases, filterDocuments, pairCases, type SearchCase } from './filterCases.ts';
import { type TextCase, textCases } from './textCases.ts';

const shown = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Each text belongs to a user of its own, to see whether it is found, and to one who may see all. */
const everyText = Object.entries(textCases).flatMap(([table, rows]) =>
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

/** The documents that all cases are about, indexed once. */
export const caseDocuments: SearchDocument[] = [
  ...filterDocuments,
  ...fieldDocuments,
  ...everyText.map(({ document }) => document),
];

/** All cases, by what they are about. */
export const cases: Record<string, SearchCase[]> = {
  'a filter': filterCases,
  'two filters at once': pairCases,
  'a text and a query': rowCases,
  'a query over all texts': acrossCases,
  'fields of the payload': fieldCases,
};
