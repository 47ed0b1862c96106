import { addCoordinator, BROADCAST, lettersOfBatch } from '@ruyi/queue';
import { type BroadcastAction, type BroadcastSpec, keys } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { changed, createBroadcast, ended, logKey, uploadPart } from './broadcasting.ts';
import { names, testLanes } from './harness.ts';

const lanes = testLanes();

/** Creates a broadcast with these recipients. */
async function openBroadcast(uids: string[], fields: Partial<BroadcastSpec> = {}): Promise<string> {
  const no = await createBroadcast(lanes, fields);
  await uploadPart(lanes, no, 0, uids);
  return no;
}

const isExpiring = async (ref: string) => (await lanes.client.ttl(keys.progress(ref))) > 0;

const change = async (no: string, action: BroadcastAction) =>
  addCoordinator(lanes.queues, await changed(lanes, no, action));

test('a retry that is cancelled ends, also if its coordinator died while letters were on their way', async () => {
  const uids = names(20);
  const [broken = ''] = uids;
  await lanes.client.set(logKey(broken), 'no log');
  const no = await openBroadcast(uids);
  await lanes.work();
  await change(no, 'start');
  const { ref = '' } = await ended(lanes, no);
  expect(await lanes.store.progress.read(ref)).toMatchObject({ stored: 19, failed: 1 });
  await waitFor(async () => (await lanes.letters()).length === 1, { what: 'the letter to be kept' });
  await lanes.rest();

  // What a coordinator leaves that dies after it has taken the letter.
  await lanes.client.del(logKey(broken));
  await lanes.store.broadcasts.change(no, 'retry');
  for await (const { summary, letter } of lettersOfBatch(lanes.queues, lanes.store.layout.shards, ref)) {
    await lanes.store.broadcasts.noteRetried(no, `${ref}.r2-a.1`, { data: BROADCAST.schema.parse(letter.data) });
    await lanes.queues.dead.remove(summary.id);
  }
  await change(no, 'cancel');
  await lanes.work();
  expect(await ended(lanes, no)).toMatchObject({ state: 'cancelled', total: 20, cancelled: 0 });
  expect(await lanes.store.progress.read(ref)).toMatchObject({ stored: 20, failed: 0 });
  expect(await lanes.client.zcard(logKey(broken))).toBe(1);
});

test('a retry waits for letters that are not in the list yet', async () => {
  const uids = names(20);
  const [broken = ''] = uids;
  await lanes.client.set(logKey(broken), 'no log');
  const no = await openBroadcast(uids);
  // As if the worker of the letters were slow.
  await lanes.queues.dead.pause();
  await lanes.work();
  await change(no, 'start');
  const { ref = '' } = await ended(lanes, no);
  expect(await lanes.letters()).toEqual([]);
  await lanes.client.del(logKey(broken));
  await waitFor(() => isExpiring(ref), { what: 'the broadcast to be put away' });
  await change(no, 'retry');
  const hasEnded = async () => ((await lanes.store.broadcasts.read(no))?.finishedAt ?? 0) > 0;
  await waitFor(async () => !(await isExpiring(ref)) || (await hasEnded()), { what: 'the retry to begin' });
  await lanes.queues.dead.resume();
  await ended(lanes, no);
  expect(await lanes.store.progress.read(ref)).toMatchObject({ stored: 20, failed: 0 });
});

test('start_at is by the clock of Redis, also if the clocks of the workers are slow', async () => {
  const no = await openBroadcast(names(5));
  const startAt = (await lanes.store.now()) + 3;
  const changed = await lanes.store.broadcasts.change(no, 'start', startAt);
  expect(changed?.after).toBe('scheduled');
  // To a worker whose clock is an hour slow a job that is due looks like this.
  await addCoordinator(lanes.queues, { no, run: changed?.run ?? 0 }, 3_600_000);
  await lanes.work();
  const { state, startedAt } = await ended(lanes, no);
  expect([state, startedAt >= startAt]).toEqual(['done', true]);
});

test('many broadcasts at once make no process warn of listeners', async () => {
  const warnings: string[] = [];
  const listen = ({ name }: Error) => warnings.push(name);
  process.on('warning', listen);
  try {
    await lanes.work();
    const nos = await Promise.all(names(20).map(() => openBroadcast(names(5), { rate: 1 })));
    for (const no of nos) await change(no, 'start');
    const areRunning = async () => {
      const records = await Promise.all(nos.map((no) => lanes.store.broadcasts.read(no)));
      return records.every((record) => record && record.claimed > 0);
    };
    await waitFor(areRunning, { what: 'all broadcasts to run', deadlineMs: 30_000 });
    for (const no of nos) await change(no, 'cancel');
    for (const no of nos) await ended(lanes, no);
  } finally {
    process.off('warning', listen);
  }
  expect(warnings).toEqual([]);
});
