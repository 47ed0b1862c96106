import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { peerOf } from '@ruyi/contracts';
import { messageDocument, type SearchDocument } from '@ruyi/search';
import { type Broadcast, isDamage, type LogPage, type RebuildProgress, type Store } from '@ruyi/store';
import type { IndexedPart } from './documents.ts';
import { broadcastDocuments, type Rebuilt } from './rebuildBroadcast.ts';
import { RecipientTable } from './recipientTable.ts';

/** Redis was restarted while its logs were read, so some may have been missed: the rebuild must start over. */
export class ServerChangedError extends Error {
  override readonly name = 'ServerChangedError';
}

const DOCUMENTS_AT_ONCE = 1000;
/** in characters; a thousand of the largest messages would be a quarter of a gigabyte */
const TEXT_AT_ONCE = 8 * 1024 * 1024;
const ROWS_AT_ONCE = 50_000;
const BODIES_AT_ONCE = 32;

export interface RebuildOptions {
  store: Store;
  /** where the file of RecipientTable is */
  directory: string;
  /** of the request; a later process with the same id continues where this one stopped */
  id: string;
  /** whether the index still holds what an earlier process put into it; if not, the rebuild starts over */
  resume: boolean;
  /** takes documents into the index; resolves when they are in */
  take(documents: SearchDocument[]): Promise<void>;
  /** told which parts are indexed again, for batches whose progress is still known */
  noteIndexed?(parts: IndexedPart[]): Promise<void>;
  /** told what is damaged in Redis and left out of the index */
  onUnreadable?(channel: string, reason: string): void;
  onProgress?(progress: RebuildProgress): void;
  signal: AbortSignal;
}

interface State extends RebuildProgress {
  /** where the scan continues; undefined once all logs are read */
  cursor?: string;
  /** the last broadcast whose documents are made */
  ref: string;
  /** seconds of Redis' clock; whatever was stored until then was there before the first log was read */
  began: number;
}

/**
 * Makes the documents of everything that is stored, the same ones that were made of references: one per message of a log, and
 * one per chunk of a broadcast. The recipients of a broadcast are scattered over many logs. They are collected on disk
 * first, so memory stays bounded however many there are.
 */
export async function rebuildFromRedis(options: RebuildOptions): Promise<RebuildProgress> {
  const { store, directory, id, resume } = options;
  const server = await store.serverRun();
  const notes = resume ? `${id} ${server}` : `${id} ${server} ${Date.now()}`;
  const table = new RecipientTable(join(directory, 'rebuild.sqlite'), notes);
  const state = table.state<State>() ?? (await beginning(store, id));
  try {
    await new Rebuild(options, server, table, state).run();
  } catch (error) {
    table.close();
    throw error;
  }
  table.remove();
  return state;
}

/** One run: logs first, then the broadcasts that they refer to. */
class Rebuild {
  readonly #options: RebuildOptions;
  /** the run of Redis whose logs are read */
  readonly #server: string;
  readonly #table: RecipientTable;
  readonly #state: State;
  readonly #reported = new Set<string>();
  #waiting: Rebuilt[] = [];
  #waitingText = 0;

  constructor(options: RebuildOptions, server: string, table: RecipientTable, state: State) {
    this.#options = options;
    this.#server = server;
    this.#table = table;
    this.#state = state;
  }

