import { Gate } from '@ruyi/flow';
import {
  countConnectionLosses,
  NO_REPLICAS,
  onConnectionLost,
  type RedisClient,
  RedisClock,
  type Replicas,
  type ReplicaWait,
  redisMemory,
  serverClock,
  serverRun,
  waitForReplicas,
} from '@ruyi/redis';
import type { StoreLimits } from './append/appendContext.ts';
import { type Appender, createAppender } from './append/appender.ts';
import { LaneFence } from './append/fence.ts';
import { Bodies } from './broadcasts/bodies.ts';
import { BroadcastList } from './broadcasts/broadcastList.ts';
import { Broadcasts } from './broadcasts/broadcasts.ts';
import { LateRecipients } from './broadcasts/lateRecipients.ts';
import { Progress } from './broadcasts/progress.ts';
import { RecipientLists } from './broadcasts/recipientLists.ts';
import { Channels } from './channels/channels.ts';
import { Users } from './channels/users.ts';
import { durably } from './durably.ts';
import { Idempotency } from './idempotency.ts';
import { Inboxes } from './inboxes/inboxes.ts';
import { IndexOwner } from './installation/indexOwner.ts';
import { LaneMembers } from './installation/laneMembers.ts';
import { LanePlans } from './installation/lanePlan.ts';
import { Members } from './installation/members.ts';
import { MessageIds } from './installation/messageIds.ts';
import { Rebuilds } from './installation/rebuilds.ts';
import { Reports } from './installation/reports.ts';
import { storedTopic } from './keys.ts';
import { LogScan } from './logs/logScan.ts';
import { Logs } from './logs/logs.ts';
import { HandOvers } from './outbox/handOvers.ts';
import { Outboxes } from './outbox/outboxes.ts';
import type { Shards } from './shardTags.ts';
import { Sweeper } from './sweep/sweeper.ts';
import { Trimmer } from './trimming/trimmer.ts';

/** Recipients in flight over all lanes of a process: every other command waits behind them (invariant 6). */
const FAN_OUT_IN_FLIGHT = 256;

/** All that is kept in Redis besides the queues, over one connection. */
export interface Store {
  /** what is fixed for an installation */
  layout: { shards: Shards };
  /** how often the connection was lost so far, see countConnectionLosses */
  connectionLosses(): number;
  /** makes sure that replicas have what was written (REDIS_WAIT) */
  replicas: Replicas;
  /** Does work that may be repeated, until REDIS_WAIT replicas have what it wrote under these keys; see durably.ts. */
  durably(written: string[], work: () => Promise<void>): Promise<void>;
  /** calls `listener` whenever the connection is lost */
  onConnectionLost(listener: () => void): void;
  /** rejects if Redis does not serve */
  health(): Promise<void>;
  /** memory used and allowed, in bytes; `allowed` 0 without a bound */
  memory(): Promise<{ used: number; allowed: number }>;
  /** seconds by Redis' clock, which is the same for every process */
  clock(): Promise<number>;
  /** the same, carried on by the local monotonic clock: for requests, of which each must not ask (`RedisClock`) */
  now(): number | Promise<number>;
  /** names the run of the server, which ends with its process */
  serverRun(): Promise<string>;
  /** tells an API process the seqs of messages that it waits for: message_id, seq */
  announceStored(api: string, seqs: [id: number, seq: number][]): Promise<void>;
  logs: Logs;
  /** every log, for a rebuild of the index */
  logScan: LogScan;
  inboxes: Inboxes;
  channels: Channels;
  users: Users;
  ids: MessageIds;
  idempotency: Idempotency;
  bodies: Bodies;
  progress: Progress;
  /** broadcasts of docs/api.md §4, which of them there are, and their recipients */
  broadcasts: Broadcasts;
  broadcastList: BroadcastList;
  recipientLists: RecipientLists;
  /** recipients of broadcasts whom the first try could not serve */
  late: LateRecipients;
  trimmer: Trimmer;
  /** removes what trimming at appends does not reach */
  sweeper: Sweeper;
  /** rebuilds of the search index from what is in Redis */
  rebuilds: Rebuilds;
  /** what processes report about themselves */
  reports: Reports;
  /** references to what is stored and not in the search index yet */
  outboxes: Outboxes;
  /** which indexer owns the embedded index */
  indexOwner: IndexOwner;
  /** all processes that live */
  members: Members;
  /** worker processes that share the lanes */
  laneMembers: LaneMembers;
  /** how many lanes there are */
  lanePlans: LanePlans;
  /**
   * A writer for one lane, `send.0` or the like.
   * @param isOutboxFull whether too much waits for the indexer, so that no more references are kept
   */
  appender(lane: string, isOutboxFull?: () => boolean): Appender;
}

/**
 * @param waiting the connection that waits for replicas, and how many; without it nobody waits. Another master there than
 * before counts as a lost connection as well
 */
export function createStore(redis: RedisClient, limits: StoreLimits, waiting?: ReplicaWait): Store {
  const bodies = new Bodies(redis);
  const replicas = waiting ? waitForReplicas(waiting.redis, waiting.replicas) : NO_REPLICAS;
  const connections = waiting ? [redis, waiting.redis] : [redis];
  const counts = connections.map(countConnectionLosses);
  const connectionLosses = () => counts.reduce((sum, count) => sum + count(), 0);
  const gate = new Gate(FAN_OUT_IN_FLIGHT);
  const trimmer = new Trimmer(redis, bodies, limits);
  const clock = new RedisClock(redis);
  return {
    layout: { shards: limits.shards },
    connectionLosses,
    replicas,
    durably: (written, work) => durably({ replicas, connectionLosses }, written, work),
    onConnectionLost: (listener) => {
      for (const connection of connections) onConnectionLost(connection, listener);
    },
    health: async () => void (await redis.ping()),
    memory: () => redisMemory(redis),
    clock: () => serverClock(redis),
    now: () => clock.seconds(),
    serverRun: () => serverRun(redis),
    announceStored: async (api, seqs) => void (await redis.publish(storedTopic(api), JSON.stringify(seqs))),
    bodies,
    trimmer,
    sweeper: new Sweeper(redis, trimmer, limits),
    logScan: new LogScan(redis),
    logs: new Logs(redis, bodies, trimmer, limits.shards),
    inboxes: new Inboxes(redis, bodies, trimmer, limits),
    channels: new Channels(redis, limits.shards),
    users: new Users(redis, limits.shards),
    ids: new MessageIds(redis),
    idempotency: new Idempotency(redis, limits.idempotencyTtl),
    progress: new Progress(redis, limits.idempotencyTtl),
    broadcasts: new Broadcasts(redis),
    broadcastList: new BroadcastList(redis),
    recipientLists: new RecipientLists(redis, limits.shards),
    late: new LateRecipients(redis),
    rebuilds: new Rebuilds(redis),
    reports: new Reports(redis),
    indexOwner: new IndexOwner(redis),
    members: new Members(redis),
    laneMembers: new LaneMembers(redis),
    lanePlans: new LanePlans(redis),
    outboxes: new Outboxes(redis, limits.shards),
    appender: (lane, isOutboxFull = () => false) => {
      const fence = new LaneFence({ redis, connectionLosses }, lane);
      const handOvers = new HandOvers();
      return createAppender({ redis, fence, limits, trimmer, gate, replicas, handOvers, isOutboxFull });
    },
  };
}
