import { setTimeout as delay } from 'node:timers/promises';

/** Looks whether a process may serve. Resolves with the reason why not, in words that anybody may read. */
export type ServingCheck = () => Promise<string | undefined>;

type State = 'starting' | 'ready' | 'draining';

/** A probe gets its answer within 1 s, whatever is down. */
const CHECK_MS = 900;
/** So many probes, of whatever number of load balancers, ask Redis at most twice a second. */
const FRESH_MS = 500;
const NO_ANSWER = 'Redis does not answer';

/** Whether requests should be sent to this process: it has started, what it needs answers, and it is not about to stop. */
export class Readiness {
  #state: State = 'starting';
  #check: ServingCheck = async () => undefined;
  /** the check that runs; while Redis hangs it stays the only one */
  #running: Promise<string | undefined> | undefined;
  #known: { reason: string | undefined; until: number } | undefined;

  get state(): State {
    return this.#state;
  }

  /** The process serves from now on, as long as `check` finds nothing. */
  begin(check?: ServingCheck): void {
    if (check !== undefined) this.#check = check;
    if (this.#state === 'starting') this.#state = 'ready';
  }

  /** It still serves, but no new clients should come. */
  drain(): void {
    this.#state = 'draining';
  }

  /** @returns why no requests should be sent here; undefined if they should. Never rejects; takes at most a second. */
  async reason(): Promise<string | undefined> {
    if (this.#state !== 'ready') return this.#state;
    const reason = await this.#look();
    // It may have begun to drain meanwhile.
    return this.#state === 'ready' ? reason : this.#state;
  }

  async #look(): Promise<string | undefined> {
    if (this.#known !== undefined && performance.now() < this.#known.until) return this.#known.reason;
    this.#running ??= this.#check()
      .catch(() => NO_ANSWER)
      .then((reason) => {
        this.#running = undefined;
        this.#known = { reason, until: performance.now() + FRESH_MS };
        return reason;
      });
    const late = new AbortController();
    const timeout = delay(CHECK_MS, NO_ANSWER, { signal: late.signal, ref: false }).catch(() => NO_ANSWER);
    return Promise.race([this.#running, timeout]).finally(() => late.abort());
  }
}
