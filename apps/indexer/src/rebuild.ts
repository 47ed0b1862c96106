import { join } from 'node:path';
import { type Chunk, peerOf } from '@ruyi/contracts';
import type { SearchDocument } from '@ruyi/search';
import { type Broadcast, type LogPage, type Store, scanLogs } from '@ruyi/store';
import { chunkDocument, messageDocument } from './documents.ts';
import { RecipientTable } from './recipientTable.ts';

const DOCUMENTS_AT_ONCE = 1000;

/** Takes documents into the index; resolves when they are in. */
export type Taker = (documents: SearchDocument[]) => Promise<void>;

/**
 * Makes the documents of everything stored again, the same as the workers' references made: each message of a log once,
 * each chunk of a broadcast once. Recipients of broadcasts lie scattered over their logs; they are gathered on disk
 * first, so memory stays bounded however many there are.
 */
export async function rebuildFromRedis(
  store: Store,
  directory: string,
  take: Taker,
  signal: AbortSignal,
): Promise<{ documents: number }> {
  const table = new RecipientTable(join(directory, 'rebuild.sqlite'));
  let count = 0;
  let waiting: SearchDocument[] = [];
  const add = async (document: SearchDocument) => {
    count++;
    waiting.push(document);
    if (waiting.length >= DOCUMENTS_AT_ONCE) await flush();
  };
  const flush = async () => {
    const documents = waiting;
    waiting = [];
    if (documents.length > 0) await take(documents);
  };
  try {
    for await (const pages of scanLogs(store.redis)) {
      signal.throwIfAborted();
      const senders = await sendersOf(store, pages);
      for (const { channel, entries } of pages) {
        for (const { seq, entry } of entries) {
          if (entry.kind === 'inline') await add(messageDocument(channel, seq, entry.body));
          else {
            const from = senders.get(entry.ref);
            if (from !== undefined) table.add(entry.ref, entry.at, peerOf(channel, from));
          }
        }
      }
    }
    for (const ref of table.refs()) {
      signal.throwIfAborted();
      const broadcast = (await store.bodies.read([ref])).get(ref);
      if (!broadcast) continue;
      for (const chunk of chunksOf(broadcast, table.recipients(ref))) await add(chunkDocument(ref, broadcast, chunk));
    }
    await flush();
  } finally {
    table.close();
  }
  return { documents: count };
}

/** The sender of each broadcast that these pages refer to. */
async function sendersOf(store: Store, pages: LogPage[]): Promise<Map<string, string>> {
  const refs = new Set<string>();
  for (const { entries } of pages) for (const { entry } of entries) if (entry.kind === 'reference') refs.add(entry.ref);
  const bodies = await store.bodies.read(refs);
  return new Map([...bodies].map(([ref, { body }]) => [ref, body.from]));
}

/** The chunks as they were cut when the broadcast was sent; a recipient whose copy is gone leaves a blank. */
function chunksOf({ starts }: Broadcast, recipients: Map<number, string>): Chunk[] {
  const last = Math.max(...recipients.keys());
  return starts.flatMap((start, chunk) => {
    const end = Math.min(starts[chunk + 1] ?? last + 1, last + 1);
    const uids = Array.from({ length: Math.max(0, end - start) }, (_, i) => recipients.get(start + i) ?? '');
    return uids.some((uid) => uid !== '') ? [{ chunk, start, uids: uids.join('\n') }] : [];
  });
}
