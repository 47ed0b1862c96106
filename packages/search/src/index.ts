export { accessKey } from './accessKey.ts';
export { highlight } from './analyzer/highlight.ts';
export { type Match, type Matcher, matcherOf } from './analyzer/matcher.ts';
export { type Phrase, phrasesOf, type WantedRun } from './analyzer/phrases.ts';
export { MAX_WORD, type Run, runsOf } from './analyzer/runs.ts';
export { digitGramsOf, type Token, tokensOf } from './analyzer/tokens.ts';
export { createSearchEngine, indexFolder, type SearchSettings } from './createSearchEngine.ts';
export { chunkDocument, lateRecipientDocument } from './documents/broadcastDocuments.ts';
export { readLocator } from './documents/locator.ts';
export { messageDocument } from './documents/messageDocument.ts';
export { createEmbeddedEngine, type EmbeddedOptions } from './embedded/embeddedEngine.ts';
export { ensureIndexId, readIndexId } from './embedded/indexId.ts';
export { createMeilisearchEngine, type MeilisearchOptions } from './meilisearch/meilisearchEngine.ts';
export { missingRights, serverVersion } from './meilisearch/rights.ts';
export {
  type FieldSpan,
  fieldsOf,
  type PayloadFields,
  payloadBytes,
  stringAt,
  textFields,
} from './payload/payloadFields.ts';
export { type Presentation, presentPayload } from './payload/presentPayload.ts';
export { type JsonKind, type OnMember, scanJson } from './payload/scanJson.ts';
export { type ProcessBounds, SearchProcesses, type SearchTurn } from './processes/searchProcesses.ts';
export { type WaitingBounds, WaitingSearches } from './processes/waitingSearches.ts';
export * from './searchDocument.ts';
export * from './searchEngine.ts';
export { searchProblem } from './searchProblem.ts';
export * from './searchQuery.ts';
export { createSearchReader, type SearchReader } from './searchReader.ts';
