import type { Shard, Shards } from './shardTags.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The number of the shard of a uid or of a channel's name: FNV-1a over its UTF-16 units with a final mix (murmur3's), mod
 * `count`. Fixed for ever: every stored key depends on it.
 */
export const shardNumber = (name: string, count: number): number => numberOfHash(fnv1a(FNV_OFFSET, name), count);

/** The same shard as keys name it. */
export const shardOf = (name: string, { count, tags }: Shards): Shard => tags[shardNumber(name, count)] ?? '';

/**
 * The number of the shard of the personal channel of `self` with each peer. Equals shardNumber of its name, without
 * building the name.
 */
function personalShard(self: string, count: number): (peer: string) => number {
  const start = fnv1a(FNV_OFFSET, '1:');
  const startOfLower = fnv1a(start, `${self}@`);
  const endOfHigher = `@${self}`;
  return (peer) =>
    numberOfHash(self < peer ? fnv1a(startOfLower, peer) : fnv1a(fnv1a(start, peer), endOfHigher), count);
}

/** The number of the shard where a recipient of a broadcast is served: of their log with the sender, or of their inbox. */
export const recipientShard = (
  { from, command }: { from: string; command: boolean },
  count: number,
): ((uid: string) => number) => (command ? (uid) => shardNumber(uid, count) : personalShard(from, count));

function fnv1a(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}

function numberOfHash(fnv: number, count: number): number {
  let hash = fnv;
  // FNV-1a alone leaves the low bits of names that differ in the last digit too regular.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % count;
}

/** The lane of a shard, by its number. A function of the shard alone, so a log has one lane of each kind. */
export const laneOf = (shard: number, lanes: number): number => shard % lanes;
