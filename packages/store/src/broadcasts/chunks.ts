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
