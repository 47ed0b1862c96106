import type { Config } from '@ruyi/config';
import { untilServed } from '@ruyi/redis';
import { createSearchEngine, type SearchEngine } from '@ruyi/search';
import { requestRebuild, type Store } from '@ruyi/store';
import type { Logger } from '@ruyi/telemetry';
import { untilTaken } from './untilTaken.ts';

interface PreparedEngine {
  engine: SearchEngine;
  /**
   * Resolves when the index can be written, however long its engine is away; rejects with what no repetition heals, or when
   * `signal` aborts.
   */
  prepared: Promise<void>;
  /** resolves when the engine does not answer at once; never if it does */
  isAway: Promise<void>;
}

/** Opens the index for writing, and requests a rebuild if it is newer than the data. */
export function prepareEngine(config: Config, store: Store, signal: AbortSignal, log: Logger): PreparedEngine {
  const engine = createSearchEngine(config, 'writer', (reason, how) => {
    log.warn({ reason }, 'search index lost, it is rebuilt from Redis');
    void untilServed(() => requestRebuild(store, reason, how), signal).catch(() => {});
  });
  let noteAway = () => {};
  const isAway = new Promise<void>((resolve) => {
    noteAway = resolve;
  });
  const prepare = async () => {
    const { created } = await untilTaken(() => engine.prepare(), signal, log, noteAway);
    const isFirst = await untilServed(() => store.rebuilds.noteEngine(engine.name), signal);
    // The engine was changed, or its data was lost while no indexer ran.
    if (created && !isFirst)
      await untilServed(() => requestRebuild(store, 'the search index is new, the data is not'), signal);
  };
  return { engine, prepared: prepare(), isAway };
}
