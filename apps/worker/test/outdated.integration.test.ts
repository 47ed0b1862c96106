import { loadConfig } from '@ruyi/config';
import { keys, SCHEMA } from '@ruyi/store';
import { createLog } from '@ruyi/telemetry';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { startWorker } from '../src/worker.ts';
import { acceptBatch, jobsOnLanes, LIMITS, logOf, message, names, testLanes } from './harness.ts';

const lanes = testLanes();
const settings = () => loadConfig({ REDIS_URL: lanes.redis.url, SHARDS: String(LIMITS.shards.count), LANES: '2' });

test('a worker writes nothing into data of a newer schema, and ends; a newer one finds its jobs', async () => {
  for (const shard of LIMITS.shards.tags) await lanes.client.set(keys.schema(shard), SCHEMA + 1);
  await lanes.producer.send(message(1));
  await lanes.producer.broadcast(await acceptBatch(lanes.store, names(100)));
  const told: string[] = [];
  const outdated = await startWorker(settings(), createLog('worker', 'silent'), ({ message }) => told.push(message));
  await waitFor(() => told.length > 0, { what: 'the worker to notice' });
  expect(told[0]).toContain(`schema ${SCHEMA + 1}, the caller knows ${SCHEMA}`);
  await outdated.close();
  expect(await lanes.client.keys('r:*:log:*')).toEqual([]);
  expect(await jobsOnLanes(lanes.queues)).toBeGreaterThan(1);
  expect(await lanes.letters()).toEqual([]);

  for (const shard of LIMITS.shards.tags) await lanes.client.set(keys.schema(shard), SCHEMA);
  await lanes.work();
  await lanes.settled();
  expect((await logOf(lanes.client, '2:room')).ids).toEqual([1]);
  expect(await lanes.client.keys('r:*:log:1:*')).toHaveLength(100);
});
