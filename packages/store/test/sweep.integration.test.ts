import { channelName } from '@ruyi/contracts';
import { encodeEntry, keys, shardOf } from '@ruyi/store';
import { seededRandom } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { batch, inboxOf, jobRun, LIMITS, logOf, message, names, now, recipients, testStores, upTo } from './harness.ts';
import { expired, hasBody, LONG_AGO, signal, storeBatch, sweepWith } from './sweeping.ts';

const redis = testStores();
const personal = (uid: string) => channelName(1, uid, 'ann');
const store = (items: ReturnType<typeof message>[]) =>
  redis
    .open()
    .appender('send.0')
    .appendMessages(jobRun(`job-${items[0]?.id}`), items);
const seqsOf = async (channel: string) => (await logOf(redis.client, channel)).map(({ seq }) => seq);

describe('logs', () => {
  test('LOG_RETENTION reaches logs that nobody appends to', async () => {
    await store(upTo(700).map((id) => message(id)));
    expect(await sweepWith(redis, { logRetention: 3 })).toMatchObject({ retention: 697 });
    expect(await seqsOf('2:room')).toEqual([698, 699, 700]);
  });

  test('an append between two looks at a long log costs none of its newer messages', async () => {
    await store(upTo(700).map((id) => message(id)));
    let looks = 0;
    const append = async (send: () => Promise<unknown>) => {
      if (++looks === 2) await store([message(701)]);
      return send();
    };
    const { sweeper } = redis.open({ logRetention: 600 }, append, (command) => command === 'sweepLogs');
    await sweeper.sweep('slow', signal);
    expect(looks).toBeGreaterThan(1);
    expect(await seqsOf('2:room')).toEqual(upTo(701).slice(100));
  });

  test('LOG_MAX_AGE drops what is older, wherever it stands', async () => {
    const old = { ts: now() - LONG_AGO };
    await store([message(1, old), message(2), message(3, old), message(4)]);
    await storeBatch(redis.open(), 'b1', ['x', 'y'], old);
    await storeBatch(redis.open(), 'b2', ['x']);
    expect(await sweepWith(redis, { logMaxAge: 900 })).toMatchObject({ age: 4 });
    expect(await seqsOf('2:room')).toEqual([2, 4]);
    expect(await seqsOf(personal('x'))).toEqual([2]);
    expect([await hasBody(redis, 'b1'), await hasBody(redis, 'b2')]).toEqual([false, true]);
    expect(await redis.client.exists(keys.gone('b1'), keys.late('b1'))).toBe(0);
  });

  test('300 expired messages go, and nothing else', async () => {
    const old = { ts: now() - LONG_AGO };
    const items = upTo(600).map((id) => message(id, id % 2 === 0 ? { ...old, exp: 10 } : { exp: 10_000 }));
    await store(items);
    expect(await sweepWith(redis)).toMatchObject({ expired: 300, age: 0, retention: 0 });
    expect(await seqsOf('2:room')).toEqual(upTo(600).filter((seq) => seq % 2 === 1));
  });

  test('an expired broadcast goes with its body, and so do references whose body is gone', async () => {
    await storeBatch(redis.open(), 'b1', names(40), expired());
    await storeBatch(redis.open(), 'b2', names(40));
    await storeBatch(redis.open(), 'b3', names(40));
    await redis.client.del(keys.body('b3'));
    expect(await sweepWith(redis)).toMatchObject({ expired: 80, bodies: 1 });
    for (const uid of names(40)) expect(await seqsOf(personal(uid))).toEqual([2]);
    expect((await redis.client.keys('r:{b*')).sort()).toEqual([keys.body('b2')]);
  });

  test('texts that a client chose are not taken for a time at which a message expires', async () => {
    const nasty = ['",5,5,5', '\\",5,5,5', '",1,1,1,"', '\\\\",9,9,9', '\ud800",5,5,5', '"'.repeat(128)];
    const items = nasty.flatMap((text, i) => [
      message(10 * i + 1, { ts: 1, no: text, from: `a${text}`, topic: text, stream: text, red: 1 }),
      message(10 * i + 2, { ts: 1, no: text, payload: 'YQ==' }),
      message(10 * i + 3, { ts: 1, no: text, topic: text, exp: 1 }),
      message(10 * i + 4, { ts: 1, no: text, topic: text, stream: text, set: 3, exp: 4_000_000_000 }),
    ]);
    await store(items);
    expect(await sweepWith(redis)).toMatchObject({ expired: nasty.length });
    const kept = (await logOf(redis.client, '2:room')).map(({ entry }) => entry);
    expect(kept).toEqual(items.filter(({ exp }) => exp !== 1).map((item) => encodeEntry(item)));
  });

  test('seqs go on where they were, also if nothing is left of a log', async () => {
    const old = expired();
    await store(upTo(5).map((id) => message(id, old)));
    await storeBatch(redis.open(), 'b1', ['x'], old);
    await sweepWith(redis);
    expect(await redis.client.keys('r:*:log:*')).toEqual([]);
    const [next] = await store([message(6)]);
    expect(next?.seq).toBe(6);
    await storeBatch(redis.open(), 'b2', ['x']);
    expect(await seqsOf(personal('x'))).toEqual([2]);
  });

  test('a log without a counter gets one before it holds less than its last seq', async () => {
    const log = keys.log(shardOf('2:room', LIMITS.shards), '2:room');
    for (const seq of upTo(3)) await redis.client.zadd(log, seq, encodeEntry(message(seq, expired())));
    await sweepWith(redis);
    expect((await store([message(4)]))[0]?.seq).toBe(4);
  });

  test('large messages are looked at a few at a time', async () => {
    const payload = 'A'.repeat(256 * 1024);
    await store(upTo(40).map((id) => message(id, { payload, ...(id === 40 ? { ts: 1, exp: 1 } : {}) })));
    expect(await sweepWith(redis)).toMatchObject({ expired: 1 });
    expect(await sweepWith(redis, { logRetention: 2 })).toMatchObject({ retention: 37 });
  });

  test('whatever is in the logs, what is left is what the bounds allow', async () => {
    const random = seededRandom();
    for (let round = 0; round < 5; round++) {
      await redis.client.flushall();
      const bounds = { logRetention: random.pick([0, 1, 7, 300]), logMaxAge: random.pick([0, 900]) };
      const model = new Map<string, { entry: string; ts: number; exp: number }[]>(names(5).map((uid) => [uid, []]));
      for (const n of upTo(random.whole(1, 25))) {
        const times = { ts: now() - random.pick([0, LONG_AGO]), exp: random.pick([0, 0, 10, 100_000]) };
        const to = names(5).filter(() => random.next() < 0.4);
        if (random.next() < 0.4 && to.length > 0) {
          await storeBatch(redis.open(), `b${n}`, to, times);
          for (const { uid, position } of recipients(to, 'ann', false)) {
            model.get(uid)?.push({ entry: `b${n}.${position}`, ...times });
          }
        } else {
          const uid = random.pick(['u0', 'u1', 'u2', 'u3', 'u4']);
          const items = upTo(random.whole(1, 60)).map((i) => message(n * 1000 + i, { ...times, ch: personal(uid) }));
          await store(items);
          for (const item of items) model.get(uid)?.push({ entry: encodeEntry(item), ...times });
        }
      }
      await sweepWith(redis, bounds);
      for (const [uid, all] of model) {
        const newest = bounds.logRetention > 0 ? all.slice(-bounds.logRetention) : all;
        const lives = ({ ts, exp }: { ts: number; exp: number }) =>
          !(exp > 0 && ts + exp <= now()) && !(bounds.logMaxAge > 0 && ts + bounds.logMaxAge <= now());
        const left = (await logOf(redis.client, personal(uid))).map(({ entry }) => entry);
        expect(left, `round ${round}`).toEqual(newest.filter(lives).map(({ entry }) => entry));
      }
    }
  });
});

