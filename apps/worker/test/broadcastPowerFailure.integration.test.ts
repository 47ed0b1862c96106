import { addCoordinator, LaneWorkers, openCoordinators, openDeadLetters, openQueues } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { type BroadcastAction, createStore, type Store } from '@ruyi/store';
import { intercepted, losePower, type Memory, memoryOf, type Random, seededRandom, waitFor } from '@ruyi/testkit';
import { afterEach, expect, test } from 'vitest';
import { coordinate } from '../src/broadcasts/coordinate.ts';
import { handleLaneJob } from '../src/jobs/handleLaneJob.ts';
import { changed, coordinatorContext, createBroadcast, logKey, uploadPart } from './broadcasting.ts';
import { LANES, LIMITS, names, testLanes } from './harness.ts';

const lanes = testLanes();
const CASES = 16;
const MOST_FORGOTTEN = 40;
const PARTS = 3;

const silent = { info() {}, warn() {} };
const working: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of working.splice(0).reverse()) await one.close();
});

/** The store, with `before` called ahead of each call of a part of it that broadcasts need, and `after` behind it. */
function watched(store: Store, before: () => Promise<void>, after: () => Promise<void>): Store {
  const watch = <T extends object>(part: T): T =>
    intercepted(
      part,
      (method) => !/^(listKeys|failures|all)$/.test(method),
      async (call) => {
        await before();
        const result = await call();
        await after();
        return result;
      },
    );
  const { broadcasts, broadcastList, recipientLists, bodies, progress } = store;
  return {
    ...store,
    broadcasts: watch(broadcasts),
    broadcastList: watch(broadcastList),
    recipientLists: watch(recipientLists),
    bodies: watch(bodies),
    progress: watch(progress),
  };
}

/** Works lanes and broadcasts in this process, as a worker does. */
function work(watch: (store: Store) => Store) {
  const [redis, jobs, ofQueues] = ['one', 'one-jobs', 'one-queues'].map((name) => {
    const connection = connect(lanes.redis.url, 'worker', name);
    connection.on('error', () => {});
    working.push({ close: async () => connection.disconnect() });
    return connection;
  });
  if (!redis || !jobs || !ofQueues) return expect.fail('three connections');
  const store = watch(createStore(redis, LIMITS));
  const queues = openQueues(ofQueues, LANES);
  const context = coordinatorContext(store, queues);
  const coordinators = openCoordinators({
    name: 'one',
    queues,
    store,
    coordinate: (job, signal) => coordinate(context, job, signal),
    percentOf: async () => 0,
    log: silent,
  });
  const workers = new LaneWorkers({
    name: 'one',
    connection: jobs,
    store,
    queues,
    log: silent,
    onOutdated: (error) => {
      throw error;
    },
    handler: (_kind, _lane, lane) => {
      const counted = { stored() {}, deadLetter() {} };
      const ofLane = { lane, store, queues, appender: store.appender(lane), counted, log: silent };
      return (run, job) => handleLaneJob({ ...ofLane, indexing: () => true, wake() {} }, run, job);
    },
  });
  workers.start();
  working.push(queues, coordinators, openDeadLetters(jobs), { close: () => workers.close(5000) });
}

/** Calls are counted from here on: what Redis knows at `kept` it is taken back to after `lost`; at `cancel` it is cancelled. */
interface Trouble {
  kept: number;
  lost: number;
  cancel: number;
}

const CALM: Trouble = { kept: 0, lost: 0, cancel: 0 };

function troubleOf(random: Random, calls: number): Trouble {
  const kept = random.whole(1, calls);
  const cancel = random.next() < 0.3 ? random.whole(1, calls) : 0;
  return { kept, lost: kept + random.whole(1, MOST_FORGOTTEN), cancel };
}

test('whatever Redis forgets of a broadcast that was started, everybody is served once, or counted as cancelled', async () => {
  const random = seededRandom();
  const { redis, queues, client } = lanes;
  const { broadcasts, progress } = lanes.store;
  let calls = 0;
  let trouble = CALM;
  let memory: Memory | undefined;
  let no = '';
  const called = async () => {
    calls++;
    if (calls === trouble.kept) memory = await memoryOf(redis.client);
    if (calls === trouble.cancel) await broadcasts.change(no, 'cancel');
  };
  const answered = async () => {
    if (calls < trouble.lost || !memory) return;
    const before = memory;
    memory = undefined;
    await losePower(redis.client, before);
  };
  work((store) => watched(store, called, answered));

  /** Does it, and resolves when the broadcast has ended. */
  const troubled = async (action: BroadcastAction, next: Trouble) => {
    calls = 0;
    trouble = next;
    const { run } = await changed(lanes, no, action);
    const ended = async () => {
      const { run: present = run, finishedAt = 0 } = (await broadcasts.read(no)) ?? {};
      // As whoever looks after all broadcasts does.
      if (finishedAt === 0) await addCoordinator(queues, { no, run: present });
      return finishedAt > 0 && (await queues.broadcasts.getJobCountByTypes('wait', 'active', 'delayed')) === 0;
    };
    await waitFor(ended, { what: `${action} of ${no} to end`, deadlineMs: 60_000, everyMs: 100 });
    memory = undefined;
    const { ref = '', cancelled = 0 } = (await broadcasts.read(no)) ?? {};
    const { stored = 0, failed = 0 } = (await progress.read(ref)) ?? {};
    return { stored, failed, cancelled };
  };

  for (let n = 0; n < CASES; n++) {
    const uids = names(random.whole(5, 15), `u${n}-`);
    const rate = random.pick([0, uids.length]);
    const broken = uids.filter(() => random.next() < 0.1);
    for (const uid of broken) await client.set(logKey(uid), 'no log');
    no = await createBroadcast(lanes, { rate });
    const size = Math.ceil(uids.length / PARTS);
    for (let part = 0; part < PARTS; part++) {
      await uploadPart(lanes, no, part, uids.slice(part * size, (part + 1) * size));
    }
    let counts = await troubled('start', troubleOf(random, rate > 0 ? 150 : 50));
    if (counts.cancelled === 0)
      expect(counts).toMatchObject({ stored: uids.length - broken.length, failed: broken.length });
    for (const uid of broken) await client.del(logKey(uid));
    // A retry may be cancelled, or forgotten; the last one is left alone.
    for (const next of [troubleOf(random, 50), CALM]) {
      if (counts.failed === 0) break;
      counts = await troubled('retry', next);
    }
    const copies = await Promise.all(uids.map((uid) => client.zcard(logKey(uid))));
    expect(Math.max(...copies)).toBeLessThanOrEqual(1);
    const { stored, cancelled, failed } = counts;
    const has = copies.filter((copy) => copy === 1).length;
    expect({ stored, failed, all: stored + cancelled }).toEqual({ stored: has, failed: 0, all: uids.length });
  }
});
