import { setTimeout as pause } from 'node:timers/promises';
import { SAME_SIGNAL_MS } from './runApp.ts';

/** A process that was just started. */
export interface Launched {
  readonly pid: number;
  /** Resolves with its report once it serves; rejects with a StartError if it cannot. */
  readonly ready: Promise<Record<string, unknown>>;
  /** Resolves with a readable reason when the process has ended. Never rejects. */
  readonly gone: Promise<string>;
  signal(signal: NodeJS.Signals): void;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** After a process ran this long, the next pause is the short one again. */
const STEADY_MS = 30_000;
const STOP_DEADLINE_MS = 10_000;

/** Keeps one process running: starts it again whenever it ends, until it is stopped. */
export class Supervised {
  readonly name: string;
  /** its last report */
  details: Record<string, unknown> = {};
  readonly #launch: () => Launched;
  readonly #say: (line: string) => void;
  readonly #drainSeconds: number;
  readonly #stopping = new AbortController();
  #current: Launched | undefined;
  #watching: Promise<void> | undefined;

  /** @param drainSeconds for which it serves on after SIGTERM */
  constructor(name: string, launch: () => Launched, say: (line: string) => void, drainSeconds = 0) {
    this.name = name;
    this.#drainSeconds = drainSeconds;
    this.#launch = launch;
    this.#say = say;
  }

  /** The first start. It rejects if anything goes wrong, and is not tried again. */
  async start(): Promise<void> {
    const launched = this.#launch();
    this.#current = launched;
    this.details = await launched.ready;
    this.#watching = this.#keepRunning(launched);
  }

  async #keepRunning(first: Launched): Promise<void> {
    let current = first;
    let wait = FIRST_PAUSE_MS;
    for (;;) {
      const since = performance.now();
      const reason = await current.gone;
      if (this.#stopping.signal.aborted) return;
      if (performance.now() - since > STEADY_MS) wait = FIRST_PAUSE_MS;
      this.#say(`${this.name} ended (${reason}); starting it again in ${wait / 1000} s`);
      await pause(wait, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return;
      wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
      current = this.#relaunch();
      this.#current = current;
      current.ready.then(
        (details) => {
          this.details = details;
          this.#say(`${this.name} runs again`);
        },
        (error: Error) => {
          if (!this.#stopping.signal.aborted) this.#say(`${this.name}: ${error.message}`);
        },
      );
    }
  }

  /**
   * If the process cannot even be launched (no memory, no file handles), that counts as an end: it is tried again
   * later.
   */
  #relaunch(): Launched {
    try {
      return this.#launch();
    } catch (error) {
      const ready = Promise.reject(error);
      ready.catch(() => {});
      return { pid: 0, ready, gone: Promise.resolve('could not be started'), signal: () => {} };
    }
  }

  /**
   * Ends the process with SIGTERM, or SIGKILL 10 s after its drain. Resolves when it is gone.
   * @param hurry ends the drain when it is aborted, or was before
   */
  async stop(hurry?: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#end(this.#current, hurry);
    await this.#watching;
  }

  async #end(launched: Launched | undefined, hurry?: AbortSignal): Promise<void> {
    if (!launched) return;
    const seconds = STOP_DEADLINE_MS / 1000 + this.#drainSeconds;
    const killing = setTimeout(() => {
      this.#say(`${this.name} did not stop within ${seconds} s: killing it`);
      launched.signal('SIGKILL');
    }, seconds * 1000);
    launched.signal('SIGTERM');
    // Again and again: only the process knows from when on it does not take another signal for the first one.
    const hurrying = setInterval(() => {
      if (this.#drainSeconds > 0 && hurry?.aborted) launched.signal('SIGTERM');
    }, SAME_SIGNAL_MS / 4);
    await launched.gone;
    clearTimeout(killing);
    clearInterval(hurrying);
  }
}
