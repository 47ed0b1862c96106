import { channelName, SYSTEM_UID } from '@ruyi/contracts';
import { keys, refOf, shardOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import {
  acceptBatch,
  jobsOnLanes,
  LANES,
  LIMITS,
  message,
  names,
  picture,
  testLanes,
  waitingReferences,
} from './harness.ts';

const lanes = testLanes();
const MANY = 10_000;

/** The entries of each recipient, in the order of the uids. */
async function copies(uids: string[], from: string, cmd: boolean): Promise<string[][]> {
  const { client } = lanes;
  return Promise.all(
    uids.map((uid) => {
      if (cmd) return client.lrange(keys.inbox(shardOf(uid, LIMITS.shards), uid), 0, -1);
      const channel = channelName(1, uid, from);
      return client.zrange(keys.log(shardOf(channel, LIMITS.shards), channel), '0', '-1');
    }),
  );
}

async function dropJobs(): Promise<void> {
  for (let lane = 0; lane < LANES; lane++) await lanes.queues.lane('fanout', lane).clean(0, 1000, 'completed');
}

describe.each([
  ['messages', false],
  ['commands', true],
])('10,000 recipients of %s', (_, cmd) => {
  const uids = names(MANY);

  test('each get one, with a different position, from a handful of jobs', async () => {
    const plan = await acceptBatch(lanes.store, uids, { from: 'ann', cmd });
    await lanes.producer.broadcast(plan);
    expect(await jobsOnLanes(lanes.queues)).toBeLessThanOrEqual(MANY / 1000);
    await lanes.work();
    await lanes.settled();
    const got = await copies(uids, 'ann', cmd);
    expect(got.every((entries) => entries.length === 1)).toBe(true);
    const positions = got.map(([entry = '']) => Number(entry.slice(plan.ref.length + 1))).sort((a, b) => a - b);
    expect(positions).toEqual(uids.map((_, i) => i));
    expect(await lanes.store.progress.read(plan.ref)).toMatchObject({ stored: MANY, failed: 0, state: 'done' });
    // Messages are handed over to the indexer by chunk, commands are not.
    const chunks = (await waitingReferences(lanes.store)).flatMap((one) => (one.kind === 'chunks' ? one.chunks : []));
    expect(chunks.map(({ chunk }) => chunk).sort()).toEqual(cmd ? [] : plan.starts.map((_, i) => i).sort());
  });

  test('get nothing twice if the same jobs are added again, while BullMQ keeps them and after', async () => {
    const plan = await acceptBatch(lanes.store, uids, { from: 'ann', cmd });
    await Promise.all([lanes.producer.broadcast(plan), lanes.producer.broadcast(plan)]);
    expect(await jobsOnLanes(lanes.queues)).toBe(plan.jobs.length);
    await lanes.work();
    await lanes.producer.broadcast(plan);
    await lanes.settled();
    expect((await copies(uids, 'ann', cmd)).every((entries) => entries.length === 1)).toBe(true);
    const stored = await picture(lanes.client);
    await lanes.producer.broadcast(plan);
    await lanes.settled();
    await dropJobs();
    await lanes.producer.broadcast(plan);
    await lanes.settled();
    expect(await picture(lanes.client)).toEqual(stored);
  });

  test('get the rest if some of the jobs were added before and have run', async () => {
    const plan = await acceptBatch(lanes.store, uids, { from: 'ann', cmd });
    await lanes.work();
    await lanes.producer.broadcast({ ...plan, jobs: plan.jobs.filter((_, i) => i % 2 === 0) });
    await lanes.settled();
    await dropJobs();
    expect((await lanes.store.progress.read(plan.ref))?.state).toBe('running');
    await lanes.producer.broadcast(plan);
    await lanes.settled();
    expect((await copies(uids, 'ann', cmd)).every((entries) => entries.length === 1)).toBe(true);
    expect(await lanes.store.progress.read(plan.ref)).toMatchObject({ stored: MANY, state: 'done' });
  });
});

test("a sender's batches reach every recipient in the order in which they were accepted", async () => {
  const random = seededRandom(11);
  const uids = names(60);
  const sent = new Map<string, string[]>(uids.map((uid) => [uid, []]));
  await lanes.work();
  for (let i = 0; i < 25; i++) {
    const to = uids.filter(() => random.next() < 0.5);
    if (to.length === 0) continue;
    const plan = await acceptBatch(lanes.store, to, { from: 'ann', cmd: true });
    await lanes.producer.broadcast(plan);
    for (const uid of to) sent.get(uid)?.push(plan.ref);
  }
  await lanes.settled();
  const got = await copies(uids, 'ann', true);
  uids.forEach((uid, i) => {
    expect(got[i]?.map((entry) => entry.split('.')[0])).toEqual(sent.get(uid));
  });
});

test('a batch whose body is gone writes nothing, and its lane continues', async () => {
  const [gone, other] = [await acceptBatch(lanes.store, names(50)), await acceptBatch(lanes.store, names(50))];
  await lanes.client.del(keys.body(gone.ref));
  await lanes.producer.broadcast(gone);
  await lanes.producer.broadcast(other);
  await lanes.work();
  await lanes.settled();
  const got = await copies(names(50), SYSTEM_UID, false);
  expect(got.map(([entry = ''], i) => [entry.split('.')[0], got[i]?.length])).toEqual(got.map(() => [other.ref, 1]));
});

describe('a command to a group', () => {
  /** Accepts one as the API does, without queueing its job. */
  async function accept(room: string) {
    const id = await lanes.store.ids.one();
    const { ch, ...body } = message(id, { ch: `2:${room}` });
    const ref = refOf(id);
    await lanes.store.bodies.write(ref, { body, kind: 'group', ch, cmd: true, starts: [] }, 0);
    return { ref, ch };
  }

  test('reaches every current subscriber once, and nobody else', async () => {
    const members = names(3000);
    await lanes.store.channels.addSubscribers(2, 'room', members);
    await lanes.store.channels.removeSubscribers(2, 'room', ['u5']);
    const job = await accept('room');
    await lanes.producer.groupCommand(job);
    expect(await jobsOnLanes(lanes.queues)).toBe(1);
    await lanes.work();
    await lanes.settled();
    const got = await copies([...members, 'eve'], '', true);
    expect(got[5]).toEqual([]);
    expect(got.at(-1)).toEqual([]);
    for (const [i, uid] of members.entries()) if (uid !== 'u5') expect(got[i]).toHaveLength(1);
    expect(await lanes.client.keys('r:*frozen*')).toEqual([]);
  });

  test('that is queued again reaches nobody twice, and nobody who subscribed later', async () => {
    await lanes.store.channels.addSubscribers(2, 'room', names(200));
    const job = await accept('room');
    await lanes.work();
    await lanes.producer.groupCommand(job);
    await lanes.settled();
    await lanes.store.channels.addSubscribers(2, 'room', ['late']);
    const stored = await picture(lanes.client);
    await lanes.producer.groupCommand(job);
    await lanes.settled();
    await dropJobs();
    await lanes.producer.groupCommand(job);
    await lanes.settled();
    expect(await picture(lanes.client)).toEqual(stored);
  });

  test('to a group without subscribers leaves nothing behind, and is reported as done', async () => {
    const job = await accept('empty');
    const shard = shardOf(job.ch, LIMITS.shards);
    await lanes.store.idempotency.claim(shard, 'hash', { id: 7, ts: 8, digest: 'digest' });
    await lanes.producer.groupCommand({ ...job, idem: 'hash', digest: 'digest' });
    await lanes.work();
    await lanes.settled();
    const processKeys: string[] = [
      keys.workers,
      keys.sweeper,
      keys.members,
      keys.memberFacts,
      keys.meta,
      keys.ids,
      keys.idsRun,
      keys.tended,
    ];
    const isProcessKey = (key: string) =>
      processKeys.includes(key) || key.startsWith(keys.reports) || key.startsWith('r:{lanes}:owners:');
    const left = (await lanes.client.keys('r:*')).filter((key) => !isProcessKey(key));
    expect(left.sort()).toEqual([keys.progress(job.ref), keys.idem(shard, 'hash')].sort());
    expect(await lanes.store.idempotency.read(shard, 'hash')).toMatchObject({ state: 'stored', digest: 'digest' });
  });

  test('keeps its order among the commands to this group', async () => {
    const members = names(20);
    await lanes.store.channels.addSubscribers(2, 'room', members);
    const refs: string[] = [];
    for (let i = 0; i < 12; i++) {
      const job = await accept('room');
      await lanes.producer.groupCommand(job);
      refs.push(job.ref);
    }
    await lanes.work();
    await lanes.settled();
    for (const entries of await copies(members, '', true)) {
      expect(entries.map((entry) => entry.split('.')[0])).toEqual(refs);
    }
  });
});
