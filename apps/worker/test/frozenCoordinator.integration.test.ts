import { channelName } from '@ruyi/contracts';
import { addCoordinator, lettersOfBatch, Producer } from '@ruyi/queue';
import type { RedisClient } from '@ruyi/redis';
import { type BroadcastRecord, createStore, keys, recipientShard, refOf, type Store, shardOf } from '@ruyi/store';
import { seededRandom, waitFor } from '@ruyi/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { coordinate } from '../src/broadcasts/coordinate.ts';
import type { CoordinatorContext } from '../src/broadcasts/coordinatorContext.ts';
import { LIMITS, names, testLanes } from './harness.ts';

const lanes = testLanes();
const FROM = 'news';
const UIDS = names(12);
const [BROKEN = ''] = UIDS;
const KEEP_SECONDS = 3600;
const LONGEST_STEP = 5;
const header = { no_persist: 0, red_dot: 0, sync_once: 0 } as const;
const spec = { name: '', from: FROM, header, setting: 0, topic: '', expire: 0, clientMsgNo: '', rate: 0, startAt: 0 };

/** Commands and scripts of a coordinator; what is sent as a transaction is not among them. */
const HELD = /^(get|set|h|append|del|expire|persist|sscan|take|change|claim|finish|note|write|open|merge|lease|freeze)/;

/** A store over a connection of its own whose `nth` command is sent when `until` resolves. */
function frozenStore(nth: number, until: () => Promise<void>): Store & { calls: () => number } {
  let calls = 0;
  const connection = new Proxy<RedisClient>(lanes.connect(), {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      if (!HELD.test(String(property))) return value.bind(target);
      return async (...args: unknown[]) => {
        if (++calls === nth) await until();
        return Reflect.apply(value, target, args);
      };
    },
  });
  return Object.assign(createStore(connection, LIMITS), { calls: () => calls });
}

function contextOf(store: Store): CoordinatorContext {
  return {
    store,
    queues: lanes.queues,
    producer: new Producer(lanes.queues, LIMITS.shards.count),
    keepSeconds: KEEP_SECONDS,
    isMemoryFull: () => false,
    counted() {},
    log: { info() {}, warn() {} },
  };
}

/** Creates a broadcast, as the API does. */
async function create(audience?: { known_users: true }): Promise<string> {
  const { broadcasts, broadcastList, ids } = lanes.store;
  const no = refOf(await ids.one());
  await broadcasts.create(no, { ...spec, ...(audience ? { audience } : {}) }, Buffer.from('hi').toString('base64'));
  await broadcastList.add(no, 1000);
  await broadcasts.persist(no);
  return no;
}

/** Every uid is in two parts. */
async function uploadTwice(no: string): Promise<void> {
  const { recipientLists } = lanes.store;
  const shardFor = recipientShard({ from: FROM, command: false }, LIMITS.shards.count);
  for (const part of [0, 1]) {
    const upload = { no, part, token: `part ${part}` };
    await recipientLists.hold(upload);
    for (const uid of UIDS) await recipientLists.stage(shardFor(uid), upload, `${uid}\n`);
    const counts = { digest: '', accepted: UIDS.length, duplicates: 0, invalid: 0 };
    expect(await recipientLists.commit(upload, counts)).toBe('ok');
    await recipientLists.release(upload);
  }
}

const logKey = (uid: string) => {
  const channel = channelName(1, uid, FROM);
  return keys.log(shardOf(channel, LIMITS.shards), channel);
};

const start = async (no: string) => ({ no, run: (await lanes.store.broadcasts.change(no, 'start'))?.run ?? 0 });

/** One whose first recipient has failed, and is tried again: maybe in vain. */
async function retried(isMended: boolean) {
  await lanes.client.set(logKey(BROKEN), 'no log');
  const no = await create();
  await uploadTwice(no);
  await addCoordinator(lanes.queues, await start(no));
  await ended(no);
  if (isMended) await lanes.client.del(logKey(BROKEN));
  return { no, run: (await lanes.store.broadcasts.change(no, 'retry'))?.run ?? 0 };
}

