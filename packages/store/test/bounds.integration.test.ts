import { channelName } from '@ruyi/contracts';
import { encodeEntry, evenShards, keys, shardOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { batch, jobRun, LIMITS, logOf, message, names, now, recipients, testStores, upTo } from './harness.ts';

const redis = testStores();
const MIB = 1024 * 1024;
const ROOM = '2:room';
const shard = (name: string) => shardOf(name, LIMITS.shards);
const logKey = keys.log(shard(ROOM), ROOM);
const name = { channel_id: 'room', channel_type: 2 };
const newest = (limit: number) => ({ start: 0, end: 0, limit, pullMode: 0 as const });

afterEach(() => {
  vi.useRealTimers();
});

/** What Redis sent while `work` ran, in bytes. */
async function sent(work: () => Promise<unknown>): Promise<number> {
  const total = async () =>
    Number(/total_net_output_bytes:(\d+)/.exec(await redis.client.info('stats'))?.[1] ?? Number.NaN);
  const before = await total();
  await work();
  return (await total()) - before;
}

/** How many entries or names of this key Redis had to look at is not told; which commands it ran is. */
async function commands(work: () => Promise<unknown>): Promise<Record<string, number>> {
  await redis.client.config('RESETSTAT');
  await work();
  const stats = await redis.client.info('commandstats');
  return Object.fromEntries(
    [...stats.matchAll(/cmdstat_([a-z|-]+):calls=(\d+)/g)].map(([, one, n]) => [one, Number(n)]),
  );
}

/** Fills the room's log: an entry per seq. */
async function fill(entries: string[], key = logKey): Promise<void> {
  for (let i = 0; i < entries.length; i += 500) {
    await redis.client.zadd(key, ...entries.slice(i, i + 500).flatMap((entry, n) => [i + n + 1, entry]));
  }
}

const large = (count: number) => upTo(count).map((id) => encodeEntry(message(id, { payload: 'x'.repeat(MIB) })));

describe('answers stop at 16 MiB without having read the rest', () => {
  test('of a log', async () => {
    await fill(large(40));
    const store = redis.open();
    let answer: Awaited<ReturnType<typeof store.logs.read>> | undefined;
    const bytes = await sent(async () => {
      answer = await store.logs.read(name, newest(10_000));
    });
    expect(answer?.more).toBe(1);
    expect(answer?.messages.map(({ message_seq }) => message_seq)).toEqual(upTo(40).slice(-16));
    expect(bytes).toBeLessThan(30 * MIB);
  });

  test('of an inbox', async () => {
    const inbox = keys.inbox(shard('bob'), 'bob');
    for (const entry of large(40)) await redis.client.rpush(inbox, entry);
    const store = redis.open();
    let seqs: number[] = [];
    const bytes = await sent(async () => {
      seqs = (await store.inboxes.read('bob', 0, 10_000)).map(({ message_seq }) => message_seq);
    });
    expect(seqs).toEqual(upTo(16));
    expect(bytes).toBeLessThan(30 * MIB);
  });

  test('of broadcasts, each with a body of its own', async () => {
    const store = redis.open();
    const refs = upTo(40).map((n) => (n + 1000).toString(36));
    const channel = channelName(1, 'bob', 'ann');
    for (const ref of refs) {
      await store.bodies.write(ref, batch(Number.parseInt(ref, 36), { payload: 'x'.repeat(MIB) }), 1);
    }
    await fill(
      refs.map((ref) => `${ref}.0`),
      keys.log(shard(channel), channel),
    );
    let count = 0;
    const bytes = await sent(async () => {
      const personal = { channel_id: 'ann', channel_type: 1, login_uid: 'bob' };
      count = (await store.logs.read(personal, newest(10_000))).messages.length;
    });
    expect(count).toBe(16);
    expect(bytes).toBeLessThan(36 * MIB);
  });

  test('of messages by seq', async () => {
    await fill(large(40));
    const store = redis.open();
    const bytes = await sent(() => store.logs.find(name, { seqs: upTo(40), ids: [], clientMsgNos: [] }));
    expect(bytes).toBeLessThan(36 * MIB);
  });
});

describe('a message that is sought', () => {
  test('by client_msg_no is sought in 64 MiB at most', async () => {
    await fill(large(90));
    const store = redis.open();
    const seek = (no: string) => store.logs.find(name, { seqs: [], ids: [], clientMsgNos: [no] });
    const bytes = await sent(() => seek('no-such'));
    expect(bytes).toBeLessThan(80 * MIB);
    expect((await seek('no-80')).map(({ message_seq }) => message_seq)).toEqual([80]);
  });

  test('by client_msg_no or id is found among 10,000 small ones, and not beyond', async () => {
    await fill(upTo(10_050).map((id) => encodeEntry(message(id))));
    const store = redis.open();
    const seqsOf = async (wanted: { ids?: number[]; clientMsgNos?: string[] }) =>
      (await store.logs.find(name, { seqs: [], ids: [], clientMsgNos: [], ...wanted })).map((one) => one.message_seq);
    expect(await seqsOf({ ids: [51, 50] })).toEqual([51]);
    expect(await seqsOf({ clientMsgNos: ['no-51', 'no-50'] })).toEqual([51]);
  });

  test('by id costs no body', async () => {
    const store = redis.open();
    const channel = channelName(1, 'bob', 'ann');
    const refs = upTo(200).map((n) => (n + 1000).toString(36));
    for (const ref of refs)
      await store.bodies.write(ref, batch(Number.parseInt(ref, 36), { payload: 'x'.repeat(50_000) }), 1);
    await fill(
      refs.map((ref) => `${ref}.0`),
      keys.log(shard(channel), channel),
    );
    const personal = { channel_id: 'ann', channel_type: 1, login_uid: 'bob' };
    const wanted = { seqs: [], ids: [1001, 77], clientMsgNos: [] };
    let found: number[] = [];
    const bytes = await sent(async () => {
      found = (await store.logs.find(personal, wanted)).map(({ message_id }) => message_id);
    });
    expect(found).toEqual([1001]);
    expect(bytes).toBeLessThan(200_000);
  });
});

test('a scan of all logs holds few of the largest messages at a time', async () => {
  for (const n of upTo(3)) {
    await fill(large(20), keys.log(shard(`2:r${n}`), `2:r${n}`));
  }
  let most = 0;
  let count = 0;
  for await (const { pages } of redis.open().logScan.pages()) {
    const entries = pages.flatMap((page) => page.entries);
    count += entries.length;
    most = Math.max(most, entries.length);
  }
  expect(count).toBe(60);
  expect(most).toBeLessThanOrEqual(24);
});

describe('expired messages', () => {
  const expired = (id: number) => message(id, { ts: now() - 100, exp: 10 });

  test('are read once: later reads do not come past them', async () => {
    const store = redis.open();
    const lane = store.appender('send.0');
    const all = upTo(1500).map((id) => (id % 500 === 0 ? message(id) : expired(id)));
    await lane.appendMessages(jobRun('j'), all);
    const read = () => store.logs.read(name, newest(100));
    const first = await read();
    expect(first.messages.map(({ message_seq }) => message_seq)).toEqual([500, 1000, 1500]);
    expect(await logOf(redis.client, ROOM)).toHaveLength(3);
    expect(await commands(read)).toMatchObject({ zrange: 1 });
    expect(await read()).toEqual(first);
    expect(await store.logs.maxSeq(name)).toBe(1500);
    const [next] = await lane.appendMessages(jobRun('k'), [message(1501)]);
    expect(next?.seq).toBe(1501);
  });

  test('take the body of their broadcast along', async () => {
    const store = redis.open();
    const uids = names(20);
    await store.bodies.write('b1', batch(Number.parseInt('b1', 36), { ts: now() - 100, exp: 10 }), uids.length);
    const to = recipients(uids, 'ann', false);
    await store.appender('fanout.0').appendReferences(jobRun('j'), { ref: 'b1', from: 'ann', command: false }, to);
    for (const uid of uids) {
      expect(await redis.client.exists(keys.body('b1'))).toBe(1);
      const log = { channel_id: 'ann', channel_type: 1, login_uid: uid };
      expect((await store.logs.read(log, newest(10))).messages).toEqual([]);
      expect(await store.logs.maxSeq(log)).toBe(1);
    }
    expect(await redis.client.exists(keys.body('b1'), keys.gone('b1'))).toBe(0);
    const [stored] = await store
      .appender('send.0')
      .appendMessages(jobRun('k'), [message(7, { ch: channelName(1, 'u3', 'ann') })]);
    expect(stored?.seq).toBe(2);
  });

  test('are expired by the clock of Redis, whatever this process thinks', async () => {
    const store = redis.open();
    await store.appender('send.0').appendMessages(jobRun('j'), [message(1, { exp: 3600 })]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 });
    expect((await store.logs.read(name, newest(10))).messages).toHaveLength(1);
    expect((await store.logs.bySeqs(ROOM, [1])).map(({ message_seq }) => message_seq)).toEqual([1]);
    expect(await logOf(redis.client, ROOM)).toHaveLength(1);
  });

  test('are left out of every range before limit and more, the first time and later', async () => {
    const random = seededRandom();
    const store = redis.open();
    const isExpired = upTo(400).map(() => random.next() < 0.7);
    await fill(isExpired.map((gone, i) => encodeEntry(gone ? expired(i + 1) : message(i + 1))));
    await redis.client.set(keys.seq(shard(ROOM), ROOM), 400);
    const model = isExpired.flatMap((gone, i) => (gone ? [] : [i + 1]));
    for (let i = 0; i < 60; i++) {
      const pullMode = random.pick([0, 1] as const);
      const range = { start: random.whole(0, 420), end: random.whole(0, 420), limit: random.whole(1, 30), pullMode };
      const isUp = pullMode === 1 && range.start + range.end > 0;
      const inside = model.filter((seq) =>
        isUp
          ? seq >= range.start && (range.end === 0 || seq < range.end)
          : (range.start === 0 || seq <= range.start) && seq > range.end,
      );
      const { more, messages } = await store.logs.read(name, range);
      const expected = isUp ? inside.slice(0, range.limit) : inside.slice(-range.limit);
      expect(messages.map(({ message_seq }) => message_seq)).toEqual(expected);
      expect(more).toBe(inside.length > range.limit ? 1 : 0);
    }
  });
});

