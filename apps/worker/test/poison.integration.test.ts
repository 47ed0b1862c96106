import { BROADCAST, DEAD, type DeadJob, type IndexJob, type LaneKind, openIndexWorker } from '@ruyi/queue';
import { keys, laneOf, shardNumber, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { acceptBatch, LANES, LIMITS, logOf, message, names, picture, testLanes } from './harness.ts';

const lanes = testLanes();
const ROOM = '2:room';
const ROOM_LANE = laneOf(shardNumber(ROOM, LIMITS.shards.count), LANES);

/** Puts a job on a lane, with this text as its data in Redis. */
async function addRaw(kind: LaneKind, lane: number, id: string, data: string): Promise<void> {
  const queue = lanes.queues.lane(kind, lane);
  await queue.add(kind === 'send' ? 'send' : 'broadcast', {}, { jobId: id });
  await lanes.client.hset(queue.toKey(id), 'data', data);
}

/** Waits for this many dead letters, and returns them. */
async function letters(count: number): Promise<(DeadJob & { id: string })[]> {
  await waitFor(async () => (await lanes.letters()).length >= count, { what: 'the dead letters', deadlineMs: 50_000 });
  const all = (await lanes.letters()).map(({ id, data }) => ({ id, ...DEAD.schema.parse(data) }));
  expect(all).toHaveLength(count);
  return all;
}

test('jobs whose data is not JSON become dead letters unchanged, and their lanes continue', async () => {
  const broken: [LaneKind, number, string][] = [
    ['send', ROOM_LANE, '{"items":[{"id":1'],
    ['send', 1 - ROOM_LANE, ' '],
    ['fanout', 0, '\x00\x01\ufffd'],
    ['fanout', 1, 'undefined'],
  ];
  for (const [kind, lane, raw] of broken) await addRaw(kind, lane, `broken-${kind}-${lane}.7`, raw);
  const batch = await acceptBatch(lanes.store, names(100));
  await lanes.producer.broadcast(batch);
  await lanes.producer.send(message(1));
  await lanes.work();
  await lanes.settled();
  expect((await logOf(lanes.client, ROOM)).ids).toEqual([1]);
  expect(await lanes.store.progress.read(batch.ref)).toMatchObject({ stored: 100, state: 'done' });
  const found = await letters(4);
  for (const [kind, lane, raw] of broken) {
    const letter = { queue: `${kind}.${lane}`, name: 'unreadable', reason: 'job data is no JSON', raw };
    expect(found).toContainEqual(expect.objectContaining({ id: `dead-broken-${kind}-${lane}.7`, ...letter }));
  }
  // They cannot run again: a retry says so, and they stay dead letters.
  const [letter] = found;
  await expect(lanes.retry(letter?.id ?? '')).rejects.toThrow('cannot be tried again: job data is no JSON');
  expect(await letters(4)).toContainEqual(letter);
  await lanes.settled();
});

test('index jobs that are unreadable or invalid become dead letters, and the others continue', async () => {
  const { index } = lanes.queues;
  const raws = new Map([
    ['torn', '{"logs":['],
    ['odd', '{"logs":[{"ch":7}]}'],
  ]);
  for (const [jobId, raw] of raws) {
    await index.add('index', {}, { jobId });
    await lanes.client.hset(index.toKey(jobId), 'data', raw);
  }
  await index.add('index', { logs: [{ ch: ROOM, seqs: [1] }] }, { jobId: 'good' });
  await lanes.work();
  const handled: string[] = [];
  const handle = async (_job: IndexJob, { id }: { id: string }) => void handled.push(id);
  const { queues, store } = lanes;
  const worker = openIndexWorker({
    queues,
    store,
    handle,
    drain: async () => {},
    signal: new AbortController().signal,
    log: { warn: () => {} },
  });
  try {
    const found = await letters(raws.size);
    const torn = { queue: 'index', name: 'unreadable', reason: 'job data is no JSON', raw: '{"logs":[' };
    expect(found).toContainEqual(expect.objectContaining({ id: 'dead-torn', ...torn }));
    expect(found.find(({ id }) => id === 'dead-odd')).toMatchObject({ queue: 'index', data: { logs: [{ ch: 7 }] } });
    await waitFor(async () => (await index.getJobCountByTypes('wait', 'active', 'failed')) === 0, {
      what: 'the index queue to be empty',
      deadlineMs: 50_000,
    });
    expect(handled).toEqual(['good']);
  } finally {
    await worker.close();
  }
});

describe.each<[string, LaneKind, unknown, string]>([
  ['without items', 'send', {}, 'items'],
  ['that is a list', 'send', [1], ''],
  ['that is null', 'send', null, ''],
  ['with a broken item among good ones', 'send', { items: [message(1), { ...message(2), id: 'two' }] }, 'items.1.id'],
  ['of a broadcast without chunks', 'fanout', { ref: 'r', from: 'ann' }, 'chunks'],
])('a job with data %s', (_, kind, data, field) => {
  test('becomes one dead letter that names what is wrong, and its lane continues', async () => {
    await addRaw(kind, 0, 'odd.1', JSON.stringify(data));
    await lanes.work();
    const [letter] = await letters(1);
    expect(letter).toMatchObject({ queue: `${kind}.0`, data });
    expect(letter?.reason).toContain(`: ${field}: `);
    await lanes.settled();
  });
});

test('a job of an unknown kind becomes a dead letter', async () => {
  await lanes.queues.lane('send', 0).add('fly', { to: 'the moon' }, { jobId: 'fly.1' });
  await lanes.work();
  expect(await letters(1)).toMatchObject([
    { name: 'fly', reason: 'no handler for fly jobs', data: { to: 'the moon' } },
  ]);
});

test('one message that Redis refuses becomes a dead letter, the others of its job are stored; a retry stores it', async () => {
  const other = '2:broken';
  const shard = shardOf(other, LIMITS.shards);
  const items = [message(1), message(2, { ch: other }), message(3)];
  await lanes.client.set(keys.log(shard, other), 'not a log');
  await lanes.queues.lane('send', ROOM_LANE).add('send', { items }, { jobId: 'mixed.3' });
  await lanes.work();
  const [letter] = await letters(1);
  expect(letter).toMatchObject({ queue: `send.${ROOM_LANE}`, name: 'send', data: { items: [items[1]] } });
  expect(letter?.reason).toContain('WRONGTYPE');
  expect(await logOf(lanes.client, ROOM)).toEqual({ ids: [1, 3], seqs: [1, 2] });

  await lanes.client.del(keys.log(shard, other));
  expect(await lanes.retry(letter?.id ?? '')).toBe('done');
  expect(await logOf(lanes.client, other)).toEqual({ ids: [2], seqs: [1] });
  await letters(0);
  expect(await logOf(lanes.client, ROOM)).toEqual({ ids: [1, 3], seqs: [1, 2] });
});

test('a retry that fails again is the same dead letter, and can be retried again', async () => {
  const log = keys.log(shardOf(ROOM, LIMITS.shards), ROOM);
  await lanes.client.set(log, 'not a log');
  await lanes.work();
  await lanes.producer.send(message(1));
  const [first] = await letters(1);
  const { id = '', firstAt } = first ?? {};
  for (const tries of [2, 3, 4]) {
    expect(await lanes.retry(id)).toBe('failed');
    expect(await letters(1)).toMatchObject([{ id, tries, firstAt, data: first?.data }]);
  }
  await lanes.client.del(log);
  expect(await lanes.retry(id)).toBe('done');
  await letters(0);
  expect(await logOf(lanes.client, ROOM)).toEqual({ ids: [1], seqs: [1] });
});

test.each([
  ['messages', false],
  ['commands', true],
])(
  'recipients of %s that cannot be served become dead letters, are counted, and are served by a retry',
  async (_, cmd) => {
    const to = names(300);
    const bad = ['u7', 'u8', 'u250'];
    const place = (uid: string) => {
      const shard = shardOf(cmd ? uid : `1:ann@${uid}`, LIMITS.shards);
      return cmd ? keys.inbox(shard, uid) : keys.log(shard, `1:ann@${uid}`);
    };
    for (const uid of bad) await lanes.client.set(place(uid), 'not what it should be');
    const plan = await acceptBatch(lanes.store, to, { from: 'ann', cmd });
    await lanes.producer.broadcast(plan);
    await lanes.work();
    await lanes.settled();
    expect(await lanes.store.progress.read(plan.ref)).toMatchObject({ stored: 297, failed: 3, state: 'done' });

    const all = async () => (await lanes.letters()).map(({ id, data }) => ({ id, ...DEAD.schema.parse(data) }));
    const uids = (letter: DeadJob) =>
      BROADCAST.schema.parse(letter.data).chunks.flatMap((chunk) => chunk.uids.split('\n'));
    await waitFor(async () => (await all()).flatMap(uids).length === 3, { what: 'the dead letters' });
    const aside = await all();
    expect(aside.flatMap(uids).sort()).toEqual(bad.toSorted());
    expect(aside.every(({ reason }) => reason.includes('WRONGTYPE'))).toBe(true);
    for (const uid of bad) await lanes.client.del(place(uid));
    const before = await picture(lanes.client);
    for (const { id } of aside) expect(await lanes.retry(id)).toBe('done');
    await lanes.settled();
    expect(await lanes.store.progress.read(plan.ref)).toMatchObject({ stored: 300, failed: 0, state: 'done' });
    // Nobody else got anything a second time.
    const after = await picture(lanes.client);
    for (const uid of to.filter((name) => !bad.includes(name))) expect(after[place(uid)]).toBe(before[place(uid)]);
    for (const uid of bad) expect(after).toHaveProperty([place(uid)]);
  },
);