/** What a coordinator is asked for. */
const KINDS = {
  async uploaded() {
    const no = await create();
    await uploadTwice(no);
    return start(no);
  },
  async audience() {
    for (const uid of UIDS) await lanes.store.users.register({ uid, tokenHash: '', deviceFlag: 0, deviceLevel: 0 });
    return start(await create({ known_users: true }));
  },
  'retried in vain': () => retried(false),
  'retried and mended': () => retried(true),
};

const ended = (no: string): Promise<BroadcastRecord> =>
  waitFor(
    async () => {
      const record = await lanes.store.broadcasts.read(no);
      const { broadcasts, dead } = lanes.queues;
      const counts = await Promise.all([broadcasts, dead].map((queue) => queue.getJobCountByTypes('active', 'wait')));
      return record && record.finishedAt > 0 && counts.every((count) => count === 0) ? record : undefined;
    },
    { what: `broadcast ${no} to end`, deadlineMs: 30_000, everyMs: 10 },
  );

/** What is left of a broadcast that has ended, but what is kept of it. */
async function leftOf({ no, ref = '', claimed }: BroadcastRecord): Promise<string[]> {
  const kept = [keys.about(no), ...(claimed > 0 ? [keys.body(ref), keys.late(ref)] : [])];
  const found = [...(await lanes.client.keys(`r:{*}:*:${no}`)), ...(await lanes.client.keys(`r:{b${no}}:*`))];
  if (ref !== '') found.push(...(await lanes.client.keys(`r:{b${ref}}:*`)));
  const left: string[] = [];
  for (const key of found) {
    const isExpiring = (await lanes.client.ttl(key)) !== -1;
    if (!kept.includes(key) && !isExpiring) left.push(key);
  }
  return left;
}

/** What does not add up: messages that were stored, those that failed, and dead letters. */
async function wrongOf({ ref = '', claimed, cancelled, total }: BroadcastRecord): Promise<string[]> {
  const counts = await Promise.all(
    UIDS.map(async (uid) => ((await lanes.client.type(logKey(uid))) === 'zset' ? lanes.client.zcard(logKey(uid)) : 0)),
  );
  const stored = counts.filter((count) => count === 1).length;
  const progress = ref === '' ? undefined : await lanes.store.progress.read(ref);
  let letters = 0;
  if (ref !== '') for await (const _ of lettersOfBatch(lanes.queues, LIMITS.shards, ref)) letters++;
  const failed = progress?.failed ?? 0;
  const wrong: string[] = [];
  if (counts.some((count) => count > 1)) wrong.push('somebody has it twice');
  if (claimed + cancelled !== total) wrong.push(`${claimed} + ${cancelled} of ${total}`);
  if ((progress?.stored ?? 0) !== stored) wrong.push(`${stored} stored, not ${progress?.stored}`);
  if (failed !== letters || stored + letters !== claimed) {
    wrong.push(`${stored} stored, ${failed} failed, ${letters} letters of ${claimed}`);
  }
  return wrong;
}

beforeEach(() => lanes.work());

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('%s', (kind) => {
  test.each(['is done', 'is cancelled'])(
    'a coordinator that wakes when the broadcast %s changes nothing and leaves nothing',
    async (end) => {
      const random = seededRandom();
      const found: string[] = [];
      // Some of its calls, other ones in each run of the test.
      for (let nth = random.whole(1, LONGEST_STEP); ; nth += random.whole(1, LONGEST_STEP)) {
        await lanes.client.flushall();
        // Nobody else asks for a coordinator.
        await lanes.client.set(keys.tended, '1');
        const { no, run } = await KINDS[kind]();
        const store = frozenStore(nth, async () => {
          const cancelled = end === 'is cancelled' ? await lanes.store.broadcasts.change(no, 'cancel') : undefined;
          await addCoordinator(lanes.queues, { no, run: cancelled?.run ?? run });
          await ended(no);
        });
        await coordinate(contextOf(store), { no, run }, new AbortController().signal);
        await lanes.settled();
        const record = await ended(no);
        const wrong = [...(await leftOf(record)), ...(await wrongOf(record))];
        if (wrong.length > 0) found.push(`call ${nth}: ${wrong}`);
        if (store.calls() < nth) break;
      }
      expect(found).toEqual([]);
    },
    120_000,
  );
});
