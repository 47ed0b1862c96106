import { Chunk, SendItem } from '@ruyi/contracts';
import { z } from 'zod';
import type { LaneKind } from './names.ts';

/** A kind of job. This catalogue is its only definition: who adds it and who works it use the same entry. */
export interface JobKind<S extends z.ZodType> {
  /** as BullMQ and the board show it */
  name: string;
  /** where it is worked: on lanes of a kind, or on the queue of the indexer, of the coordinators or of the dead letters */
  place: LaneKind | 'index' | 'broadcasts' | 'dead';
  /** what its data must look like */
  schema: S;
}

const job = <S extends z.ZodType>(name: string, place: JobKind<S>['place'], schema: S): JobKind<S> => ({
  name,
  place,
  schema,
});
type DataOf<K> = K extends JobKind<infer S> ? z.infer<S> : never;

/** What a job carries that tries a dead letter again: whoever works it notes under the letter's id how that ended. */
export const Retried = z.object({
  /** of the dead letter */
  id: z.string(),
  /** the number of this try, from 2 on */
  tries: z.number(),
  /** when the first one failed, in milliseconds */
  firstAt: z.number(),
});
export type Retried = z.infer<typeof Retried>;
const retried = { letter: Retried.optional() };

/** Single messages; stored by apps/worker's storeMessages. */
export const SEND = job('send', 'send', z.object({ items: z.array(SendItem), ...retried }));
export type SendJob = DataOf<typeof SEND>;

/**
 * Part of a broadcast: up to 2,000 recipients of one body, which is already in Redis under `ref`; stored by apps/worker's
 * storeBroadcast.
 */
export const BROADCAST = job(
  'broadcast',
  'fanout',
  z.object({
    ref: z.string(),
    /** of a broadcast of docs/api.md §4: its broadcast_no */
    no: z.string().optional(),
    from: z.string(),
    cmd: z.literal(1).optional(),
    chunks: z.array(Chunk),
    ...retried,
  }),
);
export type BroadcastJob = DataOf<typeof BROADCAST>;

/** A command to every subscriber of a channel; stored by apps/worker's storeGroupCommand. */
export const GROUP_COMMAND = job(
  'group-command',
  'fanout',
  z.object({
    ref: z.string(),
    ch: z.string(),
    idem: z.string().optional(),
    digest: z.string().optional(),
    ...retried,
  }),
);
export type GroupCommandJob = DataOf<typeof GROUP_COMMAND>;

/**
 * Messages to be made searchable by apps/indexer: references, which it reads from Redis. So dead letters are tried again; what
 * was stored just now is in the outboxes of its shards.
 */
export const INDEX = job(
  'index',
  'index',
  z.object({
    /** log entries by channel name and seq */
    logs: z.array(z.object({ ch: z.string(), seqs: z.array(z.number()) })).optional(),
    broadcast: z.object({ ref: z.string(), chunks: z.array(Chunk) }).optional(),
    ...retried,
  }),
);
export type IndexJob = DataOf<typeof INDEX>;

/** Outboxes of a group of shards have references for apps/indexer (indexWaker.ts). */
export const WAKE = job(
  'wake',
  'index',
  z.object({
    group: z.number(),
    /** the first references of some of these outboxes, if they are few: whoever works the job may begin with them */
    pages: z.array(z.object({ shard: z.string(), references: z.array(z.string()) })).optional(),
  }),
);
/** The first references of the outbox of a shard. */
export type WakePage = NonNullable<DataOf<typeof WAKE>['pages']>[number];

/** A broadcast of docs/api.md §4 that needs a coordinator; worked by apps/worker's coordinate. */
export const COORDINATE = job(
  'coordinate',
  'broadcasts',
  z.object({
    no: z.string(),
    /** of the broadcast: a later run ends an earlier one */
    run: z.number(),
  }),
);
export type CoordinateJob = DataOf<typeof COORDINATE>;

/** Where a message should have gone: a log or an inbox, or the counter of one. The words are those of the keys. */
const Place = z.enum(['log', 'seq', 'in', 'inseq']);
export type ProblemPlace = z.infer<typeof Place>;

/** One reason of a dead letter, and how many of its recipients have it. Those of a broadcast are the chunk of the same number. */
export const Problem = z.object({
  /** see letterCodes.ts */
  code: z.string(),
  /** as it was noticed, in the words of Redis or of the engine */
  reason: z.string(),
  count: z.number(),
  /** which key of each recipient is meant */
  place: Place.optional(),
  /** the one key that is meant, if it belongs to none of the recipients */
  key: z.string().optional(),
  /** the type of that key in Redis, if it is the wrong one */
  found: z.string().optional(),
});
export type Problem = z.infer<typeof Problem>;

/**
 * A dead letter: what could not be processed, why, and the job that would do it again (deadLetters/). Earlier versions wrote
 * the first five fields.
 */
export const DEAD = job(
  'dead',
  'dead',
  z.object({
    queue: z.string(),
    name: z.string(),
    reason: z.string(),
    /** the job to put back on `queue` at a retry; absent if the data was unreadable */
    data: z.unknown().optional(),
    /** unreadable data as it was found */
    raw: z.string().optional(),
    problems: z.array(Problem).optional(),
    tries: z.number().optional(),
    /** milliseconds: when the first try failed, and the last one */
    firstAt: z.number().optional(),
    lastAt: z.number().optional(),
  }),
);
export type DeadJob = DataOf<typeof DEAD>;
