import { loadConfig } from '@ruyi/config';
import { keys } from '@ruyi/store';
import { createLog, renderMetrics } from '@ruyi/telemetry';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { startWorker } from '../src/worker.ts';
import { acceptBatch, LIMITS, message, names, testLanes } from './harness.ts';

const lanes = testLanes();
const config = (settings: Record<string, string> = {}) =>
  loadConfig({ REDIS_URL: lanes.redis.url, SHARDS: String(LIMITS.shards.count), LANES: '2', ...settings });
const log = createLog('worker', 'silent');

test('a worker reports what it stored and what became dead letters, by kind of lane', async () => {
  const plan = await acceptBatch(lanes.store, names(300));
  await lanes.producer.broadcast(plan);
  await lanes.producer.send(message(1));
  await lanes.queues.lane('send', 0).add('nobody handles this', {}, { jobId: 'odd.1' });
  const worker = await startWorker(config(), log);
  await lanes.settled();
  const rendered = async () => renderMetrics([...(await lanes.store.reports.all()).values()]);
  const wanted = [
    /^ruyi_stored_total\{kind="fanout",process="worker-\w+"\} 300$/m,
    /^ruyi_stored_total\{kind="send",process="worker-\w+"\} 1$/m,
    /^ruyi_set_aside_total\{kind="send",process="worker-\w+"\} 1$/m,
  ];
  const reported = async () => {
    const text = await rendered();
    return wanted.every((line) => line.test(text));
  };
  await waitFor(reported, { what: 'the counts to be reported', deadlineMs: 30_000 });
  await worker.close();
});

test('a worker that ends leaves the list of those that live at once, so its lanes go to others', async () => {
  const worker = await startWorker(config(), log);
  const living = () => lanes.client.zrange(keys.workers, '0', '-1');
  await waitFor(async () => (await living()).includes(worker.name), { what: 'the worker to join' });
  await worker.close();
  expect(await living()).toEqual([]);
});
