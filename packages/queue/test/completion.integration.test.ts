import { openQueues, type Queues } from '@ruyi/queue';
import type { RedisClient } from '@ruyi/redis';
import { waitFor } from '@ruyi/testkit';
import { Job } from 'bullmq';
import { afterEach, expect, test, vi } from 'vitest';
import { openIndexWorker } from '../src/indexWorker.ts';
import { LaneWorkers } from '../src/laneWorkers.ts';
import { testLanes } from './harness.ts';

const lanes = testLanes();
const silent = { info() {}, warn() {} };
afterEach(() => {
  vi.restoreAllMocks();
});

// A Redis that was away may have forgotten what the handler wrote. The cut falls into each of the moments between the end
// of the handler and the completion, which are turns of the promise queue.
test.each(Array.from({ length: 16 }, (_, moment) => moment))(
  'no job is completed on a connection that was lost after its handler ran (moment %i)',
  async (moment) => {
    const events: string[] = [];
    const complete = Job.prototype.moveToCompleted;
    vi.spyOn(Job.prototype, 'moveToCompleted').mockImplementation(function (this: Job, ...args) {
      events.push('completion');
      return Reflect.apply(complete, this, args);
    });
    const connection = lanes.connect();
    const cutAt = async () => {
      for (let turn = 0; turn < moment; turn++) await Promise.resolve();
      events.push('lost');
      connection.emit('close');
    };
    const workers = new LaneWorkers({
      name: 'worker',
      connection,
      store: lanes.store,
      queues: lanes.queues,
      log: silent,
      onOutdated: (error) => {
        throw error;
      },
      handler: () => async () => {
        events.push('handled');
        if (!events.includes('lost')) void cutAt();
      },
    });
    await lanes.queues.lane('send', 0).add('any', {}, { jobId: 'a.1' });
    workers.start();
    await lanes.settled();
    await workers.close(2000);
    expect(events.filter((event) => event === 'lost')).toHaveLength(1);
    const before = events.slice(0, events.indexOf('completion'));
    // Handled, and handled once more if the loss came before the completion began.
    expect(before.at(-1)).toBe('handled');
  },
);

test.each(Array.from({ length: 16 }, (_, moment) => moment))('no index job either (moment %i)', async (moment) => {
  const events: string[] = [];
  const complete = Job.prototype.moveToCompleted;
  vi.spyOn(Job.prototype, 'moveToCompleted').mockImplementation(function (this: Job, ...args) {
    events.push('completion');
    return Reflect.apply(complete, this, args);
  });
  const lose = async () => {
    for (let turn = 0; turn < moment; turn++) await Promise.resolve();
    events.push('lost');
  };
  const worker = openIndexWorker({
    queues: lanes.queues,
    handle: async () => {
      events.push('handled');
      if (!events.includes('lost')) void lose();
    },
    drain: async () => {},
    store: { connectionLosses: () => (events.includes('lost') ? 1 : 0) },
    signal: new AbortController().signal,
    log: silent,
  });
  await lanes.queues.index.add('index', { logs: [{ ch: '2:room', seqs: [1] }] }, { jobId: 'i-a.1' });
  await waitFor(() => events.includes('completion'), { what: 'the job to be completed' });
  await worker.close();
  expect(events.slice(0, events.indexOf('completion')).at(-1)).toBe('handled');
});

test.each(['lane', 'index'] as const)(
  'no %s job is completed by a command that waits for a connection',
  async (kind) => {
    const statuses: string[] = [];
    const complete = Job.prototype.moveToCompleted;
    const connection = lanes.connect();
    vi.spyOn(Job.prototype, 'moveToCompleted').mockImplementation(function (this: Job, ...args) {
      statuses.push(connection.status);
      return Reflect.apply(complete, this, args);
    });
    let runs = 0;
    // What the handler does needs another connection, which is not lost.
    const handle = async () => {
      if (++runs > 1) return;
      const closed = new Promise((resolve) => connection.once('close', resolve));
      connection.disconnect(true);
      await closed;
    };
    const queues = openQueues(connection, lanes.queues.lanes);
    const close = kind === 'lane' ? workLanes(connection, handle) : workIndex(queues, handle);
    const queue = kind === 'lane' ? lanes.queues.lane('send', 0) : lanes.queues.index;
    await queue.add('index', { logs: [{ ch: '2:room', seqs: [1] }] }, { jobId: 'i-a.1' });
    await waitFor(async () => (await queue.getCompletedCount()) === 1, { what: 'the job to be completed' });
    await close();
    await queues.close();
    expect(statuses).toEqual(['ready']);
    expect(runs).toBe(2);
  },
);

function workLanes(connection: RedisClient, handle: () => Promise<void>): () => Promise<void> {
  const onOutdated = (error: Error) => {
    throw error;
  };
  const { store, queues } = lanes;
  const handler = () => handle;
  const workers = new LaneWorkers({ name: 'worker', connection, store, queues, log: silent, onOutdated, handler });
  workers.start();
  return () => workers.close(2000);
}

function workIndex(queues: Queues, handle: () => Promise<void>): () => Promise<void> {
  const store = { connectionLosses: () => 0 };
  const worker = openIndexWorker({
    queues,
    handle,
    drain: async () => {},
    store,
    signal: new AbortController().signal,
    log: silent,
  });
  return () => worker.close();
}
