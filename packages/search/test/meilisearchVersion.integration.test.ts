import { createMeilisearchEngine } from '@ruyi/search';
import { Meilisearch } from 'meilisearch';
import { describe, expect, test } from 'vitest';
import { servingIndex } from '../src/meilisearch/meilisearchEngine.ts';
import { personal, queryOf, user } from './contract/documents.ts';
import { newIndexName, removeIndex, server } from './meilisearchServer.ts';

const wait = { timeout: 60_000 };

if (!server) console.log('skipped: an earlier version of an index in Meilisearch; set MEILI_URL');

describe.skipIf(!server)('an index of an earlier version in Meilisearch', () => {
  test('is kept until the new one, which starts empty, is filled; then it is deleted', async () => {
    if (!server) return;
    const options = { ...server, indexName: newIndexName() };
    const client = new Meilisearch({ host: server.url, ...(server.apiKey === '' ? {} : { apiKey: server.apiKey }) });
    const names = async () => {
      const { results } = await client.getIndexes({ limit: 1000 });
      return results.map(({ uid }) => uid).filter((uid) => uid.startsWith(options.indexName));
    };
    for (const uid of [options.indexName, `${options.indexName}_next`]) {
      await client.createIndex(uid, { primaryKey: 'id' }).waitTask(wait);
    }
    const writer = createMeilisearchEngine({ ...options, role: 'writer' });
    // Because of "created" the indexer fills it from Redis.
    expect(await writer.prepare()).toEqual({ created: true });
    expect(await writer.prepare()).toEqual({ created: false });
    expect(await names()).toHaveLength(3);
    const fresh = await writer.begin(false);
    await fresh.index([personal('m1', 'ann', 'bob', '消息')]);
    await fresh.swap();
    expect(await names()).toEqual([servingIndex(options.indexName)]);
    const query = queryOf({ audience: [user('ann')], text: { content: '消息' } });
    expect((await writer.search(query)).total).toBe(1);
    await writer.close();
    await removeIndex(options);
  });
});
