import { readFileSync } from 'node:fs';

/** One line of search-text.jsonl: a text, a query value, and whether the text is found. */
export interface RuleCase {
  /** the number of the contract's text rule */
  rule: number;
  text: string;
  query: string;
  found: boolean;
}

/** One line of search-order.jsonl: which of these texts comes first. */
export interface OrderCase {
  rule: number;
  texts: string[];
  query: string;
  first: string;
}

export const ruleCases: RuleCase[] = linesOf('search-text.jsonl').map((line) => JSON.parse(line));
export const orderCases: OrderCase[] = linesOf('search-order.jsonl').map((line) => JSON.parse(line));

function linesOf(name: string): string[] {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
    .trim()
    .split('\n');
}
