import { channelName } from '@ruyi/contracts';
import { FencedError, type JobRun, type Store } from '@ruyi/store';
import { type Around, waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { inboxOf, jobRun, logOf, message, names, picture, recipients, testStores } from './harness.ts';

const redis = testStores();
const TS = 1_700_000_000;
const LANE = 'send.0';

type Job = (store: Store, lane: ReturnType<Store['appender']>, run: JobRun) => Promise<unknown>;

/** One job of each kind, large enough for several calls in each of several shards. */
const JOBS: [string, Job][] = [
  [
    'messages to logs',
    async (_, lane, run) => {
      const items = Array.from({ length: 330 }, (_, i) => message(i + 1, { ch: `2:room${i % 5}`, ts: TS }));
      return (await lane.appendMessages(run, items)).map(({ seq, failure }) => [seq, failure]);
    },
  ],
  [
    'personal commands',
    async (_, lane, run) => {
      const ch = (i: number) => channelName(1, `u${i % 9}`, 'ann');
      const items = Array.from({ length: 150 }, (_, i) => message(i + 1, { ch: ch(i), cmd: 1, ts: TS }));
      return (await lane.appendMessages(run, items)).map(({ seq, failure }) => [seq, failure]);
    },
  ],
  [
    'a batch into logs',
    (_, lane, run) =>
      lane.appendReferences(run, { ref: 'abc', from: 'ann', command: false }, recipients(names(400), 'ann', false)),
  ],
  [
    'a batch into inboxes',
    (_, lane, run) =>
      lane.appendReferences(run, { ref: 'abc', from: 'ann', command: true }, recipients(names(400), 'ann', true)),
  ],
];

/** The process dies at its k-th call: before Redis gets it, or after Redis applied it. */
function dyingAt(k: number, when: 'before' | 'after'): { around: Around; run: JobRun } {
  const death = new AbortController();
  let calls = 0;
  const around: Around = async (send) => {
    death.signal.throwIfAborted();
    if (++calls < k) return send();
    if (when === 'after') await send();
    death.abort();
    throw new Error('died');
  };
  return { around, run: jobRun('job', { signal: death.signal }) };
}

describe.each(JOBS)('%s', (_, job) => {
  test('are stored exactly once wherever the first run dies, with the same answer', async () => {
    let calls = 0;
    const whole = redis.open({}, (send) => {
      calls++;
      return send();
    });
    const answer = await job(whole, whole.appender(LANE), jobRun('job'));
    const expected = await picture(redis.client);
    expect(calls).toBeGreaterThan(4);

    for (let k = 1; k <= calls; k++) {
      for (const when of ['before', 'after'] as const) {
        await redis.client.flushall();
        const { around, run } = dyingAt(k, when);
        const first = redis.open({}, around);
        await expect(job(first, first.appender(LANE), run)).rejects.toThrow();
        const second = redis.open();
        expect(await job(second, second.appender(LANE), jobRun('job'))).toEqual(answer);
        expect(await picture(redis.client), `died ${when} call ${k}`).toEqual(expected);
      }
    }
  });

  test('a complete second run changes nothing and answers the same', async () => {
    const store = redis.open();
    const answer = await job(store, store.appender(LANE), jobRun('job'));
    const before = await picture(redis.client);
    expect(await job(store, store.appender(LANE), jobRun('job'))).toEqual(answer);
    expect(await picture(redis.client)).toEqual(before);
  });

  test('a second run in the same process, whose lock was lost meanwhile, changes nothing', async () => {
    const store = redis.open();
    const lane = store.appender(LANE);
    const answer = await job(store, lane, jobRun('job'));
    const before = await picture(redis.client);
    expect(await job(store, lane, jobRun('job'))).toEqual(answer);
    expect(await picture(redis.client)).toEqual(before);
  });

  test('a call whose answer is lost is not applied a second time', async () => {
    const plain = redis.open();
    const answer = await job(plain, plain.appender(LANE), jobRun('job'));
    const expected = await picture(redis.client);
    await redis.client.flushall();
    let calls = 0;
    const store = redis.open({}, async (send) => {
      const reply = await send();
      if (++calls % 2 === 1) throw new Error('Connection is closed.');
      return reply;
    });
    expect(await job(store, store.appender(LANE), jobRun('job'))).toEqual(answer);
    expect(await picture(redis.client)).toEqual(expected);
  });

  test('one item a call from the fifth start on, with the same result', async () => {
    const plain = redis.open();
    const answer = await job(plain, plain.appender(LANE), jobRun('job'));
    const expected = await picture(redis.client);
    await redis.client.flushall();
    let largest = 0;
    const store = redis.open({}, async (send, _, args) => {
      largest = Math.max(largest, Number(args[0]));
      return send();
    });
    expect(await job(store, store.appender(LANE), jobRun('job', { careful: true }))).toEqual(answer);
    // The head, the schema, the outbox, and at most three keys of one item.
    expect(largest).toBeLessThanOrEqual(6);
    expect(await picture(redis.client)).toEqual(expected);
  });

  test('a worker that was frozen and lost its lock writes nothing, many calls later', async () => {
    let frozen: () => void = () => {};
    const isFrozen = new Promise<void>((resolve) => {
      frozen = resolve;
    });
    let wake: () => void = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let calls = 0;
    const zombie = redis.open({}, async (send) => {
      if (++calls === 3) frozen();
      if (calls >= 3) await awake;
      return send();
    });
    let locks = 0;
    const lost = jobRun('job', {
      extendLock: async () => {
        locks++;
        return false;
      },
    });
    const lane = zombie.appender(LANE);
    // The lane's shards are known to it, as to any worker that has worked for a while.
    const woken = job(zombie, lane, lost);
    const failed = expect(woken).rejects.toBeInstanceOf(FencedError);
    await isFrozen;

    const store = redis.open({ logRetention: 3, inboxMax: 3 });
    const other = store.appender(LANE);
    await job(store, other, jobRun('job'));
    for (let i = 0; i < 1100; i++) {
      await other.appendMessages(jobRun(`later-${i}`), [message(10_000 + i, { ch: `2:room${i % 5}`, ts: TS })]);
    }
    await store.trimmer.flush();
    const before = await picture(redis.client);
    wake();
    await failed;
    expect(locks).toBeGreaterThan(0);
    expect(await picture(redis.client)).toEqual(before);
  });
});

test('a worker that finds another head goes on where its lock is good', async () => {
  const one = redis.open();
  const other = redis.open();
  const lane = one.appender(LANE);
  await lane.appendMessages(jobRun('a'), [message(1)]);
  await other.appender(LANE).appendMessages(jobRun('b'), [message(2)]);
  let locks = 0;
  const extendLock = async () => ++locks > 0;
  const [stored] = await lane.appendMessages(jobRun('c', { extendLock }), [message(3)]);
  expect(stored?.seq).toBe(3);
  expect(locks).toBe(1);
  await lane.appendMessages(jobRun('d', { extendLock }), [message(4)]);
  expect(locks).toBe(1);
});

test('a fenced worker that is given a job again asks for its lock and goes on', async () => {
  const lane = redis.open().appender(LANE);
  await redis
    .open()
    .appender(LANE)
    .appendMessages(jobRun('a'), [message(1)]);
  const lost = jobRun('b', { extendLock: async () => false });
  await expect(lane.appendMessages(lost, [message(2)])).rejects.toBeInstanceOf(FencedError);
  const [stored] = await lane.appendMessages(jobRun('b'), [message(2)]);
  expect(stored?.seq).toBe(2);
});

test('lanes of different kinds do not fence each other', async () => {
  const store = redis.open();
  const noLock = { extendLock: async () => false };
  await store.appender('send.0').appendMessages(jobRun('a', noLock), [message(1)]);
  const to = [{ uid: 'bob', position: 0 }];
  const call = { ref: 'abc', from: 'ann', command: false };
  await store.appender('fanout.0').appendReferences(jobRun('b', noLock), call, to);
  expect(await logOf(redis.client, '2:room')).toHaveLength(1);
  expect(await logOf(redis.client, channelName(1, 'bob', 'ann'))).toHaveLength(1);
});

test('a log refuses an entry that it has, even where the head is lost', async () => {
  const store = redis.open();
  const items = [message(1, { ts: TS }), message(2, { ts: TS })];
  await store.appender(LANE).appendMessages(jobRun('a'), items);
  await redis.client.del(...(await redis.client.keys('*head*')));
  const stored = await redis
    .open()
    .appender(LANE)
    .appendMessages(jobRun('a'), [...items, message(3)]);
  expect(stored.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect((await logOf(redis.client, '2:room')).map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('a run that is stopped while Redis is away ends, and the next one stores everything', async () => {
  const stop = new AbortController();
  const store = redis.open({}, async () => {
    stop.abort();
    throw new Error('Connection is closed.');
  });
  await expect(
    store.appender(LANE).appendMessages(jobRun('a', { signal: stop.signal }), [message(1)]),
  ).rejects.toThrow();
  await redis
    .open()
    .appender(LANE)
    .appendMessages(jobRun('a'), [message(1)]);
  expect((await inboxOf(redis.client, 'ann')).entries).toEqual([]);
  expect(await logOf(redis.client, '2:room')).toHaveLength(1);
});

test('after a lost connection nothing is written without the lock: Redis may be back as it was before', async () => {
  const store = redis.open();
  const lane = store.appender(LANE);
  await lane.appendMessages(jobRun('a'), [message(1)]);
  const before = await picture(redis.client);
  await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await waitFor(() => store.connectionLosses() > 0, { what: 'the loss to be noticed' });
  const lost = jobRun('b', { extendLock: async () => false });
  await expect(lane.appendMessages(lost, [message(2)])).rejects.toBeInstanceOf(FencedError);
  expect(await picture(redis.client)).toEqual(before);
  await lane.appendMessages(jobRun('b'), [message(2)]);
  expect(await logOf(redis.client, '2:room')).toHaveLength(2);
});
