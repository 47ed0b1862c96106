import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Chunk, peerOf } from '@ruyi/contracts';
import type { SearchDocument } from '@ruyi/search';
import {
  type Broadcast,
  countLogs,
  type LogPage,
  type RebuildProgress,
  type Store,
  scanLogs,
  serverRun,
} from '@ruyi/store';
import { chunkDocument, messageDocument } from './documents.ts';
import { RecipientTable } from './recipientTable.ts';

/** Redis was restarted while its logs were read, so some may not have been: the rebuild is to be begun again. */
export class ServerChangedError extends Error {
  override readonly name = 'ServerChangedError';
}

const DOCUMENTS_AT_ONCE = 1000;
const ROWS_AT_ONCE = 50_000;

export interface RebuildOptions {
  store: Store;
  /** for the file of RecipientTable */
  directory: string;
  /** of the request: a later process with the same one goes on where this one was */
  id: string;
  /** whether the index still holds what an earlier process put into it; otherwise it begins anew */
  resume: boolean;
  /** takes documents into the index; resolves when they are in */
  take(documents: SearchDocument[]): Promise<void>;
  onProgress?(progress: RebuildProgress): void;
  signal: AbortSignal;
}

interface State extends RebuildProgress {
  /** where the scan goes on; undefined once all logs are read */
  cursor?: string;
  /** the last broadcast that was dealt with */
  ref: string;
  /** seconds of Redis' clock: what was stored until then was there before the first log was read */
  began: number;
}

/**
 * Makes the documents of everything stored again, the same as the workers' references made: each message of a log once,
 * each chunk of a broadcast once. Recipients of broadcasts lie scattered over their logs; they are gathered on disk
 * first, so memory stays bounded however many there are.
 */
export async function rebuildFromRedis(options: RebuildOptions): Promise<RebuildProgress> {
  const { store, directory, id, resume, take, onProgress = () => {}, signal } = options;
  const server = await serverRun(store.redis);
  const notes = resume ? `${id} ${server}` : `${id} ${server} ${Date.now()}`;
  const table = new RecipientTable(join(directory, 'rebuild.sqlite'), notes);
  const state = table.state<State>() ?? (await beginning(store, id));
  let waiting: SearchDocument[] = [];
  const add = async (document: SearchDocument) => {
    waiting.push(document);
    if (waiting.length >= DOCUMENTS_AT_ONCE) await flush();
  };
  const flush = async () => {
    signal.throwIfAborted();
    const documents = waiting;
    waiting = [];
    if (documents.length > 0) await take(documents);
    state.documents += documents.length;
    onProgress(state);
  };
  // What is noted as done must be in the index before.
  const commit = async () => {
    await flush();
    table.commit(state);
  };

  try {
    if (state.cursor !== undefined) await readLogs(state.cursor);
    state.broadcasts = table.count();
    for (let ref = table.refAfter(state.ref); ref !== undefined; ref = table.refAfter(ref)) {
      const broadcast = (await store.bodies.read([ref])).get(ref);
      const chunks = broadcast ? await complete(ref, chunksOf(broadcast, table.recipients(ref))) : [];
      for (const chunk of chunks) if (broadcast) await add(chunkDocument(ref, broadcast, chunk));
      state.ref = ref;
      state.broadcastsRead++;
      if (waiting.length + chunks.length >= DOCUMENTS_AT_ONCE) await commit();
    }
    await flush();
  } catch (error) {
    table.close();
    throw error;
  }
  table.remove();
  return state;

  /**
   * Of a chunk that was being stored while the logs were read only some copies were seen. It is left to the worker, who
   * hands it over to the indexer when it is stored: a document that misses recipients would stand in the way of that one.
   */
  async function complete(ref: string, chunks: Chunk[]): Promise<Chunk[]> {
    if (chunks.length === 0) return [];
    const numbers = chunks.map(({ chunk }) => chunk);
    const storedAt = await store.progress.storedAt(ref, numbers);
    return storedAt ? chunks.filter(({ chunk }) => (storedAt.get(chunk) ?? Infinity) <= state.began) : chunks;
  }

  async function readLogs(from: string): Promise<void> {
    for await (const { pages, logs, next } of scanLogs(store.redis, from, signal)) {
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
      if (next === undefined) continue;
      state.cursor = next;
      state.logsRead += logs;
      if (table.uncommitted >= ROWS_AT_ONCE || waiting.length >= DOCUMENTS_AT_ONCE / 2) await commit();
    }
    if ((await serverRun(store.redis)) !== server) {
      throw new ServerChangedError('Redis was restarted while its logs were read');
    }
    delete state.cursor;
    await commit();
  }
}

async function beginning(store: Store, id: string): Promise<State> {
  const began = await store.progress.clock();
  const logs = await countLogs(store.redis);
  // Progress is noted in whole seconds, so no log is read before the next one.
  while ((await store.progress.clock()) <= began) await delay(50);
  return { id, logs, logsRead: 0, broadcasts: 0, broadcastsRead: 0, documents: 0, cursor: '0', ref: '', began };
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
  const last = [...recipients.keys()].reduce((a, b) => Math.max(a, b), 0);
  return starts.flatMap((start, chunk) => {
    const end = Math.min(starts[chunk + 1] ?? last + 1, last + 1);
    const uids = Array.from({ length: Math.max(0, end - start) }, (_, i) => recipients.get(start + i) ?? '');
    return uids.some((uid) => uid !== '') ? [{ chunk, start, uids: uids.join('\n') }] : [];
  });
}
