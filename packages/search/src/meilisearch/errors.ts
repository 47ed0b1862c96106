import { MeilisearchApiError, MeilisearchError } from 'meilisearch';
import { SearchUnavailableError } from '../searchEngine.ts';

/** The error for a Meilisearch that cannot be reached, or refuses for a reason other than our documents: try again later. */
export function unavailable(error: unknown): SearchUnavailableError {
  const wrapped = new SearchUnavailableError(`Meilisearch: ${textOf(error)}`, { cause: error });
  const seconds = error instanceof MeilisearchApiError ? Number(error.response.headers.get('retry-after')) : 0;
  if (seconds > 0) wrapped.retryAfterMs = seconds * 1000;
  wrapped.fix = fixOf(error);
  return wrapped;
}

function fixOf(error: unknown): string {
  const status = error instanceof MeilisearchApiError ? error.response.status : 0;
  if (status === 401 || status === 403) return 'set MEILI_API_KEY to a key with the rights of docs/configuration.md';
  if (codeOf(error) === 'index_not_found') return 'start an indexer: it makes the index and fills it from Redis';
  if (status > 0) return 'the log of Meilisearch says why';
  return 'start Meilisearch, or correct MEILI_URL; nothing is lost, what is stored meanwhile is indexed afterwards';
}

/**
 * Whether the connection, the answer or a time-out is at fault, and not this program. The client wraps whatever `fetch`
 * throws; it does not wrap the SyntaxError of an answer that is not JSON, such as a proxy's error page.
 */
export const isServerFailure = (error: unknown): boolean =>
  error instanceof MeilisearchError || error instanceof SyntaxError;

/** The code in Meilisearch's answer, such as `index_not_found`; undefined if it gave none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof MeilisearchApiError ? error.cause?.code : undefined;

/** Whether the documents are at fault, so that the same request would be refused again. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof MeilisearchApiError)) return false;
  const { status } = error.response;
  return status === 413 || (status === 400 && error.cause?.type === 'invalid_request');
}

export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  // fetch only says that it failed; the reason is one or two causes deeper.
  return cause instanceof Error ? `${error.message}: ${textOf(cause)}` : error.message;
}
