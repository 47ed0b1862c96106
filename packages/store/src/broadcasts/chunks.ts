import type { Chunk } from '@ruyi/contracts';

/** A recipient of a broadcast, and their position in it. */
export interface Recipient {
  uid: string;
  position: number;
}

/** How many recipients a chunk has. */
export const chunkSize = (chunk: Chunk): number => chunk.uids.split('\n').length;

/** The recipients of a chunk with their positions in the broadcast. */
export function chunkRecipients(chunk: Chunk): Recipient[] {
  return chunk.uids.split('\n').map((uid, i) => ({ uid, position: chunk.at?.[i] ?? chunk.start + i }));
}

/** How a broadcast whose recipients lie in lists per shard is cut into chunks: none has recipients of two shards. */
export interface Cut {
  /** recipients of each shard */
  counts: number[];
  /** recipients of a chunk, at most */
  most: number;
}

/** How the recipients of one shard are cut: chunks of about the same size. */
export function cutShard(count: number, most: number): { size: number; chunks: number } {
  const size = count === 0 ? most : Math.ceil(count / Math.ceil(count / most));
  return { size, chunks: Math.ceil(count / size) };
}

/** Position of the first recipient of each chunk, by the number of the chunk. */
export function startsOf({ counts, most }: Cut): number[] {
  let position = 0;
  return counts.flatMap((count) => {
    const first = position;
    position += count;
    const { size, chunks } = cutShard(count, most);
    return Array.from({ length: chunks }, (_, i) => first + i * size);
  });
}
