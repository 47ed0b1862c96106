import type { Gate } from '@ruyi/flow';
import type { RedisClient, Replicas } from '@ruyi/redis';
import type { HandOvers } from '../outbox/handOvers.ts';
import type { Shards } from '../shardTags.ts';
import type { Trimmer } from '../trimming/trimmer.ts';
import type { LaneFence } from './fence.ts';

/** Bounds that a store script applies with each message, from the configuration. */
export interface StoreLimits {
  shards: Shards;
  logRetention: number;
  /** seconds; 0 keeps all */
  logMaxAge: number;
  inboxMax: number;
  inboxKeep: number;
  idempotencyTtl: number;
}

/** Recipients or messages per script call: every other command of Redis waits about one call (invariant 6). */
export const CALL_SIZE = 64;
export const CALLS_IN_FLIGHT = 4;

/** What the appends of one lane work with. */
export interface AppendContext {
  redis: RedisClient;
  fence: LaneFence;
  limits: StoreLimits;
  trimmer: Trimmer;
  /** shared by the lanes of a process: how many recipients of broadcasts may be on their way */
  gate: Gate;
  replicas: Replicas;
  /** what scripts said of outboxes */
  handOvers: HandOvers;
  /** whether outboxes keep no more references (INDEX_BACKLOG) */
  isOutboxFull(): boolean;
}
