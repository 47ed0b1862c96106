import { BROADCAST } from '@ruyi/queue';
import { FencedError, keys } from '@ruyi/store';
import { expect, test } from 'vitest';
import { handleLaneJob } from '../src/jobs/handleLaneJob.ts';
import { acceptBatch, names, testLanes } from './harness.ts';

const lanes = testLanes();

// Its worker has read the job before the loss of power, so it goes on with it. A repeat of the request queues it again.
test('a job that Redis has forgotten, with the body of its batch, notes nothing as stored', async () => {
  const { store, queues } = lanes;
  const plan = await acceptBatch(store, names(5));
  const body = keys.body(plan.ref);
  await lanes.client.rename(body, 'body');
  const context = {
    lane: 'fanout.0',
    store,
    queues,
    appender: store.appender('fanout.0'),
    indexing: () => true,
    wake() {},
    counted: { stored() {}, deadLetter() {} },
    log: { warn() {} },
  };
  const lostLock = async () => false;
  for (const { id, data } of plan.jobs) {
    const run = { jobId: id, extendLock: lostLock, signal: new AbortController().signal, careful: false };
    await expect(handleLaneJob(context, run, { name: BROADCAST.name, data })).rejects.toThrow(FencedError);
  }
  expect((await store.progress.read(plan.ref))?.state).toBe('queued');

  await lanes.client.rename('body', body);
  await lanes.producer.broadcast(plan);
  await lanes.work();
  await lanes.settled();
  expect(await store.progress.read(plan.ref)).toMatchObject({ state: 'done', stored: 5 });
  expect(await lanes.client.keys('r:*:log:*')).toHaveLength(5);
});
