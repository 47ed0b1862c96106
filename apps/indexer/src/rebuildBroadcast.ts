import type { Chunk } from '@ruyi/contracts';
import { chunkDocument, type SearchDocument } from '@ruyi/search';
import { type Broadcast, isDamage, type Store } from '@ruyi/store';
import { type IndexedPart, lateDocument } from './documents.ts';

/** A document, and the part of a batch's progress that it stands for, if the progress is still known. */
export interface Rebuilt {
  document: SearchDocument;
  part?: IndexedPart;
}

/**
 * The documents of a broadcast, the same ones that were made of references: one per chunk, without its late recipients, and one
 * per late recipient. If a chunk was being stored while the logs were read, only part of it was seen. It is left out
 * here, because its worker queues it for the indexer once it is stored, and a document that lacks recipients would keep
 * that complete one out.
 * @param recipients uid by position, of all copies that were found
 * @param began seconds of Redis' clock when the rebuild began
 */
export async function broadcastDocuments(
  store: Store,
  {
    ref,
    broadcast,
    recipients,
    began,
  }: { ref: string; broadcast: Broadcast; recipients: Map<number, string>; began: number },
): Promise<Rebuilt[]> {
  const late = new Set(await store.late.among(ref, [...recipients.keys()]));
  const inTime = new Map([...recipients].filter(([position]) => !late.has(position)));
  const chunks = chunksOf(broadcast, inTime);
  const numbers = chunks.map(({ chunk }) => chunk);
  const storedAt = await knownStoredAt(store, ref, numbers);
  const documents: Rebuilt[] = [];
  for (const chunk of chunks) {
    const stored = storedAt?.get(chunk.chunk);
    if (storedAt && (stored?.storedAt ?? Infinity) > began) continue;
    const document = chunkDocument(ref, broadcast.body, chunk);
    if (!stored) documents.push({ document });
    else {
      const size = await sizeInTime(store, ref, chunk, stored.size);
      documents.push({ document, part: { ref, chunk: chunk.chunk, size } });
    }
  }
  for (const position of late) {
    const { document, part } = lateDocument(ref, broadcast, { position, uid: recipients.get(position) ?? '' });
    documents.push({ document, ...(part && storedAt ? { part } : {}) });
  }
  return documents;
}

/** Damaged progress is treated as if it were gone. */
async function knownStoredAt(store: Store, ref: string, chunks: number[]) {
  try {
    return await store.progress.storedAt(ref, chunks);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** How many of a chunk's recipients were not late, including those whose copy is gone by now. */
async function sizeInTime(store: Store, ref: string, { start }: Chunk, size: number): Promise<number> {
  const positions = Array.from({ length: size }, (_, i) => start + i);
  return size - (await store.late.among(ref, positions)).length;
}

/** The chunks as they were cut when the broadcast was sent, with an empty uid for each recipient whose copy is gone. */
function chunksOf({ starts }: Broadcast, recipients: Map<number, string>): Chunk[] {
  const last = [...recipients.keys()].reduce((a, b) => Math.max(a, b), 0);
  return starts.flatMap((start, chunk) => {
    const end = Math.min(starts[chunk + 1] ?? last + 1, last + 1);
    const uids = Array.from({ length: Math.max(0, end - start) }, (_, i) => recipients.get(start + i) ?? '');
    return uids.some((uid) => uid !== '') ? [{ chunk, start, uids: uids.join('\n') }] : [];
  });
}
