import { personalPair, type SendItem, SYSTEM_UID } from '@ruyi/contracts';
import { eachLimited, groupBy } from '@ruyi/flow';
import { isTransient, loadScript, type RedisClient, untilServed } from '@ruyi/redis';
import { encodeEntry } from '../entries.ts';
import { storedRecord } from '../idempotency.ts';
import { keys } from '../keys.ts';
import { markText, messageReference, type Origin, originText } from '../outbox/reference.ts';
import { shardOf } from '../shards.ts';
import type { Shard, Shards } from '../shardTags.ts';
import { type AppendContext, CALL_SIZE, CALLS_IN_FLIGHT } from './appendContext.ts';
import type { JobRun } from './fence.ts';
import { counterKey, entriesKey, type Place } from './place.ts';

const appendScript = loadScript(import.meta.url, 'append-messages');

/** What waits for the indexer once these messages are stored, as the store script writes it. */
export const referencesTo = (messages: StoredMessage[], origin: Origin): string[] =>
  messages.map(({ item, seq }) => messageReference(origin, seq, Buffer.byteLength(encodeEntry(item)), item.ch));

/** A wake-up of the indexer carries references if they are as few as this: more cost more than a look at the outbox. */
const FEW = 16;

/** One thing to write: an item's entry to its log, or (a command) to one inbox. */
interface Operation {
  item: SendItem;
  place: Place;
}

/** What became of an operation. */
type Result = Pick<StoredMessage, 'seq' | 'failure' | 'isEarlier'> & { operation: Operation };

export interface StoredMessage {
  item: SendItem;
  /** seq in its log; 0 for a command, and if the message was stored already under the same client_msg_no */
  seq: number;
  /**
   * it was stored before this run of the job; or by a call whose answer was lost, or under the same client_msg_no. Whoever
   * stored it may be of a version without outboxes
   */
  isEarlier?: true;
  /** why it could not be stored */
  failure?: string;
  /** of a command that could not be stored: the inboxes that lack it; another one may have it */
  failedInboxes?: string[];
}

/** Stores the messages of a send job, in their order per log and per channel. */
export async function appendMessages(context: AppendContext, run: JobRun, items: SendItem[]): Promise<StoredMessage[]> {
  const stored = new Map<SendItem, StoredMessage>(items.map((item) => [item, { item, seq: 0 }]));
  const byShard = groupBy(
    items.flatMap((item) => operationsOf(item, context.limits.shards)),
    ({ place }) => place.shard,
  );
  await eachLimited(byShard, CALLS_IN_FLIGHT, async ([shard, operations]) => {
    for (const { operation, seq, failure, isEarlier } of await appendToShard(context, run, shard, operations)) {
      const message = stored.get(operation.item);
      if (!message) continue;
      const { place } = operation;
      if ('channel' in place) message.seq = seq;
      if (isEarlier) message.isEarlier = true;
      if (failure === undefined) continue;
      message.failure = failure;
      if ('uid' in place) message.failedInboxes = [...(message.failedInboxes ?? []), place.uid];
    }
  });
  return [...stored.values()];
}

function operationsOf(item: SendItem, shards: Shards): Operation[] {
  if (!item.cmd) return [{ item, place: { shard: shardOf(item.ch, shards), channel: item.ch } }];
  return commandInboxes(item).map((uid) => ({ item, place: { shard: shardOf(uid, shards), uid } }));
}

