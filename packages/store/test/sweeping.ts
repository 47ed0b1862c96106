import { keys, type Store, type StoreLimits, type Swept } from '@ruyi/store';
import { batch, jobRun, now, recipients, type TestStores } from './harness.ts';

export const { signal }: { signal: AbortSignal } = new AbortController();
/** Times of a message that has expired. */
export const LONG_AGO = 1000;
export const expired = () => ({ ts: now() - LONG_AGO, exp: 10 });

let worker = 0;

/** What a round of a worker removes that is new to the sweep. */
export async function sweepWith(redis: TestStores, limits: Partial<StoreLimits> = {}): Promise<Swept | undefined> {
  const name = `worker-${++worker}`;
  const { sweeper } = redis.open(limits);
  const round = await sweeper.sweep(name, signal);
  await sweeper.release(name);
  return round?.swept;
}

/** Stores a batch as a fanout job does. */
export async function storeBatch(
  store: Store,
  ref: string,
  uids: string[],
  { command = false, ...body }: { command?: boolean; ts?: number; exp?: number } = {},
): Promise<void> {
  const broadcast = batch(Number.parseInt(ref, 36), body, command);
  await store.bodies.write(ref, broadcast, uids.length);
  await store.bodies.confirm(ref, broadcast.body);
  const to = recipients(uids, 'ann', command);
  await store.appender('fanout.0').appendReferences(jobRun(`job-${ref}`), { ref, from: 'ann', command }, to);
}

/** Whether the body of a broadcast is there. */
export const hasBody = async ({ client }: TestStores, ref: string) => (await client.exists(keys.body(ref))) === 1;
