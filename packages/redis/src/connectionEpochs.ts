import { sharedAbort } from '@ruyi/flow';

/**
 * A connection epoch ends when a connection is lost. A Redis that comes back after a loss of power has forgotten its last
 * moments, and so has a replica that takes the place of a master: what was found out in an earlier epoch may not hold any
 * more. Work that builds on it stops at the end of its epoch, and begins again in the next one.
 */
export class ConnectionEpochs {
  #present = sharedAbort();
  #hasStopped = false;

  /** @param watch has `lost` called whenever one of the connections is lost */
  constructor(watch: (lost: () => void) => void) {
    watch(() => {
      const before = this.#present;
      if (!this.#hasStopped) this.#present = sharedAbort();
      before.abort();
    });
  }

  /** Aborted at the end of the present epoch. */
  get present(): AbortSignal {
    return this.#present.signal;
  }

  /** Nothing begins again. */
  get hasStopped(): boolean {
    return this.#hasStopped;
  }

  /** Ends the last epoch. */
  stop(): void {
    this.#hasStopped = true;
    this.#present.abort();
  }
}