  async run(): Promise<void> {
    const [state, table] = [this.#state, this.#table];
    if (state.cursor !== undefined) await this.#readLogs(state.cursor);
    state.broadcasts = table.count();
    for (let ref = table.refAfter(state.ref); ref !== undefined; ref = table.refAfter(ref)) {
      const documents = await this.#documentsOfBroadcast(ref);
      for (const document of documents) await this.#add(document);
      state.ref = ref;
      state.broadcastsRead++;
      if (this.#waiting.length + documents.length >= DOCUMENTS_AT_ONCE) await this.#commit();
    }
    await this.#flush();
  }

  async #readLogs(from: string): Promise<void> {
    const { store, signal } = this.#options;
    const [state, table] = [this.#state, this.#table];
    for await (const { pages, logs, next } of store.logScan.pages(from, signal)) {
      signal.throwIfAborted();
      await this.#addPages(pages);
      if (next === undefined) continue;
      state.cursor = next;
      state.logsRead += logs;
      if (table.uncommitted >= ROWS_AT_ONCE || this.#waiting.length >= DOCUMENTS_AT_ONCE / 2) await this.#commit();
    }
    if ((await store.serverRun()) !== this.#server) {
      throw new ServerChangedError('Redis was restarted while its logs were read');
    }
    delete state.cursor;
    await this.#commit();
  }

  /** Makes documents of messages immediately. References are kept in the table until their broadcast is reached. */
  async #addPages(pages: LogPage[]): Promise<void> {
    const bodies = await this.#bodiesOf(refsIn(pages));
    for (const { channel, entries, unreadable } of pages) {
      if (unreadable !== undefined) this.#options.onUnreadable?.(`channel ${channel}`, unreadable);
      for (const { seq, entry } of entries) {
        if (entry.kind === 'inline') await this.#add({ document: messageDocument(channel, seq, entry.body) });
        else {
          const from = bodies.get(entry.ref)?.body.from;
          if (from !== undefined) this.#table.add(entry.ref, entry.position, peerOf(channel, from));
        }
      }
    }
  }

  async #documentsOfBroadcast(ref: string): Promise<Rebuilt[]> {
    const broadcast = (await this.#bodiesOf([ref])).get(ref);
    if (!broadcast) return [];
    try {
      const recipients = this.#table.recipients(ref);
      return await broadcastDocuments(this.#options.store, { ref, broadcast, recipients, began: this.#state.began });
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#reportOnce(`broadcast ${ref}`, error.message);
      return [];
    }
  }

  /** Those of these broadcasts whose body can be read. */
  async #bodiesOf(refs: string[]): Promise<Map<string, Broadcast>> {
    const bodies = new Map<string, Broadcast>();
    for (let i = 0; i < refs.length; i += BODIES_AT_ONCE) {
      const some = refs.slice(i, i + BODIES_AT_ONCE);
      try {
        for (const [ref, broadcast] of await this.#options.store.bodies.read(some)) bodies.set(ref, broadcast);
      } catch (error) {
        if (!isDamage(error)) throw error;
        // Read one at a time: only the damaged one is left out.
        if (some.length > 1) {
          for (const ref of some) for (const [, one] of await this.#bodiesOf([ref])) bodies.set(ref, one);
        } else this.#reportOnce(`broadcast ${some[0]}`, error.message);
      }
    }
    return bodies;
  }

  #reportOnce(what: string, reason: string): void {
    if (!this.#reported.has(what)) this.#options.onUnreadable?.(what, reason);
    this.#reported.add(what);
  }

  async #add(rebuilt: Rebuilt): Promise<void> {
    this.#waiting.push(rebuilt);
    this.#waitingText += textLength(rebuilt.document);
    if (this.#waiting.length >= DOCUMENTS_AT_ONCE || this.#waitingText >= TEXT_AT_ONCE) await this.#flush();
  }

  async #flush(): Promise<void> {
    const { take, noteIndexed, onProgress, signal } = this.#options;
    signal.throwIfAborted();
    const documents = this.#waiting;
    this.#waiting = [];
    this.#waitingText = 0;
    if (documents.length > 0) await take(documents.map(({ document }) => document));
    await noteIndexed?.(documents.flatMap(({ part }) => part ?? []));
    this.#state.documents += documents.length;
    onProgress?.(this.#state);
  }

  /** Documents must be in the index before they are noted as done. */
  async #commit(): Promise<void> {
    await this.#flush();
    this.#table.commit(this.#state);
  }
}

async function beginning(store: Store, id: string): Promise<State> {
  const began = await store.clock();
  const logs = await store.logScan.count();
  // Progress is noted in whole seconds, so reading begins only in the next second.
  while ((await store.clock()) <= began) await delay(50);
  return { id, logs, logsRead: 0, broadcasts: 0, broadcastsRead: 0, documents: 0, cursor: '0', ref: '', began };
}

/** The broadcasts that these pages refer to. */
function refsIn(pages: LogPage[]): string[] {
  const refs = new Set<string>();
  for (const { entries } of pages) for (const { entry } of entries) if (entry.kind === 'reference') refs.add(entry.ref);
  return [...refs];
}

const textLength = ({ text }: SearchDocument): number =>
  Object.values(text).reduce((sum, value) => sum + value.length, 0);