describe('subscribers', () => {
  test('come in pages that cost what they return', async () => {
    const store = redis.open({ shards: evenShards(1) });
    await store.channels.addSubscribers(2, 'room', names(20_000));
    let cursor = '0-u1';
    const read = async () => {
      ({ cursor } = await store.channels.subscribers(2, 'room', cursor, 10));
    };
    expect(await sent(read)).toBeLessThan(10_000);
    const ran = await commands(read);
    expect(ran).toMatchObject({ zrange: 1 });
    expect(Object.keys(ran)).not.toContain('smembers');
    expect(await store.channels.count('2:room')).toBe(20_000);
  });

  test('of an earlier version are taken over, whatever touches them first', async () => {
    const before = ['ann', 'bob', '用户', 'Zoe'];
    const everyone = ['Zoe', 'ann', 'bob', 'new', '用户'];
    const touches = [
      async () => {},
      async (room: string) => store.channels.removeSubscribers(2, room, ['nobody']),
      async (room: string) => store.channels.freeze(`2:${room}`, 'abc', 60),
    ];
    const store = redis.open();
    for (const [i, touch] of touches.entries()) {
      const room = `room${i}`;
      for (const uid of before) {
        await redis.client.sadd(keys.subscribers(shard(uid), `2:${room}`), uid);
        await redis.client.sadd(keys.groups(shard(uid), uid), `2:${room}`);
      }
      expect(await store.channels.count(`2:${room}`)).toBe(4);
      await touch(room);
      await store.channels.addSubscribers(2, room, ['new']);
      const { subscribers } = await store.channels.subscribers(2, room, '0-', 100);
      expect(subscribers.sort()).toEqual(everyone);
      expect(await store.channels.count(`2:${room}`)).toBe(5);
    }
  });

  test('whose list of groups is damaged keep nobody else from being added, replaced or removed', async () => {
    const store = redis.open();
    const uids = names(1200);
    await redis.client.set(keys.groups(shard('u7'), 'u7'), 'x');
    await expect(store.channels.addSubscribers(2, 'room', uids)).rejects.toThrow(/^user u7: .*WRONGTYPE/);
    expect(await store.channels.count('2:room')).toBe(1199);
    await expect(store.channels.replaceSubscribers(2, 'room', ['u7', 'u8'])).rejects.toThrow(/^user u7: /);
    expect((await store.channels.subscribers(2, 'room', '0-', 10)).subscribers).toEqual(['u8']);
    await redis.client.del(keys.groups(shard('u7'), 'u7'));
    await store.channels.addSubscribers(2, 'room', ['u7']);
    expect(await store.channels.groupsOf('u7')).toEqual(['2:room']);
  });
});
