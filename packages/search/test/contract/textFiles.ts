import { readFileSync } from 'node:fs';

/** One line of search-text.jsonl: a text, a query value, and whether the text is found. */
export interface RuleCase {
  /** of the contract's text rules */
  rule: number;
  text: string;
  query: string;
  found: boolean;
}

/** One line of search-order.jsonl: of these texts this one comes first. */
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
