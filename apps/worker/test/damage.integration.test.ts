import { SYSTEM_UID } from '@ruyi/contracts';
import { DEAD, type DeadJob, recipientsInJob } from '@ruyi/queue';
import { keys, refOf, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { acceptBatch, LIMITS, message, names, testLanes } from './harness.ts';

const lanes = testLanes();
const shard = (name: string) => shardOf(name, LIMITS.shards);
const inbox = (uid: string) => lanes.client.lrange(keys.inbox(shard(uid), uid), 0, -1);

/** Accepts a command to a group, as the API does, and queues it. */
async function command(room: string): Promise<void> {
  const id = await lanes.store.ids.one();
  const { ch, ...body } = message(id, { ch: `2:${room}` });
  await lanes.store.bodies.write(refOf(id), { body, kind: 'group', ch, cmd: true, starts: [] }, 0);
  await lanes.producer.groupCommand({ ref: refOf(id), ch });
}

/** The only dead letter. The other jobs continue. */
async function onlyLetter(): Promise<{ id: string; data: DeadJob }> {
  await waitFor(async () => (await lanes.letters()).length === 1, { what: 'the dead letter' });
  const [{ id, data } = expect.fail('no letter')] = await lanes.letters();
  return { id, data: DEAD.schema.parse(data) };
}

/** Tries a letter again, which must succeed. */
async function retry(id: string): Promise<void> {
  expect(await lanes.retry(id)).toBe('done');
  await lanes.settled();
}

test('a command to a group whose subscribers are damaged is a dead letter, and reaches all once they are repaired', async () => {
  const uids = names(30);
  await lanes.store.channels.addSubscribers(2, 'room', uids);
  await lanes.store.channels.addSubscribers(2, 'other', uids);
  const key = keys.subscribers(shard('u3'), '2:room');
  const dump = await lanes.client.dumpBuffer(key);
  await lanes.client.set(key, 'x');
  await command('room');
  await command('other');
  await lanes.work();
  await lanes.settled();
  for (const uid of uids) expect(await inbox(uid)).toHaveLength(1);
  const { id, data } = await onlyLetter();
  expect(data).toMatchObject({ name: 'group-command', reason: expect.stringMatching(/WRONGTYPE/) });
  await lanes.client.restore(key, 0, dump, 'REPLACE');
  await retry(id);
  for (const uid of uids) expect(await inbox(uid)).toHaveLength(2);
});

test.each(['body', 'progress'] as const)(
  'a batch whose %s is damaged is a dead letter, and its lane goes on',
  async (kind) => {
    const damaged = await acceptBatch(lanes.store, names(10, 'a'), { cmd: true });
    const other = await acceptBatch(lanes.store, names(10, 'b'), { cmd: true });
    const key = keys[kind](damaged.ref);
    const dump = await lanes.client.dumpBuffer(key);
    await lanes.client.set(key, 'x');
    await lanes.producer.broadcast({ ...damaged, jobs: damaged.jobs.slice(0, 1) });
    await lanes.producer.broadcast(other);
    await lanes.work();
    await lanes.settled();
    for (const uid of names(10, 'b')) expect(await inbox(uid)).toHaveLength(1);
    const { id, data } = await onlyLetter();
    const problem = { code: kind === 'body' ? 'wrong_type' : expect.any(String), key };
    expect(data.problems).toMatchObject([problem]);
    // Its recipients have failed, also if the letter is dropped, unless the progress is what cannot be written.
    const failed = kind === 'body' ? { stored: 0, failed: recipientsInJob(damaged.jobs[0]?.id ?? '') } : undefined;
    if (failed) expect(await lanes.store.progress.read(damaged.ref)).toMatchObject(failed);
    await lanes.client.restore(key, 0, dump, 'REPLACE');
    await retry(id);
    await lanes.producer.broadcast({ ...damaged, jobs: damaged.jobs.slice(1) });
    await lanes.settled();
    for (const uid of names(10, 'a')) expect(await inbox(uid)).toHaveLength(1);
    expect(await lanes.store.progress.read(damaged.ref)).toMatchObject({ stored: 10, failed: 0, state: 'done' });
  },
);

test('a retry of recipients whose broadcast has expired says so, and does not change its progress', async () => {
  const uids = names(10);
  const plan = await acceptBatch(lanes.store, uids, { from: SYSTEM_UID });
  const channel = `1:${SYSTEM_UID}@u3`;
  await lanes.client.set(keys.log(shard(channel), channel), 'x');
  await lanes.work();
  await lanes.producer.broadcast(plan);
  await lanes.settled();
  const before = await lanes.store.progress.read(plan.ref);
  expect(before).toMatchObject({ stored: 9, failed: 1 });
  const { id } = await onlyLetter();
  await lanes.client.del(keys.body(plan.ref));
  // A new worker, which does not have the body in its cache.
  await lanes.rest();
  await lanes.work();
  expect(await lanes.retry(id)).toBe('failed');
  expect(await onlyLetter()).toMatchObject({ id, data: { tries: 2, problems: [{ code: 'expired', count: 1 }] } });
  expect(await lanes.store.progress.read(plan.ref)).toEqual(before);
});
