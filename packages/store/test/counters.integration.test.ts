import { channelName } from '@ruyi/contracts';
import { checkInstallation, keys, newMember, SCHEMA, type StoreLimits, shardOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { batch, inboxOf, jobRun, LIMITS, logOf, message, recipients, testStores } from './harness.ts';

const redis = testStores();
const UIDS = ['x', 'y', 'z'];
const ofAnn = (uid: string) => channelName(1, uid, 'ann');
const shard = (name: string) => shardOf(name, LIMITS.shards);
const counterOf = (uid: string, command: boolean) =>
  redis.client.get(command ? keys.inboxSeq(shard(uid), uid) : keys.seq(shard(ofAnn(uid)), ofAnn(uid)));
const maxSeq = (uid: string) => redis.open().logs.maxSeq({ channel_id: uid, channel_type: 1, login_uid: 'ann' });
const newestOf = async (uid: string, command: boolean) =>
  command ? (await inboxOf(redis.client, uid)).newest : maxSeq(uid);

let jobs = 0;
/** Each job of a lane runs in a process of its own, as after a restart. */
async function broadcast(uids: string[], command: boolean, limits: Partial<StoreLimits> = {}): Promise<string> {
  const store = redis.open(limits);
  const ref = (5000 + ++jobs).toString(36);
  await store.bodies.write(ref, batch(5000 + jobs, {}, command), uids.length);
  const to = recipients(uids, 'ann', command);
  const failed = await store
    .appender('fanout.0')
    .appendReferences(jobRun(`b${jobs}`), { ref, from: 'ann', command }, to);
  expect(failed).toEqual([]);
  await store.trimmer.flush();
  return ref;
}

async function single(uid: string, command: boolean, limits: Partial<StoreLimits> = {}): Promise<number> {
  const store = redis.open(limits);
  // A command of the system user goes to the recipient alone.
  const item = command
    ? message(1_000_000 + ++jobs, { from: '____system', ch: channelName(1, uid, '____system'), cmd: 1 })
    : message(1_000_000 + ++jobs, { ch: ofAnn(uid) });
  const [stored] = await store.appender('send.0').appendMessages(jobRun(`s${jobs}`), [item]);
  expect(stored?.failure).toBeUndefined();
  await store.trimmer.flush();
  return stored?.seq ?? 0;
}

describe.each([
  ['a log', false],
  ['an inbox', true],
])('%s that broadcasts alone have written to', (_, command) => {
  test('has no counter, and its seqs are what it holds', async () => {
    for (const count of [1, 2, 3]) {
      await broadcast(UIDS, command);
      for (const uid of UIDS) {
        expect(await newestOf(uid, command)).toBe(count);
        expect(await counterOf(uid, command)).toBeNull();
      }
    }
    expect((await logOf(redis.client, ofAnn('x'))).map(({ seq }) => seq)).toEqual(command ? [] : [1, 2, 3]);
  });

  test('gets one with a single message, which goes on behind them', async () => {
    await broadcast(UIDS, command);
    await broadcast(UIDS, command);
    await single('y', command);
    expect(await counterOf('y', command)).toBe('3');
    await broadcast(UIDS, command);
    for (const [uid, newest] of [
      ['x', 3],
      ['y', 4],
      ['z', 3],
    ] as const) {
      expect(await newestOf(uid, command)).toBe(newest);
    }
  });

  test('gets one before anything is removed from it, so that its seqs go on', async () => {
    for (const _ of UIDS) await broadcast(UIDS, command);
    await broadcast(['x'], command, { logRetention: 2, inboxMax: 2 });
    expect(await counterOf('x', command)).toBe('4');
    await broadcast(UIDS, command);
    expect(await newestOf('x', command)).toBe(5);
    expect(await newestOf('y', command)).toBe(4);
  });

  test('is refused with the reason where its counter is none, and the others of the call are served', async () => {
    const key = command ? keys.inboxSeq(shard('x'), 'x') : keys.seq(shard(ofAnn('x')), ofAnn('x'));
    await redis.client.rpush(key, 'no counter');
    const store = redis.open();
    const to = recipients(UIDS, 'ann', command);
    const failed = await store
      .appender('fanout.0')
      .appendReferences(jobRun('job'), { ref: 'abc', from: 'ann', command }, to);
    expect(failed).toEqual([
      { recipient: to.find(({ uid }) => uid === 'x'), reason: expect.stringMatching(/WRONGTYPE/) },
    ]);
    for (const uid of ['y', 'z']) expect(await newestOf(uid, command)).toBe(1);
  });
});

test('an acknowledged inbox goes on behind its last seq, also when nothing is left in it', async () => {
  const limits = { inboxKeep: 0 };
  for (const _ of UIDS) await broadcast(['x'], true, limits);
  await redis.open(limits).inboxes.acknowledge('x', 3);
  expect((await inboxOf(redis.client, 'x')).entries).toEqual([]);
  await broadcast(['x'], true, limits);
  expect((await redis.open(limits).inboxes.read('x', 0, 10)).map((m) => m.message_seq)).toEqual([4]);
});

test('an inbox of which more is acknowledged than one call drops goes on behind its last seq', async () => {
  for (let at = 0; at < 1500; at++) await redis.client.rpush(keys.inbox(shard('x'), 'x'), `abc.${at}`);
  await redis.open({ inboxKeep: 0 }).inboxes.acknowledge('x', 1400);
  expect((await inboxOf(redis.client, 'x')).entries).toHaveLength(100);
  await broadcast(['x'], true);
  expect((await inboxOf(redis.client, 'x')).newest).toBe(1501);
});

test('a log that an earlier version counted goes on behind its counter', async () => {
  await redis.client.hset(keys.meta, { schema: 1, shards: 64 });
  await checkInstallation(redis.client, { shards: 64 }, newMember('worker', 8));
  expect(await redis.client.hget(keys.meta, 'schema')).toBe(String(SCHEMA));
  await redis.client.set(keys.seq(shard(ofAnn('x')), ofAnn('x')), 41);
  await broadcast(['x'], false);
  expect(await maxSeq('x')).toBe(42);
});

test('whatever comes in whatever order, under whatever bounds, no seq is given twice or left out', async () => {
  const random = seededRandom();
  const given = new Map<string, number>();
  const next = (place: string) => {
    given.set(place, (given.get(place) ?? 0) + 1);
    return given.get(place);
  };
  for (let step = 0; step < 400; step++) {
    const command = random.whole(0, 1) === 1;
    const limits = { logRetention: random.pick([0, 0, 0, 2, 5]), inboxMax: random.pick([1000, 1000, 3]), inboxKeep: 1 };
    const uid = random.pick(['x', 'y', 'z']);
    const place = `${command} ${uid}`;
    const what = random.pick(['single', 'broadcast', 'broadcast', 'acknowledge']);
    if (what === 'acknowledge') {
      if (command) await redis.open(limits).inboxes.acknowledge(uid, random.whole(1, (given.get(place) ?? 0) + 1));
    } else if (what === 'single') {
      const seq = await single(uid, command, limits);
      expect(seq === 0 ? await newestOf(uid, command) : seq, `${step}: ${place}`).toBe(next(place));
    } else {
      const uids = UIDS.filter((other) => other === uid || random.whole(0, 1) === 1);
      const ref = await broadcast(uids, command, limits);
      for (const to of uids) {
        const seq = next(`${command} ${to}`);
        expect(await newestOf(to, command), `${step}: ${command} ${to}`).toBe(seq);
        if (command) expect((await inboxOf(redis.client, to)).entries.at(-1)).toMatch(`${ref}.`);
        else
          expect((await logOf(redis.client, ofAnn(to))).at(-1)).toEqual({
            entry: expect.stringContaining(`${ref}.`),
            seq,
          });
      }
    }
  }
});
