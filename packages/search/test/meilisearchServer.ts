import { randomUUID } from 'node:crypto';
import { Meilisearch } from 'meilisearch';
import { servingIndex } from '../src/meilisearch/meilisearchEngine.ts';

interface Server {
  url: string;
  apiKey: string;
}

const { MEILI_URL = '', MEILI_API_KEY = '' } = process.env;

/** The Meilisearch that tests may use; undefined if there is none. */
export const server: Server | undefined = MEILI_URL === '' ? undefined : { url: MEILI_URL, apiKey: MEILI_API_KEY };

/** Tests share the server with others, so each has its own index. */
export const newIndexName = (): string => `test-${randomUUID()}`;

export async function removeIndex({ url, apiKey, indexName }: Server & { indexName: string }): Promise<void> {
  const client = new Meilisearch({ host: url, ...(apiKey === '' ? {} : { apiKey }) });
  await client.deleteIndex(servingIndex(indexName)).waitTask({ timeout: 60_000 });
}
