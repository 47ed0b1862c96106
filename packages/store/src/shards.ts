const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The shard of a uid or of a channel's name: FNV-1a over its UTF-16 units with a final mix (murmur3's), mod `shards`.
 * Fixed for ever: every stored key depends on it.
 */
export function shardOf(name: string, shards: number): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), FNV_PRIME);
  // FNV-1a alone leaves the low bits of names that differ in the last digit too regular.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % shards;
}

/** The lane of a shard. A function of the shard alone, so a log has one lane of each kind. */
export const laneOf = (shard: number, lanes: number): number => shard % lanes;
