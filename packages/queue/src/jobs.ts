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

/** Single messages; stored by apps/worker's storeMessages. */
export const SEND = job('send', 'send', z.object({ items: z.array(SendItem) }));
export type SendJob = DataOf<typeof SEND>;

/**
 * Part of a broadcast: up to 2,000 recipients of one body, which is already in Redis under `ref`; stored by apps/worker's
 * storeBroadcast.
 */
export const BROADCAST = job(
  'broadcast',
  'fanout',
  z.object({ ref: z.string(), from: z.string(), cmd: z.literal(1).optional(), chunks: z.array(Chunk) }),
);
export type BroadcastJob = DataOf<typeof BROADCAST>;

/** A command to every subscriber of a channel; stored by apps/worker's storeGroupCommand. */
export const GROUP_COMMAND = job(
  'group-command',
  'fanout',
  z.object({ ref: z.string(), ch: z.string(), idem: z.string().optional(), digest: z.string().optional() }),
);
export type GroupCommandJob = DataOf<typeof GROUP_COMMAND>;

/** Messages to be made searchable by apps/indexer: references, which it reads from Redis. */
export const INDEX = job(
  'index',
  'index',
  z.object({
    /** log entries by channel name and seq */
    logs: z.array(z.object({ ch: z.string(), seqs: z.array(z.number()) })).optional(),
    broadcast: z.object({ ref: z.string(), chunks: z.array(Chunk) }).optional(),
  }),
);
export type IndexJob = DataOf<typeof INDEX>;

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

/** A dead letter: what could not be processed, why, and the job that would do it again (deadLetters.ts). */
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
  }),
);
export type DeadJob = DataOf<typeof DEAD>;
