import { channelName } from '@ruyi/contracts';
import { BROADCAST, SEND } from '@ruyi/queue';
import { createStore, keys, type Shard, type Store, shardOf } from '@ruyi/store';
import { type Around, intercepted } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { handleLaneJob } from '../src/jobs/handleLaneJob.ts';
import type { LaneContext } from '../src/jobs/laneContext.ts';
import { acceptBatch, LIMITS, message, names, testLanes, waitingReferences } from './harness.ts';

const lanes = testLanes();
const ROOMS = Array.from({ length: 5 }, (_, i) => `2:room${i}`);
const ITEMS = Array.from({ length: 150 }, (_, i) => message(i + 1, { ch: ROOMS[i % 5] ?? '' }));

/** A store whose commands `around` sees, but those that only read. */
const storeOf = (around: Around): Store =>
  createStore(
    intercepted(
      lanes.connect(),
      (command) => /^(append|push|note|mark|take|open|write|set|zscore)/.test(command),
      around,
    ),
    LIMITS,
  );

/** Runs a job as a worker does. @returns the shards for which it woke the indexer */
async function work(
  store: Store,
  lane: string,
  job: { id: string; name: string; data: unknown },
  { signal = new AbortController().signal, indexing = (): boolean => true } = {},
): Promise<Shard[]> {
  const woken: Shard[] = [];
  const context: LaneContext = {
    lane,
    store,
    queues: lanes.queues,
    appender: store.appender(lane, () => !indexing()),
    indexing,
    wake: (shards) => woken.push(...shards.keys()),
    counted: { stored() {}, deadLetter() {} },
    log: { warn() {} },
  };
  const run = { jobId: job.id, extendLock: async () => true, signal, careful: false };
  await handleLaneJob(context, run, job);
  return woken;
}

const sendJob = (id = 'job.150') => ({ id, name: SEND.name, data: { items: ITEMS } });

/** What waits, without repeats: `<channel> <seq>` of messages, `<ref>-<chunk>` of chunks, `mark`. */
async function waiting(): Promise<string[]> {
  const references = await waitingReferences(lanes.store);
  const all = references.flatMap((one) => {
    if (one.kind === 'message') return [`${one.channel} ${one.seq}`];
    return one.kind === 'chunks' ? one.chunks.map(({ chunk }) => `${one.ref}-${chunk}`) : [one.kind];
  });
  return [...new Set(all)].sort();
}

const everyMessage = ROOMS.flatMap((ch) => Array.from({ length: 30 }, (_, i) => `${ch} ${i + 1}`)).sort();

/** The process dies at its k-th call: before Redis gets it, or after Redis applied it. */
function dyingAt(k: number, when: 'before' | 'after') {
  const death = new AbortController();
  let calls = 0;
  const around: Around = async (call) => {
    death.signal.throwIfAborted();
    if (++calls < k) return call();
    if (when === 'after') await call();
    death.abort();
    throw new Error('died');
  };
  return { around, signal: death.signal };
}

/** Tries all deaths of a job; after each one a second run ends it. */
async function atEveryCall(
  begin: () => Promise<() => Promise<void>>,
  job: () => { lane: string; id: string; name: string; data: unknown },
) {
  let calls = 0;
  await begin();
  const counting = storeOf((call) => {
    calls++;
    return call();
  });
  await work(counting, job().lane, job());
  expect(calls).toBeGreaterThan(2);
  for (let k = 1; k <= calls; k++) {
    for (const when of ['before', 'after'] as const) {
      await lanes.client.flushall();
      const check = await begin();
      const { around, signal } = dyingAt(k, when);
      await expect(work(storeOf(around), job().lane, job(), { signal }), `call ${k}`).rejects.toThrow();
      await work(lanes.store, job().lane, job());
      await check();
    }
  }
}