describe('inboxes', () => {
  /** The sender has an inbox too. */
  const command = (id: number, overrides = {}) => message(id, { ch: personal('bob'), cmd: 1, ...overrides });
  const old = expired();

  test('expired commands lose their content wherever they stand, and the others keep their seq', async () => {
    const [second, fourth] = [command(2), command(4)];
    await store([command(1, old), second, command(3, old), fourth, command(5, old)]);
    await storeBatch(redis.open(), 'b1', ['bob'], { command: true, ...old });
    await storeBatch(redis.open(), 'b2', ['bob'], { command: true });
    expect(await sweepWith(redis)).toMatchObject({ expired: 2 * 3 + 1, bodies: 1 });
    const { entries, newest } = await inboxOf(redis.client, 'bob');
    expect(newest).toBe(7);
    expect(entries).toEqual([encodeEntry(second, 'bob'), '0.0', encodeEntry(fourth, 'bob'), '0.0', '0.0', 'b2.0']);
    expect((await redis.open().inboxes.read('bob', 0, 10)).map((m) => m.message_seq)).toEqual([2, 4, 7]);
    expect(await sweepWith(redis)).toMatchObject({ expired: 0 });
  });

  test('an inbox of which everything has expired is emptied, and seqs go on', async () => {
    await store(upTo(1200).map((id) => command(id, old)));
    await sweepWith(redis, { inboxMax: 10_000 });
    await sweepWith(redis, { inboxMax: 10_000 });
    expect((await inboxOf(redis.client, 'bob')).entries).toEqual([]);
    await store([command(1201)]);
    expect((await inboxOf(redis.client, 'bob')).newest).toBe(1201);
  });

  test('acknowledged commands beyond a lowered INBOX_KEEP go, and their bodies', async () => {
    for (const n of upTo(6)) await storeBatch(redis.open(), `b${n}`, ['bob'], { command: true });
    await redis.open({ inboxKeep: 100 }).inboxes.acknowledge('bob', 4);
    expect(await sweepWith(redis, { inboxKeep: 1 })).toMatchObject({ commands: 3 });
    expect((await inboxOf(redis.client, 'bob')).entries).toEqual(['b4.0', 'b5.0', 'b6.0']);
    expect([await hasBody(redis, 'b3'), await hasBody(redis, 'b4')]).toEqual([false, true]);
  });

  test('a lowered INBOX_MAX is reached', async () => {
    await store(upTo(800).map((id) => command(id)));
    expect(await sweepWith(redis, { inboxMax: 10 })).toMatchObject({ commands: 2 * 790 });
    expect((await inboxOf(redis.client, 'bob')).entries).toHaveLength(10);
  });
});

describe('bodies', () => {
  test('a body goes when every position is gone, whatever kept it then', async () => {
    await storeBatch(redis.open(), 'b1', ['x']);
    await redis.client.setbit(keys.gone('b1'), 0, 1);
    expect(await sweepWith(redis)).toMatchObject({ bodies: 1 });
  });

  test('a group command that is not expanded yet keeps its body', async () => {
    const { bodies } = redis.open();
    await bodies.write('b1', { ...batch(1), kind: 'group', ch: '2:room', cmd: true }, 0);
    await sweepWith(redis);
    expect(await hasBody(redis, 'b1')).toBe(true);
  });

  test('bitmaps whose body is gone go', async () => {
    await redis.client.setbit(keys.gone('b1'), 5, 1);
    await redis.client.setbit(keys.late('b2'), 5, 1);
    await sweepWith(redis);
    expect(await redis.client.keys('r:{b*')).toEqual([]);
  });
});
