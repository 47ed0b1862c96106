import { addCoordinator, lettersOfBatch } from '@ruyi/queue';
import { type BroadcastRecord, createStore, keys, type Store } from '@ruyi/store';
import { intercepted, seededRandom, waitFor } from '@ruyi/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { coordinate } from '../src/broadcasts/coordinate.ts';
import { changed, coordinatorContext, createBroadcast, ended, logKey, uploadPart } from './broadcasting.ts';
import { LIMITS, names, testLanes } from './harness.ts';

const lanes = testLanes();
const UIDS = names(12);
const [BROKEN = ''] = UIDS;
const LONGEST_STEP = 5;

/** Commands and scripts of a coordinator; what is sent as a transaction is not among them. */
const HELD = /^(get|set|h|append|del|expire|persist|sscan|take|change|claim|finish|note|write|open|merge|lease|freeze)/;

/** A store over a connection of its own whose `nth` command is sent when `until` resolves. */
function frozenStore(nth: number, until: () => Promise<void>): Store & { calls: () => number } {
  let calls = 0;
  const connection = intercepted(
    lanes.connect(),
    (command) => HELD.test(command),
    async (call) => {
      if (++calls === nth) await until();
      return call();
    },
  );
  return Object.assign(createStore(connection, LIMITS), { calls: () => calls });
}

/** Every uid is in two parts. */
async function uploaded(): Promise<string> {
  const no = await createBroadcast(lanes);
  for (const part of [0, 1]) await uploadPart(lanes, no, part, UIDS);
  return no;
}

/** One whose first recipient has failed, and is tried again: maybe in vain. */
async function retried(isMended: boolean) {
  await lanes.client.set(logKey(BROKEN), 'no log');
  const no = await uploaded();
  await addCoordinator(lanes.queues, await changed(lanes, no, 'start'));
  await putAway(no);
  if (isMended) await lanes.client.del(logKey(BROKEN));
  return changed(lanes, no, 'retry');
}

/** What a coordinator is asked for. */
const KINDS = {
  uploaded: async () => changed(lanes, await uploaded(), 'start'),
  async audience() {
    for (const uid of UIDS) await lanes.store.users.register({ uid, tokenHash: '', deviceFlag: 0, deviceLevel: 0 });
    return changed(lanes, await createBroadcast(lanes, { audience: { known_users: true } }), 'start');
  },
  'retried in vain': () => retried(false),
  'retried and mended': () => retried(true),
};

/** Resolves when it has ended, and whoever ended it has nothing left to do. */
async function putAway(no: string): Promise<BroadcastRecord> {
  const record = await ended(lanes, no);
  const { broadcasts, dead } = lanes.queues;
  const isIdle = async () => {
    const counts = await Promise.all([broadcasts, dead].map((queue) => queue.getJobCountByTypes('active', 'wait')));
    return counts.every((count) => count === 0);
  };
  await waitFor(isIdle, { what: `broadcast ${no} to be put away`, deadlineMs: 30_000, everyMs: 10 });
  return record;
}

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
          const asked = end === 'is cancelled' ? await changed(lanes, no, 'cancel') : { no, run };
          await addCoordinator(lanes.queues, asked);
          await putAway(no);
        });
        await coordinate(coordinatorContext(store, lanes.queues), { no, run }, new AbortController().signal);
        await lanes.settled();
        const record = await putAway(no);
        const wrong = [...(await leftOf(record)), ...(await wrongOf(record))];
        if (wrong.length > 0) found.push(`call ${nth}: ${wrong}`);
        if (store.calls() < nth) break;
      }
      expect(found).toEqual([]);
    },
    300_000,
  );
});