describe('whatever is stored waits to be indexed, wherever the worker dies', () => {
  test('messages, also before a second run', async () => {
    const begin = async () => async () => expect(await waiting()).toEqual(everyMessage);
    await atEveryCall(begin, () => ({ lane: 'send.0', ...sendJob() }));

    for (const when of ['before', 'after'] as const) {
      await lanes.client.flushall();
      const { around, signal } = dyingAt(3, when);
      await expect(work(storeOf(around), 'send.0', sendJob(), { signal })).rejects.toThrow();
      const logs = await Promise.all(ROOMS.map((ch) => lanes.client.zcard(keys.log(shardOf(ch, LIMITS.shards), ch))));
      const stored = logs.reduce((sum, count) => sum + count, 0);
      expect(stored).toBeGreaterThan(0);
      expect(await waiting()).toHaveLength(stored);
    }
  });

  test('chunks of a broadcast, also if some recipients could not be served', async () => {
    const broken = channelName(1, 'u3', 'ann');
    let plan = await acceptBatch(lanes.store, names(60), { from: 'ann' });
    const begin = async () => {
      await lanes.client.set(keys.log(shardOf(broken, LIMITS.shards), broken), 'no log');
      plan = await acceptBatch(lanes.store, names(60), { from: 'ann' });
      return async () => expect(await waiting()).toContain(`${plan.ref}-${plan.jobs[0]?.data.chunks[0]?.chunk}`);
    };
    await atEveryCall(begin, () => {
      const [job] = plan.jobs;
      return { lane: `fanout.${job?.lane}`, id: job?.id ?? '', name: BROADCAST.name, data: job?.data };
    });
  });

  test('what an earlier version stored, whose worker died before it queued an index job', async () => {
    await lanes.store
      .appender('send.0')
      .appendMessages(
        { jobId: 'job.150', extendLock: async () => true, signal: new AbortController().signal, careful: false },
        ITEMS,
      );
    for (const shard of LIMITS.shards.tags) await lanes.client.del(keys.outbox(shard));
    await work(lanes.store, 'send.0', sendJob());
    expect(await waiting()).toEqual(everyMessage);
  });
});

describe('the indexer is woken', () => {
  test('for each outbox that was empty', async () => {
    const shards = new Set(ROOMS.map((ch) => shardOf(ch, LIMITS.shards)));
    expect((await work(lanes.store, 'send.0', sendJob('a.150'))).sort()).toEqual([...shards].sort());
    expect(await work(lanes.store, 'send.0', sendJob('b.150'))).toEqual([]);
  });

  test('by a worker process, once per group', async () => {
    await lanes.work();
    for (const item of ITEMS) await lanes.producer.send(item);
    await lanes.settled();
    await lanes.rest();
    const groups = (await lanes.queues.index.getWaiting()).map(({ data }) => data.group);
    expect(new Set(groups).size).toBe(groups.length);
    expect(new Set(groups)).toEqual(new Set(ROOMS.map((ch) => LIMITS.shards.tags.indexOf(shardOf(ch, LIMITS.shards)))));
  });
});

describe('while too much waits', () => {
  const full = { indexing: () => false };

  test('nothing more does: a rebuild is requested, and no mark is left', async () => {
    await work(lanes.store, 'send.0', sendJob('before.150'));
    await work(lanes.store, 'send.0', sendJob(), full);
    const plan = await acceptBatch(lanes.store, names(30), { from: 'ann' });
    for (const { lane, id, data } of plan.jobs) {
      await work(lanes.store, `fanout.${lane}`, { id, name: BROADCAST.name, data }, full);
    }
    expect((await lanes.store.rebuilds.requested())?.reason).toBe('too much waited to be indexed');
    expect(await waiting()).toEqual(everyMessage);
    expect(await lanes.store.progress.read(plan.ref)).toMatchObject({ stored: 30 });
  });

  test('a worker that dies before it has requested the rebuild leaves a mark', async () => {
    let requests = 0;
    const dying = storeOf((call, command) => {
      if (command !== 'set') return call();
      requests++;
      throw new Error('died');
    });
    await expect(work(dying, 'send.0', sendJob(), full)).rejects.toThrow('died');
    expect(requests).toBe(1);
    expect(await lanes.store.rebuilds.requested()).toBeUndefined();
    expect(await waiting()).toEqual(['mark']);
    expect(await lanes.store.outboxes.waitingShards()).toHaveLength(
      new Set(ROOMS.map((ch) => shardOf(ch, LIMITS.shards))).size,
    );
  });
});
