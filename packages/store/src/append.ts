import { type Chunk, channelName, personalPair, type SendItem, SYSTEM_UID } from '@ruyi/contracts';
import type { Gate } from '@ruyi/flow';
import { eachLimited, groupBy } from '@ruyi/flow';
import { isTransient, loadScript, untilServed } from '@ruyi/redis';
import type { Redis } from 'ioredis';
import { encodeEntry } from './entries.ts';
import { type FenceConnection, type JobRun, LaneFence } from './fence.ts';
import { storedRecord } from './idempotency.ts';
import { keys } from './keys.ts';
import { shardOf } from './shards.ts';
import type { Trimmer } from './trim.ts';

const appendMessages = loadScript(import.meta.url, 'append-messages');
const appendBroadcast = loadScript(import.meta.url, 'append-broadcast');

/** Bounds that a store script applies with each message, from the configuration. */
export interface StoreLimits {
  shards: number;
  logRetention: number;
  inboxMax: number;
  inboxKeep: number;
  idempotencyTtl: number;
}

/** Recipients or messages in one script call: every other command of Redis waits about one call (invariant 6). */
const CALL_SIZE = 64;
const CALLS_IN_FLIGHT = 4;

/** One thing to write: an entry to a log, or a command to an inbox. */
interface Operation {
  item: SendItem;
  shard: number;
  /** the uid of an inbox; absent for the log of the item's channel */
  uid?: string;
}

export interface StoredMessage {
  item: SendItem;
  /** seq in its log; 0 for a command, and where the message was there already under the same client_msg_no */
  seq: number;
  /** why it could not be stored */
  failure?: string;
  /** of a command that could not be stored: the inboxes that lack it; another one may have it */
  failedInboxes?: string[];
}

/** Who gets a recipient's copy: one log or inbox. */
export interface Recipient {
  uid: string;
  at: number;
}

/** Writes messages into logs and inboxes on behalf of one lane; see fence.ts for what keeps that exactly once. */
export class Appender {
  readonly #redis: Redis;
  readonly #fence: LaneFence;
  readonly #limits: StoreLimits;
  readonly #trimmer: Trimmer;
  readonly #gate: Gate;

  constructor(
    { redis, connectionLosses }: FenceConnection,
    lane: string,
    { limits, trimmer, gate }: { limits: StoreLimits; trimmer: Trimmer; gate: Gate },
  ) {
    this.#redis = redis;
    this.#fence = new LaneFence({ redis, connectionLosses }, lane);
    this.#limits = limits;
    this.#trimmer = trimmer;
    this.#gate = gate;
  }

  /** Stores the messages of a send job, in their order per log and per channel. */
  async appendMessages(run: JobRun, items: SendItem[]): Promise<StoredMessage[]> {
    const stored = new Map<SendItem, StoredMessage>(items.map((item) => [item, { item, seq: 0 }]));
    const byShard = groupBy(
      items.flatMap((item) => this.#operations(item)),
      ({ shard }) => shard,
    );
    await eachLimited(byShard, CALLS_IN_FLIGHT, async ([shard, operations]) => {
      for (const { operation, seq, failure } of await this.#appendOperations(run, shard, operations)) {
        const message = stored.get(operation.item);
        if (!message) continue;
        if (operation.uid === undefined) message.seq = seq;
        if (failure === undefined) continue;
        message.failure = failure;
        if (operation.uid !== undefined) message.failedInboxes = [...(message.failedInboxes ?? []), operation.uid];
      }
    });
    return [...stored.values()];
  }

  #operations(item: SendItem): Operation[] {
    const { shards } = this.#limits;
    if (!item.cmd) return [{ item, shard: shardOf(item.ch, shards) }];
    return commandInboxes(item).map((uid) => ({ item, shard: shardOf(uid, shards), uid }));
  }

