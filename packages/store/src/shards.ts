const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The shard of a uid or of a channel's name: FNV-1a over its UTF-16 units with a final mix (murmur3's), mod `shards`.
 * Fixed for ever: every stored key depends on it.
 */
export const shardOf = (name: string, shards: number): number => shardOfHash(fnv1a(FNV_OFFSET, name), shards);

/** The shard of the personal channel of `self` with each peer. Equals shardOf of its name, without building the name. */
export function personalShard(self: string, shards: number): (peer: string) => number {
  const start = fnv1a(FNV_OFFSET, '1:');
  const startOfLower = fnv1a(start, `${self}@`);
  const endOfHigher = `@${self}`;
  return (peer) =>
    shardOfHash(self < peer ? fnv1a(startOfLower, peer) : fnv1a(fnv1a(start, peer), endOfHigher), shards);
}

/** The shard where a recipient of a broadcast is served: of their log with the sender, or of their inbox. */
export const recipientShard = (
  { from, command }: { from: string; command: boolean },
  shards: number,
): ((uid: string) => number) => (command ? (uid) => shardOf(uid, shards) : personalShard(from, shards));

function fnv1a(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}

function shardOfHash(fnv: number, shards: number): number {
  let hash = fnv;
  // FNV-1a alone leaves the low bits of names that differ in the last digit too regular.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % shards;
}

/** The lane of a shard. A function of the shard alone, so a log has one lane of each kind. */
export const laneOf = (shard: number, lanes: number): number => shard % lanes;
