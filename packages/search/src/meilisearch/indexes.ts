import type { Meilisearch, Settings } from 'meilisearch';
import { SEARCHED } from './documents.ts';
import { codeOf, unavailable } from './errors.ts';

const EQUAL = { facetSearch: false, filter: { equality: true, comparison: false } };
const COMPARED = { facetSearch: false, filter: { equality: true, comparison: true } };

const SETTINGS: Settings = {
  searchableAttributes: SEARCHED,
  displayedAttributes: ['*'],
  filterableAttributes: [
    {
      attributePatterns: ['audience', 'from', 'channel', 'channelId', 'channelType', 'topic', 'payloadType'],
      features: EQUAL,
    },
    { attributePatterns: ['timestamp', 'expiresAt'], features: COMPARED },
  ],
  sortableAttributes: ['timestamp', 'order'],
  // With `sort` in the query the newest come first; without it, the most relevant, then the newest (rule 8).
  rankingRules: ['sort', 'words', 'proximity', 'timestamp:desc', 'order:desc'],
  typoTolerance: { enabled: false },
  facetSearch: false,
  // Queries contain whole tokens only, see encoding.ts.
  prefixSearch: 'disabled',
  // A total above it would be cut off.
  pagination: { maxTotalHits: 1_000_000_000 },
};

/** Long, because the server may be busy with documents of other indexers. */
const SETTLE_MS = 60_000;

/** Creates the index if it is missing, and sets it up. Several processes may do so at once. @returns whether it is new */
export async function setUpIndex(client: Meilisearch, name: string): Promise<boolean> {
  const wait = { timeout: SETTLE_MS };
  let created = false;
  if (!(await exists(client, name))) {
    const task = await client.createIndex(name, { primaryKey: 'id' }).waitTask(wait);
    created = task.status === 'succeeded';
    if (!created && task.error?.code !== 'index_already_exists') throw unavailable(task.error?.message);
  }
  const task = await client.index(name).updateSettings(SETTINGS).waitTask(wait);
  if (task.status !== 'succeeded') throw unavailable(`the settings were not taken: ${task.error?.message}`);
  return created;
}

export async function dropIndex(client: Meilisearch, name: string): Promise<void> {
  if (!(await exists(client, name))) return;
  const task = await client.deleteIndex(name).waitTask({ timeout: SETTLE_MS });
  if (task.status !== 'succeeded') throw unavailable(`${name} was not deleted: ${task.error?.message}`);
}

/** Exchanges two indexes atomically. */
export async function swapIndexes(client: Meilisearch, a: string, b: string): Promise<void> {
  const task = await client.swapIndexes([{ indexes: [a, b], rename: false }]).waitTask({ timeout: SETTLE_MS });
  if (task.status !== 'succeeded') throw unavailable(`${a} and ${b} were not swapped: ${task.error?.message}`);
}

export async function exists(client: Meilisearch, name: string): Promise<boolean> {
  try {
    await client.getRawIndex(name);
    return true;
  } catch (error) {
    if (codeOf(error) === 'index_not_found') return false;
    throw error;
  }
}