  async #appendOperations(run: JobRun, shard: number, operations: Operation[]) {
    const seqs: (number | undefined)[] = [];
    const failed = await this.#fence.apply(
      run,
      shard,
      keys.head(shard, this.#fence.lane),
      { count: operations.length, size: CALL_SIZE },
      {
        script: appendMessages,
        build: (from, to) => this.#messageCall(shard, operations.slice(from, to)),
        read: ([results, over, dropped], from) => {
          this.#trimmer.dropped += Number(dropped);
          const outcome: { index: number; reason: string }[] = [];
          if (Array.isArray(results)) {
            results.forEach((result, index) => {
              if (typeof result === 'number') seqs[from + index] = result;
              else outcome.push({ index, reason: String(result) });
            });
          }
          if (Array.isArray(over)) this.#trimmer.later(over.map((n) => this.#target(operations[from + Number(n) - 1])));
          return { failed: outcome };
        },
      },
    );
    const results = operations.map((operation, index) => {
      const failure = failed.get(index);
      return { operation, seq: seqs[index] ?? 0, ...(failure === undefined ? {} : { failure }) };
    });
    // The seqs of what an earlier run stored, or of a call whose answer got lost, are read back from the log.
    const unknown = results.filter((r) => r.seq === 0 && r.failure === undefined && r.operation.uid === undefined);
    if (unknown.length > 0) {
      await untilServed(async () => {
        const scores = await Promise.all(unknown.map(({ operation: { item } }) => this.#seqOf(shard, item)));
        scores.forEach((score, i) => {
          const result = unknown[i];
          if (result) result.seq = Number(score ?? 0);
        });
      }, run.signal);
    }
    return results;
  }

  /** A repeat was skipped before its log was looked at: where that is broken by now there is no seq, and no failure. */
  async #seqOf(shard: number, item: SendItem): Promise<string | null> {
    return this.#redis.zscore(keys.log(shard, item.ch), encodeEntry(item)).catch((error: unknown) => {
      if (isTransient(error)) throw error;
      return null;
    });
  }

  #messageCall(shard: number, operations: Operation[]) {
    const head = keys.head(shard, this.#fence.lane);
    const callKeys: string[] = [];
    const args: (string | number)[] = [this.#limits.logRetention, this.#limits.inboxMax];
    for (const { item, uid } of operations) {
      if (uid === undefined) callKeys.push(keys.seq(shard, item.ch), keys.log(shard, item.ch));
      else callKeys.push(keys.inboxSeq(shard, uid), keys.inbox(shard, uid));
      callKeys.push(item.idem === undefined ? head : recordKey(shard, item.idem, item, uid));
      args.push(
        uid === undefined ? 'l' : 'i',
        uid === undefined ? encodeEntry(item) : encodeEntry(item, commandTarget(item)),
        item.idem === undefined ? '' : storedRecord({ id: item.id, ts: item.ts, digest: item.digest ?? '' }),
        item.ts + this.#limits.idempotencyTtl,
      );
    }
    return { keys: callKeys, args };
  }

  #target(operation: Operation | undefined) {
    if (!operation) throw new Error('the script named an operation that it was not given');
    const { shard, uid, item } = operation;
    return uid === undefined ? { shard, channel: item.ch } : { shard, uid };
  }

  /**
   * Stores references to one body for a slice of recipients, in the order given.
   * @returns the recipients that could not be served, and why
   */
  async appendReferences(
    run: JobRun,
    broadcast: { ref: string; from: string; command: boolean },
    recipients: Recipient[],
  ): Promise<{ recipient: Recipient; reason: string }[]> {
    const failures: { recipient: Recipient; reason: string }[] = [];
    const byShard = groupBy(targetsOf(broadcast, recipients), ({ name }) => shardOf(name, this.#limits.shards));
    await eachLimited(byShard, shardsAtOnce(recipients.length, byShard.size), async ([shard, targets]) => {
      failures.push(...(await this.#appendReferences(run, shard, broadcast, targets)));
    });
    return failures;
  }

  /** The same for recipients who all live in one shard. */
  async appendReferencesToShard(
    run: JobRun,
    shard: number,
    broadcast: { ref: string; from: string; command: boolean },
    recipients: Recipient[],
  ): Promise<{ recipient: Recipient; reason: string }[]> {
    return this.#appendReferences(run, shard, broadcast, targetsOf(broadcast, recipients));
  }

  /** Positions must rise by one within a call, so where they have gaps a call takes one recipient. */
  async #appendReferences(
    run: JobRun,
    shard: number,
    { command, ref }: { ref: string; command: boolean },
    targets: Target[],
  ): Promise<{ recipient: Recipient; reason: string }[]> {
    const bound = command ? this.#limits.inboxMax : this.#limits.logRetention;
    const first = targets[0]?.recipient.at ?? 0;
    const contiguous = targets.every(({ recipient }, i) => recipient.at === first + i);
    const failed = await this.#fence.apply(
      run,
      shard,
      keys.head(shard, this.#fence.lane),
      { count: targets.length, size: contiguous ? CALL_SIZE : 1 },
      {
        script: appendBroadcast,
        gate: this.#gate,
        build: (from, to) => {
          const callKeys: string[] = [];
          for (const { name } of targets.slice(from, to)) {
            if (command) callKeys.push(keys.inboxSeq(shard, name), keys.inbox(shard, name));
            else callKeys.push(keys.seq(shard, name), keys.log(shard, name));
          }
          return { keys: callKeys, args: [command ? 'i' : 'l', `${ref}.`, targets[from]?.recipient.at ?? 0, bound] };
        },
        read: (remarks, from) => {
          const outcome: { index: number; reason: string }[] = [];
          for (let i = 0; i < remarks.length; i += 2) {
            const index = Number(remarks[i]);
            if (index < 0) {
              this.#trimmer.dropped += Number(remarks[i + 1]);
              continue;
            }
            const reason = String(remarks[i + 1]);
            const target = targets[from + index];
            if (!target) throw new Error('the script named a recipient that it was not given');
            if (reason !== '') outcome.push({ index, reason });
            else this.#trimmer.later([command ? { shard, uid: target.name } : { shard, channel: target.name }]);
          }
          return { failed: outcome };
        },
      },
    );
    return [...failed].flatMap(([index, reason]) => {
      const target = targets[index];
      return target ? [{ recipient: target.recipient, reason }] : [];
    });
  }
}

/** A recipient, and where the copy goes: an inbox by its uid, or a log by its channel. */
interface Target {
  recipient: Recipient;
  name: string;
}

function targetsOf({ command, from }: { command: boolean; from: string }, recipients: Recipient[]): Target[] {
  return recipients.map((recipient) => ({
    recipient,
    name: command ? recipient.uid : channelName(1, recipient.uid, from),
  }));
}

/** Shards that a job of a broadcast writes to at once: about four full calls, or many small ones for one round trip. */
export const shardsAtOnce = (recipients: number, shards: number): number =>
  Math.ceil((CALLS_IN_FLIGHT * CALL_SIZE * shards) / Math.min(CALL_SIZE * shards, Math.max(1, recipients)));

/** How many recipients a chunk has. */
export const chunkSize = (chunk: Chunk): number => chunk.uids.split('\n').length;

/** The recipients of a chunk with their positions in the broadcast. */
export function chunkRecipients(chunk: Chunk): Recipient[] {
  return chunk.uids.split('\n').map((uid, i) => ({ uid, at: chunk.at?.[i] ?? chunk.start + i }));
}

/**
 * Inboxes of a personal command (docs/api.md §2): both users; only the recipient where the system user sends; never the
 * system user's, which has none. Of a command that was set aside, those that lack it.
 */
function commandInboxes(item: SendItem): string[] {
  const pair = personalPair(item.ch) ?? [];
  const users = item.from === SYSTEM_UID ? [commandTarget(item)] : [...new Set(pair)];
  return users.filter((uid) => uid !== SYSTEM_UID && (item.inboxes?.includes(uid) ?? true));
}

/**
 * The idempotency record that goes with an operation: the one that ingress took, but for the sender's copy of a command.
 * Both inboxes may be in one shard, and the second must not be taken for a repeat of the first.
 */
function recordKey(shard: number, idem: string, item: SendItem, uid: string | undefined): string {
  const isSendersCopy = uid === item.from && ![uid, SYSTEM_UID].includes(commandTarget(item));
  return keys.idem(shard, isSendersCopy ? `${idem}.own` : idem);
}

/** The recipient of a personal command as it was sent. */
function commandTarget(item: SendItem): string {
  const [lower = '', higher = ''] = personalPair(item.ch) ?? [];
  return lower === item.from ? higher : lower;
}
