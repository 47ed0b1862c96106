export { accessKey } from './accessKey.ts';
export { highlight } from './analyzer/highlight.ts';
export { MAX_WORD, type Run, runsOf } from './analyzer/runs.ts';
export { type Term, type Token, termsOf, tokensOf } from './analyzer/tokens.ts';
export { type PayloadFields, textFields } from './document.ts';
export { createEmbeddedEngine, type EmbeddedOptions } from './embedded/engine.ts';
export { createMeilisearchEngine, type MeilisearchOptions } from './meilisearch/engine.ts';
export * from './port.ts';
export { createSearchEngine, type SearchSettings } from './searchEngine.ts';
