import type { SearchEngine } from '../port.ts';

export interface MeilisearchOptions {
  url: string;
  apiKey: string;
  indexName?: string;
}

export function createMeilisearchEngine(_options: MeilisearchOptions): SearchEngine {
  throw new Error('being written');
}
