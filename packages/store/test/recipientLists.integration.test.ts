import { keys, refOf, type Store, type Upload } from '@ruyi/store';
import type { Around } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { base64, testStores } from './harness.ts';

const redis = testStores();
const SHARD = 0;
const NO = refOf(2 ** 50);
const upload: Upload = { no: NO, part: 7, token: 'first' };
const part = { digest: 'd', accepted: 3, duplicates: 0, invalid: 0 };

/** Creates the broadcast, and stages a part as far as its commit. */
async function stagedPart({ broadcasts, recipientLists }: Store): Promise<Store['recipientLists']> {
  const header = { no_persist: 0, red_dot: 0, sync_once: 0 } as const;
  const spec = {
    name: '',
    from: 'news',
    header,
    setting: 0,
    topic: '',
    expire: 0,
    clientMsgNo: '',
    rate: 0,
    startAt: 0,
  };
  await broadcasts.create(NO, spec, base64('hi'));
  await recipientLists.hold(upload);
  const bytes = await recipientLists.stage(SHARD, upload, 'a\nb\nc\n');
  expect(await recipientLists.settleStaged(SHARD, upload, bytes)).toBe(0);
  return recipientLists;
}

test('a part whose commit is executed but not answered keeps its recipients, whatever its upload does then', async () => {
  let isLost = false;
  const lose: Around = async (send) => {
    const answer = await send();
    if (!isLost) return answer;
    isLost = false;
    throw new Error('Connection is closed.');
  };
  const lists = await stagedPart(redis.open({}, lose, (command) => command === 'commitPart'));
  isLost = true;
  await expect(lists.commit(upload, part)).rejects.toThrow('closed');
  await lists.dropStaged([SHARD], upload);
  // The client repeats it.
  await lists.mergePart(NO, upload.part);
  expect(await lists.settle(SHARD, NO)).toBe(3);
});

test('what was never committed is dropped', async () => {
  const lists = await stagedPart(redis.open());
  await lists.dropStaged([SHARD], upload);
  expect((await redis.client.keys('*')).filter((key) => key.includes(':bs:'))).toEqual([]);
});

test('a list that is removed while its repeats are dropped stays removed', async () => {
  const around: Around = async (send) => {
    await redis.open().recipientLists.remove(NO);
    return send();
  };
  const lists = redis.open({}, around, (command) => command === 'set').recipientLists;
  await lists.append(SHARD, NO, 'a\nb\na\n');
  expect(await lists.settle(SHARD, NO)).toBe(2);
  expect(await redis.client.keys('*')).toEqual([]);
});

test('an upload keeps its part while Redis has no memory', async () => {
  const lists = redis.open().recipientLists;
  /** Otherwise it would lose the part if this process stood still for some seconds. */
  const holdLonger = () => redis.client.pexpire(keys.upload(NO, upload.part), 600_000);
  expect(await lists.hold(upload)).toBe(true);
  await holdLonger();
  const [, used = '0'] = /^used_memory:(\d+)/m.exec(await redis.client.info('memory')) ?? [];
  await redis.client.config('SET', 'maxmemory', Math.floor(Number(used) / 2));
  try {
    await expect(redis.client.set('something', 'more')).rejects.toThrow('OOM');
    expect(await lists.hold(upload)).toBe(true);
    await holdLonger();
    expect(await lists.hold({ ...upload, token: 'second' })).toBe(false);
  } finally {
    await redis.client.config('SET', 'maxmemory', 0);
  }
});
