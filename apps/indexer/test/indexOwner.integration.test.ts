import { loadConfig } from '@ruyi/config';
import { InstallationError, keys } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startIndexer } from '../src/indexer.ts';
import { testStores } from './harness.ts';

const redis = testStores();
let folders: TempDir[];
let running: { close(): Promise<void> }[];
beforeEach(() => {
  folders = [tempDir('index'), tempDir('index')];
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.close()));
  for (const folder of folders) folder.remove();
});

const fail = () => {
  throw new Error('nobody takes it');
};
async function start(folder: number, onTaken: () => void = fail) {
  const settings = { REDIS_URL: redis.redis.url, DATA_DIR: folders[folder]?.path ?? '', SHARDS: '8', LANES: '2' };
  const indexer = await startIndexer(loadConfig(settings), createLog('indexer', 'silent'), onTaken);
  running.push(indexer);
  return indexer;
}
const indexId = () => redis.redis.client.hget(keys.meta, 'index-id');

test.each([
  ['another folder', 1],
  ['the same folder', 0],
])('a second indexer with %s is refused, naming the owner; once that ends it owns the index', async (_, folder) => {
  const first = await start(0);
  const owner = JSON.parse((await redis.redis.client.get(keys.indexOwner)) ?? '');
  const refusal = await start(folder).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(InstallationError);
  expect(String(refusal)).toContain(`belongs to ${owner.name} on ${owner.host}`);
  const id = await indexId();
  await first.close();
  running.splice(0);
  await start(folder);
  expect((await indexId()) === id).toBe(folder === 0);
});

test('an indexer takes over from one that was killed', async () => {
  const killed = { name: 'indexer-dead', host: 'box', directory: '/gone' };
  await redis.redis.client.set(keys.indexOwner, JSON.stringify(killed), 'PX', 4000);
  await start(0);
  expect(await redis.redis.client.get(keys.indexOwner)).not.toContain('indexer-dead');
});

test('an indexer that was silent for so long that another one took the index is told, and takes nothing back', async () => {
  let taken = 0;
  await start(0, () => taken++);
  const other = { name: 'indexer-other', host: 'box', directory: '/other' };
  await redis.redis.client.set(keys.indexOwner, JSON.stringify(other));
  await waitFor(() => taken > 0, { what: 'the loss to be noticed' });
  expect(JSON.parse((await redis.redis.client.get(keys.indexOwner)) ?? '')).toEqual(other);
  expect(taken).toBe(1);
});
