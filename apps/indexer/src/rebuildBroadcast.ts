import type { Chunk } from '@ruyi/contracts';
import { chunkDocument, type SearchDocument } from '@ruyi/search';
import { type Broadcast, isDamage, type Store } from '@ruyi/store';
import { type IndexedPart, lateDocument } from './documents.ts';

/** A document, and what of a batch's progress it stands for, if that is still known. */
export interface Rebuilt {
  document: SearchDocument;
  part?: IndexedPart;
}

/**
 * The documents of a broadcast, the same as the jobs of the workers made: one for each chunk, without those who were late,
 * and one for each late recipient. A chunk that was being stored while the logs were read was seen in part only. It is left
 * to the worker, who hands it over to the indexer when it is stored: a document that misses recipients would stand in the
 * way of that one.
 * @param recipients uid by position, of all copies that were found
 * @param began seconds of Redis' clock, when the rebuild began
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

/** Progress that is damaged tells as little as progress that is gone. */
async function knownStoredAt(store: Store, ref: string, chunks: number[]) {
  try {
    return await store.progress.storedAt(ref, chunks);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** How many of a chunk's recipients were not late; those whose copy is gone by now count. */
async function sizeInTime(store: Store, ref: string, { start }: Chunk, size: number): Promise<number> {
  const positions = Array.from({ length: size }, (_, i) => start + i);
  return size - (await store.late.among(ref, positions)).length;
}

/** The chunks as they were cut when the broadcast was sent; a recipient whose copy is gone leaves a blank. */
function chunksOf({ starts }: Broadcast, recipients: Map<number, string>): Chunk[] {
  const last = [...recipients.keys()].reduce((a, b) => Math.max(a, b), 0);
  return starts.flatMap((start, chunk) => {
    const end = Math.min(starts[chunk + 1] ?? last + 1, last + 1);
    const uids = Array.from({ length: Math.max(0, end - start) }, (_, i) => recipients.get(start + i) ?? '');
    return uids.some((uid) => uid !== '') ? [{ chunk, start, uids: uids.join('\n') }] : [];
  });
}
