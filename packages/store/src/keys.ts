import type { Shard } from './shardTags.ts';

/**
 * Every key of the system except those of the queues (packages/queue). `{shard}` is a hash tag (shardTags.ts), so that all keys that one
 * script touches are in one slot. A broadcast's own keys have another tag.
 */
export const keys = {
  /** string: the last message_seq of a log; absent if it is what the log holds, see include/sequences.lua */
  seq: (shard: Shard, channel: string) => `r:{${shard}}:seq:${channel}`,
  /** sorted set: score = seq, member = entry */
  log: (shard: Shard, channel: string) => `r:{${shard}}:log:${channel}`,
  /** list: entries of a user's commands, gap-free, the newest last */
  inbox: (shard: Shard, uid: string) => `r:{${shard}}:in:${uid}`,
  /** string: seq of the newest command; absent if it is what the inbox holds */
  inboxSeq: (shard: Shard, uid: string) => `r:{${shard}}:inseq:${uid}`,
  /** string: seq of the last acknowledged command */
  cursor: (shard: Shard, uid: string) => `r:{${shard}}:cur:${uid}`,
  /** sorted set, all scores 0: those subscribers of a channel that live in this shard */
  subscribers: (shard: Shard, channel: string) => `r:{${shard}}:sub:${channel}`,
  /** list: those subscribers at the moment of a group command, and an empty string at the end */
  frozen: (shard: Shard, ref: string) => `r:{${shard}}:frozen:${ref}`,
  /** set: names of the channels that a user subscribes to */
  groups: (shard: Shard, uid: string) => `r:{${shard}}:groups:${uid}`,
  /** hash: a channel's info */
  channel: (shard: Shard, channel: string) => `r:{${shard}}:chan:${channel}`,
  /** hash: a registered user; and the set of all of them in this shard */
  user: (shard: Shard, uid: string) => `r:{${shard}}:user:${uid}`,
  users: (shard: Shard) => `r:{${shard}}:users`,
  /** string `<job id> <items applied>[,<number of a failed item>…]`: the last script call that a lane applied in this shard */
  head: (shard: Shard, lane: string) => `r:{${shard}}:head:${lane}`,
  /** list: references to what is not in the search index yet, see outbox/outboxes.ts; hash: its counts */
  outbox: (shard: Shard) => `r:{${shard}}:outbox`,
  outboxCounts: (shard: Shard) => `r:{${shard}}:outcounts`,
  /** string, TTL: see idempotency.ts */
  idem: (shard: Shard, hash: string) => `r:{${shard}}:idem:${hash}`,
  /** hash: a broadcast's body, once */
  body: (ref: string) => `r:{b${ref}}:body`,
  /** bitmap: positions whose entry was trimmed; full means that the body can go */
  gone: (ref: string) => `r:{b${ref}}:gone`,
  /** bitmap: positions of recipients whom the first try could not serve, see broadcasts/lateRecipients.ts */
  late: (ref: string) => `r:{b${ref}}:late`,
  /** hash: see broadcasts/progress.ts */
  progress: (ref: string) => `r:{b${ref}}:progress`,
  /** hash: a broadcast of docs/api.md §4: what it is, its state, its counts; see broadcasts/broadcasts.ts */
  about: (no: string) => `r:{b${no}}:about`,
  /** hash: its uploaded parts, `<digest>:<accepted>:<duplicates>:<invalid>`; and the uploads whose lists are not merged yet */
  parts: (no: string) => `r:{b${no}}:parts`,
  merging: (no: string) => `r:{b${no}}:merging`,
  /** string, TTL: the upload that has a part now */
  upload: (no: string, part: number) => `r:{b${no}}:upload:${part}`,
  /** hash: how many recipients each shard has; how far each was handed out, `<recipients>:<bytes>`; what lanes have */
  counts: (no: string) => `r:{b${no}}:counts`,
  cursors: (no: string) => `r:{b${no}}:cursors`,
  flight: (no: string) => `r:{b${no}}:flight`,
  /** string: its recipients of one shard, a newline behind each; and those of an upload that is not merged yet, TTL */
  recipients: (shard: Shard, no: string) => `r:{${shard}}:bl:${no}`,
  staged: (shard: Shard, no: string, token: string) => `r:{${shard}}:bs:${no}:${token}`,
  /** hash: the state of each broadcast that is listed; the set of the open ones; finished ones by their time */
  broadcastStates: 'r:{broadcasts}:states',
  openBroadcasts: 'r:{broadcasts}:open',
  finishedBroadcasts: 'r:{broadcasts}:finished',
  /** sorted sets by time of creation: broadcasts, and batches that are listed as such */
  broadcasts: 'r:{broadcasts}:list',
  listedBatches: 'r:{broadcasts}:batches',
  /** string, TTL: somebody looked after the broadcasts */
  tended: 'r:{broadcasts}:tended',
  ids: 'r:{ids}:next',
  idsRun: 'r:{ids}:run',
  meta: 'r:{meta}',
  /** string: a rebuild of the search index is asked for; and the process that does it, TTL */
  rebuild: 'r:{meta}:rebuild',
  rebuilder: 'r:{meta}:rebuilder',
  /** string: JSON, how far the rebuild is, or was in the end */
  rebuildProgress: 'r:{meta}:rebuild-progress',
  /** string, TTL: what a process tells about itself; and the set of their names */
  report: (process: string) => `r:{reports}:${process}`,
  reports: 'r:{reports}',
  /** sorted set: all live processes, score = last sign of life; and a hash of what each tells about itself, JSON */
  members: 'r:{meta}:members',
  memberFacts: 'r:{meta}:member-facts',
  /** string, TTL: the indexer that owns the embedded index, JSON */
  indexOwner: 'r:{meta}:index-owner',
  /** string, TTL: the name of the worker that sweeps */
  sweeper: 'r:{meta}:sweeper',
  /** string: the oldest schema whose scripts may write in a shard; absent as long as any may */
  schema: (shard: Shard) => `r:{${shard}}:schema`,
  /** sorted set: worker processes, score = last sign of life */
  workers: 'r:{lanes}:workers',
  /** hash, TTL: lane -> worker, of the lanes of a kind and generation */
  laneOwners: (kind: string, generation: number) => `r:{lanes}:owners:${kind}.${generation}`,
} as const;

/** Pub/sub channel on which workers tell an API process the seqs of messages that it waits for. */
export const storedTopic = (apiName: string): string => `r:stored:${apiName}`;

/** A key of a shard. Keys of the shard itself have no name. */
interface ShardKey {
  shard: Shard;
  /** the word after the tag: `log`, `in`, … */
  kind: string;
  /** of a channel or user */
  name: string | undefined;
}

/** Takes a key of a shard apart. Whether the installation has such a shard is for the caller to know. */
export function parseShardKey(key: string): ShardKey | undefined {
  const [, shard, kind, name] = /^r:\{([0-9a-z]+)\}:(\w+)(?::(.*))?$/s.exec(key) ?? [];
  return shard === undefined || kind === undefined ? undefined : { shard, kind, name };
}

/**
 * Takes a key of a broadcast apart: its `ref`, and what it holds (`body`, `progress`, …). The tag of a shard may begin with a
 * `b` as well, so the caller compares `part` with what it knows.
 */
export function parseBroadcastKey(key: string): { ref: string; part: string } | undefined {
  const [, ref, part] = /^r:\{b([0-9a-z]{1,11})\}:(\w+|upload:\d+)$/.exec(key) ?? [];
  return ref === undefined || part === undefined ? undefined : { ref, part };
}
