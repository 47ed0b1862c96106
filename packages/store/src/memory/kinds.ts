import { parseBroadcastKey, parseShardKey } from '../keys.ts';

/** What a key is for, in the words of `ruyi memory`. */
export const MEMORY_KINDS = [
  'logs',
  'inboxes',
  'counters',
  'broadcasts',
  'idempotency',
  'channels and users',
  'queues',
  'dead letters',
  'other',
  'not of Ruyi',
] as const;
export type MemoryKind = (typeof MEMORY_KINDS)[number];

const OF_SHARD: Record<string, MemoryKind> = {
  log: 'logs',
  in: 'inboxes',
  seq: 'counters',
  inseq: 'counters',
  cur: 'counters',
  idem: 'idempotency',
  sub: 'channels and users',
  groups: 'channels and users',
  chan: 'channels and users',
  user: 'channels and users',
  users: 'channels and users',
  frozen: 'channels and users',
  outbox: 'queues',
  outcounts: 'queues',
  bl: 'broadcasts',
  bs: 'broadcasts',
};

const PART_OF_BROADCAST = /^(?:body|gone|late|progress|about|parts|merging|counts|cursors|flight|upload:\d+)$/;

/** The kind of a key (keys.ts; queues have keys of their own). */
export function kindOf(key: string): MemoryKind {
  if (PART_OF_BROADCAST.test(parseBroadcastKey(key)?.part ?? '')) return 'broadcasts';
  const { kind } = parseShardKey(key) ?? {};
  if (kind !== undefined) return OF_SHARD[kind] ?? 'other';
  if (key.startsWith('{r.dead}')) return 'dead letters';
  if (key.startsWith('{r.')) return 'queues';
  return key.startsWith('r:') ? 'other' : 'not of Ruyi';
}

/** The channel or user whose log or inbox a key is. */
export const ownerOf = (key: string): string => parseShardKey(key)?.name ?? key;
