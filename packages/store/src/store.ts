import { Gate } from '@ruyi/flow';
import type { Redis } from 'ioredis';
import { Appender, type StoreLimits } from './append.ts';
import { Bodies } from './bodies.ts';
import { Channels, Users } from './channels.ts';
import { Idempotency } from './idempotency.ts';
import { MessageIds } from './ids.ts';
import { Inboxes } from './inboxes.ts';
import { LateRecipients } from './late.ts';
import { Logs } from './logs.ts';
import { Progress } from './progress.ts';
import { Rebuilds } from './rebuilds.ts';
import { countLosses } from './redis.ts';
import { Reports } from './reports.ts';
import { Trimmer } from './trim.ts';

/** Recipients on their way, over all lanes of a process: every other command waits behind those (invariant 6). */
const FAN_OUT_IN_FLIGHT = 256;

/** All that is kept in Redis besides the queues, over one connection. */
export interface Store {
  redis: Redis;
  /** how often the connection was lost, see countLosses */
  losses(): number;
  limits: StoreLimits;
  logs: Logs;
  inboxes: Inboxes;
  channels: Channels;
  users: Users;
  ids: MessageIds;
  idempotency: Idempotency;
  bodies: Bodies;
  progress: Progress;
  /** of broadcasts: whom the first try could not serve */
  late: LateRecipients;
  trimmer: Trimmer;
  /** of the search index, from what is in Redis */
  rebuilds: Rebuilds;
  /** of processes, about themselves */
  reports: Reports;
  /** A writer for one lane, `send.0` or the like. */
  appender(lane: string): Appender;
}

export function createStore(redis: Redis, limits: StoreLimits): Store {
  const bodies = new Bodies(redis);
  const losses = countLosses(redis);
  const gate = new Gate(FAN_OUT_IN_FLIGHT);
  const trimmer = new Trimmer(redis, bodies, limits);
  return {
    redis,
    losses,
    limits,
    bodies,
    trimmer,
    logs: new Logs(redis, bodies, trimmer, limits.shards),
    inboxes: new Inboxes(redis, bodies, trimmer, limits),
    channels: new Channels(redis, limits.shards),
    users: new Users(redis, limits.shards),
    ids: new MessageIds(redis),
    idempotency: new Idempotency(redis, limits.idempotencyTtl),
    progress: new Progress(redis, limits.idempotencyTtl),
    late: new LateRecipients(redis),
    rebuilds: new Rebuilds(redis),
    reports: new Reports(redis),
    appender: (lane) => new Appender({ redis, losses }, lane, { limits, trimmer, gate }),
  };
}
