import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { every } from '@ruyi/flow';
import { untilServed } from '@ruyi/redis';
import { ensureIndexId } from '@ruyi/search';
import { type IndexHolder, InstallationError, type Store } from '@ruyi/store';

const HOLD_EVERY_MS = 1000;
/** The owner may have been killed just now: what it held lapses after 4 s. */
const PATIENCE_MS = 4500;
const LOOK_EVERY_MS = 250;

export interface Ownership {
  store: Store;
  /** of this process */
  name: string;
  /** folder of the embedded index */
  directory: string;
  signal: AbortSignal;
  /** told once if another indexer took the index, because this one was silent for too long */
  onTaken(owner: IndexHolder): void;
  onError(error: unknown, inARow: number): void;
}

/**
 * Makes this process the owner of the embedded index, for as long as it runs.
 * @returns gives the index free
 * @throws InstallationError naming the owner if another indexer has it
 */
export async function ownIndex(options: Ownership): Promise<() => Promise<void>> {
  const { store, name, directory, signal, onTaken, onError } = options;
  const holder = { name, host: hostname(), directory };
  const id = ensureIndexId(directory);
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    const owner = await untilServed(() => store.indexOwner.hold(holder, id), signal);
    if (!owner) break;
    if (waited >= PATIENCE_MS) {
      throw new InstallationError(
        `the embedded search index belongs to ${owner.name} on ${owner.host} (${owner.directory}), and it has one owner: run one indexer, or set MEILI_URL`,
      );
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
  let isTaken = false;
  const hold = async () => {
    if (!isTaken) ensureIndexId(directory, id);
    const owner = isTaken ? undefined : await store.indexOwner.hold(holder, id);
    if (!owner) return;
    isTaken = true;
    onTaken(owner);
  };
  const stop = every(HOLD_EVERY_MS, hold, onError);
  return async () => {
    await stop();
    await store.indexOwner.release(name);
  };
}