async function appendToShard(context: AppendContext, run: JobRun, shard: Shard, operations: Operation[]) {
  const { fence, trimmer, redis, handOvers } = context;
  const seqs: number[] = [];
  let mark = '';
  let origin: Origin = { at: 0 };
  const size = { count: operations.length, size: CALL_SIZE };
  const failed = await fence.apply(run, shard, size, {
    script: appendScript,
    build: (from, to) => {
      origin = { at: Date.now(), trace: run.trace };
      mark = markText(origin.at, `${run.jobId} ${from}-${to}`);
      return callOf(context, shard, operations.slice(from, to), { origin, mark });
    },
    applied: (reply, from) => {
      const isFirst = reply.outbox === 'wake' && reply.seqs.length <= FEW;
      handOvers.note(shard, reply.outbox, mark, isFirst ? writtenReferences(operations, from, reply.seqs, origin) : []);
      reply.seqs.forEach((seq, i) => {
        seqs[from + i] = seq;
      });
      trimmer.dropped += reply.dropped;
      trimmer.later(reply.over.map((index) => operationAt(operations, from + index).place));
    },
  });
  const results = operations.map((operation, index): Result => {
    const failure = failed.get(index);
    return { operation, seq: seqs[index] ?? 0, ...(failure === undefined ? {} : { failure }) };
  });
  // The seqs of what an earlier run stored, or of a call whose answer was lost, are read back from the log.
  const unknown = results.filter((r) => r.seq === 0 && r.failure === undefined && 'channel' in r.operation.place);
  if (unknown.length > 0) {
    await untilServed(async () => {
      const found = await Promise.all(unknown.map(({ operation }) => seqOf(redis, shard, operation.item)));
      unknown.forEach((result, i) => {
        result.seq = Number(found[i] ?? 0);
        result.isEarlier = true;
      });
    }, run.signal);
  }
  return results;
}

/** The references that a call has written to an outbox, in their order. */
function writtenReferences(operations: Operation[], from: number, seqs: number[], origin: Origin): string[] {
  const messages = seqs.map((seq, i) => ({ item: operationAt(operations, from + i).item, seq }));
  return referencesTo(
    messages.filter(({ item, seq }) => !item.cmd && seq > 0),
    origin,
  );
}

/**
 * A retried message is skipped by its idempotency record before its log is read. If that log has since become unreadable,
 * there is no seq to report, and no failure either.
 */
async function seqOf(redis: RedisClient, shard: Shard, item: SendItem): Promise<string | null> {
  return redis.zscore(keys.log(shard, item.ch), encodeEntry(item)).catch((error: unknown) => {
    if (isTransient(error)) throw error;
    return null;
  });
}

function callOf(
  { fence, limits, isOutboxFull }: AppendContext,
  shard: Shard,
  operations: Operation[],
  { origin, mark }: { origin: Origin; mark: string },
) {
  const callKeys: string[] = [keys.outbox(shard)];
  const ofOutbox = [originText(origin), mark, isOutboxFull() ? 1 : 0];
  const args: (string | number)[] = [limits.logRetention, limits.inboxMax, ...ofOutbox];
  for (const { item, place } of operations) {
    const uid = 'uid' in place ? place.uid : undefined;
    callKeys.push(counterKey(place), entriesKey(place));
    callKeys.push(item.idem === undefined ? fence.headKey(shard) : recordKey(shard, item.idem, item, uid));
    args.push(
      uid === undefined ? 'l' : 'i',
      uid === undefined ? encodeEntry(item) : encodeEntry(item, commandRecipient(item)),
      item.idem === undefined ? '' : storedRecord({ id: item.id, ts: item.ts, digest: item.digest ?? '' }),
      item.ts + limits.idempotencyTtl,
    );
  }
  return { keys: callKeys, args };
}

function operationAt(operations: Operation[], index: number): Operation {
  const operation = operations[index];
  if (!operation) throw new Error('the script named an operation that it was not given');
  return operation;
}

/**
 * Inboxes of a personal command (docs/api.md §2): both users; only the recipient if the system user sends; never the
 * system user's, which has none. Of a retried dead letter, those that lack it.
 */
function commandInboxes(item: SendItem): string[] {
  const pair = personalPair(item.ch) ?? [];
  const users = item.from === SYSTEM_UID ? [commandRecipient(item)] : [...new Set(pair)];
  return users.filter((uid) => uid !== SYSTEM_UID && (item.inboxes?.includes(uid) ?? true));
}

/**
 * The idempotency record that goes with an operation: the one that ingress claimed, except for the sender's copy of a
 * command. Both inboxes may be in one shard, and the second must not be taken for a repeat of the first.
 */
function recordKey(shard: Shard, idem: string, item: SendItem, uid: string | undefined): string {
  const isSendersCopy = uid === item.from && ![uid, SYSTEM_UID].includes(commandRecipient(item));
  return keys.idem(shard, isSendersCopy ? `${idem}.own` : idem);
}

/** The recipient of a personal command as it was sent. */
function commandRecipient(item: SendItem): string {
  const [lower = '', higher = ''] = personalPair(item.ch) ?? [];
  return lower === item.from ? higher : lower;
}
