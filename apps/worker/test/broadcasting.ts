import { channelName } from '@ruyi/contracts';
import { type CoordinateJob, Producer, type Queues } from '@ruyi/queue';
import {
  type BroadcastAction,
  type BroadcastRecord,
  type BroadcastSpec,
  keys,
  recipientShard,
  refOf,
  type Store,
  shardOf,
} from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect } from 'vitest';
import type { CoordinatorContext } from '../src/broadcasts/coordinatorContext.ts';
import { LIMITS, type TestLanes } from './harness.ts';

const FROM = 'news';
const SPEC: BroadcastSpec = {
  name: '',
  from: FROM,
  header: { no_persist: 0, red_dot: 0, sync_once: 0 },
  setting: 0,
  topic: '',
  expire: 0,
  clientMsgNo: '',
  rate: 0,
  startAt: 0,
};

/** What coordinators in this process work with. */
export function coordinatorContext(store: Store, queues: Queues): CoordinatorContext {
  return {
    store,
    queues,
    producer: new Producer(queues, LIMITS.shards.count),
    keepSeconds: 3600,
    isMemoryFull: () => false,
    counted() {},
    log: { info() {}, warn() {} },
  };
}

/** Creates a broadcast, as the API does. */
export async function createBroadcast({ store }: TestLanes, fields: Partial<BroadcastSpec> = {}): Promise<string> {
  const { broadcasts, broadcastList, ids } = store;
  const no = refOf(await ids.one());
  await broadcasts.create(no, { ...SPEC, ...fields }, Buffer.from('hi').toString('base64'));
  await broadcastList.add(no, 1000);
  await broadcasts.persist(no);
  return no;
}

/** Uploads a part, as the API does; whoever coordinates the broadcast merges it. */
export async function uploadPart({ store }: TestLanes, no: string, part: number, uids: string[]): Promise<void> {
  const { recipientLists } = store;
  const shardFor = recipientShard({ from: FROM, command: false }, LIMITS.shards.count);
  const upload = { no, part, token: `part ${part}` };
  await recipientLists.hold(upload);
  for (const uid of uids) await recipientLists.stage(shardFor(uid), upload, `${uid}\n`);
  const counts = { digest: '', accepted: uids.length, duplicates: 0, invalid: 0 };
  expect(await recipientLists.commit(upload, counts)).toBe('ok');
  await recipientLists.release(upload);
}

/** Changes its state. @returns the coordinator to be asked for */
export async function changed({ store }: TestLanes, no: string, action: BroadcastAction): Promise<CoordinateJob> {
  return { no, run: (await store.broadcasts.change(no, action))?.run ?? 0 };
}

export const ended = ({ store }: TestLanes, no: string): Promise<BroadcastRecord> =>
  waitFor(
    async () => {
      const record = await store.broadcasts.read(no);
      return record && record.finishedAt > 0 ? record : undefined;
    },
    { what: `broadcast ${no} to end`, deadlineMs: 30_000, everyMs: 10 },
  );

/** Where the message of a recipient lies. */
export function logKey(uid: string): string {
  const channel = channelName(1, uid, FROM);
  return keys.log(shardOf(channel, LIMITS.shards), channel);
}
