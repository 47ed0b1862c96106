import { setTimeout as delay } from 'node:timers/promises';
import type { Chunk } from '@ruyi/contracts';
import {
  areLettersComing,
  BROADCAST,
  type BroadcastJob,
  claimLetter,
  lettersOfBatch,
  settleRetried,
  triesOf,
} from '@ruyi/queue';
import { type BroadcastRecord, chunkRecipients, digestOf, recipientShard } from '@ruyi/store';
import { z } from 'zod';
import type { CoordinatorContext } from './coordinatorContext.ts';

const LOOK_EVERY_MS = 50;
/** A job that Redis does not know this long after it was added is gone. */
const ADD_AGAIN_MS = 2000;
/** A letter is kept at once, but if the worker that was about to keep it died, another one notices that so much later. */
const LETTERS_COME_MS = 15_000;

const Retried = z.object({
  data: BROADCAST.schema,
  /** where it was added last */
  at: z.object({ lane: z.number(), generation: z.number() }).optional(),
});
type Retried = z.infer<typeof Retried>;

/**
 * Puts the jobs of a broadcast's dead letters back on their lanes, and waits until the last of them has ended. A letter stays
 * until it is known how that ended: whoever works the job removes it, or notes one try more. Which jobs there must be is
 * noted first, for whoever takes over. Dropped letters stay failed. Paused or cancelled, no further letter is put back, and
 * those that were are waited for.
 */
export async function retryFailed(
  context: CoordinatorContext,
  record: BroadcastRecord,
  { ref, token }: { ref: string; token: string },
  signal: AbortSignal,
): Promise<void> {
  const { store, queues } = context;
  const { no, run } = record;
  // Whoever was told that some failed may ask for this before all of their letters are kept.
  const until = performance.now() + LETTERS_COME_MS;
  while (!signal.aborted && performance.now() < until && (await areLettersComing(queues, ref))) {
    if (!(await store.broadcasts.setUp(no, token))) break;
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
  for await (const { summary, letter } of lettersOfBatch(queues, store.layout.shards, ref)) {
    if (signal.aborted) return;
    if (!(await store.broadcasts.setUp(no, token))) break;
    const parsed = BROADCAST.schema.safeParse(letter.data);
    if (!parsed.success) continue;
    const { id, firstAt, tries } = summary;
    const data = { ...withPositions(parsed.data), letter: { id, firstAt, tries: tries + 1 } };
    // Another try has another job: a coordinator that takes over may find a letter whose job has ended in vain.
    const jobId = `${ref}.r${run}.${tries + 1}-${digestOf(id).slice(0, 10)}.${recipientsOf(data).length}`;
    const isNew = await store.broadcasts.addRetried(no, jobId, { data });
    signal.throwIfAborted();
    // An operator may try the same letter again by itself just now.
    const isOurs = (await claimLetter(queues, summary, jobId)) === 'claimed';
    if (isNew && !isOurs) await store.broadcasts.retriedLanded(no, jobId);
  }
  const added = new Map<string, number>();
  for (;;) {
    const flying = await store.broadcasts.retried(no);
    if (flying.size === 0 || signal.aborted) return;
    for (const [jobId, kept] of flying) {
      const job = Retried.parse(kept);
      const isOver = await hasEnded(context, { no, ref, jobId }, job, { added, signal });
      signal.throwIfAborted();
      if (isOver) await store.broadcasts.retriedLanded(no, jobId);
    }
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

/** Whether a retried job has ended; adds it if it is not there. */
async function hasEnded(
  context: CoordinatorContext,
  { no, ref, jobId }: { no: string; ref: string; jobId: string },
  { at, data }: Retried,
  { added, signal }: { added: Map<string, number>; signal: AbortSignal },
): Promise<boolean> {
  const { store, queues, producer } = context;
  const state = at ? await queues.lane('fanout', at.lane, at.generation).getJobState(jobId) : 'unknown';
  if (state === 'completed') return true;
  if (state !== 'unknown') return false;
  const recipients = recipientsOf(data);
  const failed = await store.progress.failedAmong(
    ref,
    recipients.map(({ position }) => position),
  );
  signal.throwIfAborted();
  if (failed.size === 0) {
    if (data.letter) await settleRetried(queues, data.letter);
    return true;
  }
  if (data.letter && ((await triesOf(queues, data.letter.id)) ?? 0) >= data.letter.tries) return true;
  if (performance.now() - (added.get(jobId) ?? Number.NEGATIVE_INFINITY) < ADD_AGAIN_MS) return false;
  added.set(jobId, performance.now());
  const left = recipients.filter(({ position }) => failed.has(position));
  const chunk = { chunk: data.chunks[0]?.chunk ?? 0, start: 0, ...packed(left) };
  const shardFor = recipientShard({ from: data.from, command: data.cmd === 1 }, store.layout.shards.count);
  // Any lane will do, because these recipients have lost their place anyway. Where the job is added is noted first: whoever takes
  // over looks there.
  await producer.broadcastToShard(
    { shard: shardFor(left[0]?.uid ?? ''), id: jobId, data: { ...data, chunks: [chunk] } },
    {
      before: (lane) => store.broadcasts.noteRetried(no, jobId, { data, at: lane }),
      guard: () => signal.throwIfAborted(),
    },
  );
  return false;
}

const recipientsOf = (data: BroadcastJob) => data.chunks.flatMap(chunkRecipients);

const packed = (recipients: { uid: string; position: number }[]): Pick<Chunk, 'at' | 'uids'> => ({
  at: recipients.map(({ position }) => position),
  uids: recipients.map(({ uid }) => uid).join('\n'),
});

/** A chunk with positions of its own is one that is tried again: a job that failed as a whole has none yet. */
const withPositions = (data: BroadcastJob): BroadcastJob => ({
  ...data,
  chunks: data.chunks.map((chunk) => ({ ...chunk, ...packed(chunkRecipients(chunk)) })),
});
