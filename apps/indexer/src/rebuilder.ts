import { every } from '@ruyi/flow';
import { untilServed } from '@ruyi/redis';
import type { SearchEngine } from '@ruyi/search';
import { type RebuildProgress, requestRebuild, type Store } from '@ruyi/store';
import { firstFailure, type Logger } from '@ruyi/telemetry';
import { noteIndexed } from './handleIndexJob.ts';
import { rebuildFromRedis, ServerChangedError } from './rebuild.ts';
import { untilTaken } from './untilTaken.ts';

const LOOK_EVERY_MS = 2000;
const HOLD_EVERY_MS = 2000;

export interface RebuilderOptions {
  store: Store;
  engine: SearchEngine;
  directory: string;
  signal: AbortSignal;
  log: Logger;
}

/**
 * Rebuilds the index whenever that is requested.
 * @returns a function that stops looking and waits for a running rebuild
 */
export function startRebuilder({ store, engine, directory, signal, log }: RebuilderOptions): () => Promise<void> {
  const look = async () => {
    await engine.check();
    const request = await store.rebuilds.take();
    if (request === undefined) return;
    log.warn(request, 'rebuilding the search index from Redis');
    let progress: RebuildProgress | undefined;
    const hold = async () => {
      if (progress !== undefined) await store.rebuilds.hold(progress);
    };
    const holding = every(HOLD_EVERY_MS, hold, firstFailure(log, 'progress of the rebuild is not noted'));
    let done: typeof request | undefined;
    let server: string | undefined;
    try {
      server = await store.serverRun();
      const fresh = request.fresh ? await engine.begin(true) : undefined;
      const index = fresh ?? engine;
      progress = await rebuildFromRedis({
        store,
        directory,
        id: request.id,
        // Without a new index this one was lost, and what an earlier process had put into it was lost too.
        resume: fresh?.resumed ?? false,
        signal,
        onProgress: (now) => {
          progress = { ...now };
        },
        take: async (documents) => {
          await untilTaken(() => index.index(documents), signal, log);
        },
        noteIndexed: (parts) => untilServed(() => noteIndexed(store, parts), signal),
        onUnreadable: (what, reason) => log.warn({ what, reason }, 'unreadable in Redis, left out of the search index'),
      });
      await fresh?.swap();
      await hold();
      done = request;
      log.info({ documents: progress.documents }, 'search index rebuilt');
    } catch (err) {
      if (err instanceof ServerChangedError) log.warn({ reason: err.message }, 'rebuild is begun again');
      else if (!signal.aborted) log.error({ err }, 'rebuild failed, it is begun again');
    } finally {
      await holding();
      await store.rebuilds.release(done);
    }
    if (done !== undefined) await untilServed(() => askAgainAfterRestart(store, server), signal);
  };
  return every(LOOK_EVERY_MS, look, firstFailure(log, 'cannot look whether the search index is to be rebuilt'));
}

/** A Redis that lost its power has forgotten what was noted last, but this request is gone: it is made once more. */
async function askAgainAfterRestart(store: Store, server: string | undefined): Promise<void> {
  if ((await store.serverRun()) === server) return;
  await requestRebuild(store, 'Redis was restarted while the index was rebuilt');
}
