import { channelName } from '@ruyi/contracts';
import { eachLimited, groupBy } from '@ruyi/flow';
import { loadScript } from '@ruyi/redis';
import type { Recipient } from '../broadcasts/chunks.ts';
import { shardOf } from '../shards.ts';
import type { Shard } from '../shardTags.ts';
import { type AppendContext, CALL_SIZE, CALLS_IN_FLIGHT } from './appendContext.ts';
import type { JobRun } from './fence.ts';
import { counterKey, entriesKey, type Place } from './place.ts';

const appendScript = loadScript(import.meta.url, 'append-references');

/** Of a broadcast, what decides where its references go. */
export interface ReferenceSource {
  ref: string;
  from: string;
  /** to inboxes instead of logs */
  command: boolean;
}

/** A recipient who could not be served. */
export interface FailedRecipient {
  recipient: Recipient;
  reason: string;
}

/** A recipient, and the log or inbox that the reference goes to. */
interface Copy {
  recipient: Recipient;
  place: Place;
}

/**
 * Stores references to one body for a slice of recipients, in the order given.
 * @returns the recipients that could not be served, and why
 */
export async function appendReferences(
  context: AppendContext,
  run: JobRun,
  broadcast: ReferenceSource,
  recipients: Recipient[],
): Promise<FailedRecipient[]> {
  const failures: FailedRecipient[] = [];
  const byShard = groupBy(copiesOf(context, broadcast, recipients), ({ place }) => place.shard);
  await eachLimited(byShard, shardsAtOnce(recipients.length, byShard.size), async ([shard, copies]) => {
    failures.push(...(await appendToShard(context, run, shard, broadcast, copies)));
  });
  return failures;
}

/** The same for recipients who all live in one shard. */
export const appendReferencesToShard = (
  context: AppendContext,
  run: JobRun,
  shard: Shard,
  broadcast: ReferenceSource,
  recipients: Recipient[],
): Promise<FailedRecipient[]> =>
  appendToShard(context, run, shard, broadcast, copiesOf(context, broadcast, recipients));

/** Positions must rise by one within a call, so if they have gaps a call takes one recipient. */
async function appendToShard(
  { fence, limits, trimmer, gate }: AppendContext,
  run: JobRun,
  shard: Shard,
  { command, ref }: ReferenceSource,
  copies: Copy[],
): Promise<FailedRecipient[]> {
  const bound = command ? limits.inboxMax : limits.logRetention;
  const first = copies[0]?.recipient.position ?? 0;
  const contiguous = copies.every(({ recipient }, i) => recipient.position === first + i);
  const size = { count: copies.length, size: contiguous ? CALL_SIZE : 1 };
  const failed = await fence.apply(run, shard, size, {
    script: appendScript,
    gate,
    build: (from, to) => {
      const callKeys: string[] = [];
      for (const { place } of copies.slice(from, to)) callKeys.push(counterKey(place), entriesKey(place));
      return { keys: callKeys, args: [command ? 'i' : 'l', `${ref}.`, copies[from]?.recipient.position ?? 0, bound] };
    },
    applied: ({ over, dropped }, from) => {
      trimmer.dropped += dropped;
      trimmer.later(over.map((index) => copyAt(copies, from + index).place));
    },
  });
  return [...failed].map(([index, reason]) => ({ recipient: copyAt(copies, index).recipient, reason }));
}

function copyAt(copies: Copy[], index: number): Copy {
  const copy = copies[index];
  if (!copy) throw new Error('the script named a recipient that it was not given');
  return copy;
}

function copiesOf({ limits }: AppendContext, { command, from }: ReferenceSource, recipients: Recipient[]): Copy[] {
  return recipients.map((recipient) => {
    const { uid } = recipient;
    if (command) return { recipient, place: { shard: shardOf(uid, limits.shards), uid } };
    const channel = channelName(1, uid, from);
    return { recipient, place: { shard: shardOf(channel, limits.shards), channel } };
  });
}

/** Shards that a job of a broadcast writes to at once: about four full calls, or many small ones per round trip. */
export const shardsAtOnce = (recipients: number, shards: number): number =>
  Math.ceil((CALLS_IN_FLIGHT * CALL_SIZE * shards) / Math.min(CALL_SIZE * shards, Math.max(1, recipients)));
