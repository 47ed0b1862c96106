import type { Presentation } from '../payload/presentPayload.ts';
import { SearchUnavailableError } from '../searchEngine.ts';
import type { SearchQuery, SearchResult } from '../searchQuery.ts';
import { COMPILED_ENTRY } from './compiledEntry.ts';
import { SearchProcess } from './searchProcess.ts';
import type { EngineSettings, FromProcess, Task } from './tasks.ts';
import { WaitingSearches } from './waitingSearches.ts';

export interface ProcessBounds {
  processes: number;
  /** how long one turn may keep a process, for all of its tasks together */
  turnMs: number;
  waitMs: number;
  /** how long a process may take to start */
  startMs: number;
  most: number;
  mostOfOne: number;
}

export interface SearchProcessesOptions {
  engine: EngineSettings;
  bounds?: Partial<ProcessBounds>;
  /** called with one line when a process ends by itself */
  note?: (line: string) => void;
  /** the JavaScript file that each process runs; COMPILED_ENTRY unless given */
  entry?: string;
}

const BOUNDS: ProcessBounds = {
  processes: 2,
  turnMs: 2000,
  waitMs: 5000,
  startMs: 20_000,
  most: 256,
  mostOfOne: 16,
};

/** A search's exclusive use of one process, until it is done. */
export interface SearchTurn {
  /** the id of the process */
  readonly pid: number;
  /** @throws SearchUnavailableError */
  search(query: SearchQuery): Promise<SearchResult>;
  /** Turns payloads in base64 into JSON values, in the same order. @throws SearchUnavailableError */
  present(payloads: string[], presentation: Presentation): Promise<Buffer[]>;
}

type State = 'starting' | 'idle' | 'taken';

/**
 * A few child processes that search and present payloads. They can be killed whatever they are doing, and their memory is
 * freed with them. They start when they are needed; one that ends is replaced at once.
 */
export class SearchProcesses {
  readonly #engine: EngineSettings;
  readonly #entry: string;
  readonly #bounds: ProcessBounds;
  readonly #note: (line: string) => void;
  readonly #processes = new Map<SearchProcess, State>();
  readonly #waiting: WaitingSearches<SearchProcess>;
  #isClosed = false;

  constructor({ engine, bounds = {}, note = () => {}, entry = COMPILED_ENTRY }: SearchProcessesOptions) {
    this.#engine = engine;
    this.#entry = entry;
    this.#bounds = { ...BOUNDS, ...bounds };
    this.#note = note;
    this.#waiting = new WaitingSearches(this.#bounds);
  }

  /** Starts a process in advance, so that the first search does not wait for it. */
  warm(): void {
    if (this.#processes.size === 0 && !this.#isClosed) this.#start();
  }

  /** The ids of the running processes. */
  get pids(): number[] {
    return [...this.#processes.keys()].map(({ pid }) => pid);
  }

  /**
   * Gives `work` a process as soon as one is free and it is this user's turn. `work` may use it until it settles, for at
   * most 2 s.
   * @param user whose search it is; '' if it is nobody's in particular
   * @throws SearchUnavailableError if too many searches wait, if it gets no turn within 5 s, or if it takes too long
   */
  async run<T>(user: string, work: (turn: SearchTurn) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new SearchUnavailableError('the search is closed');
    const given = this.#waiting.wait(user);
    this.#giveTurns();
    const process = await given;
    const from = performance.now();
    try {
      return await work(turnOf(process, from + this.#bounds.turnMs));
    } finally {
      this.#waiting.finish(user, performance.now() - from);
      this.#giveBack(process);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.refuseAll(new SearchUnavailableError('the search is closed'));
    const all = [...this.#processes.keys()];
    for (const process of all) process.kill('the search is closed');
    await Promise.all(all.map(({ ended }) => ended));
  }

  #giveTurns(): void {
    if (this.#isClosed) return;
    for (const [process, state] of this.#processes) {
      if (state !== 'idle') continue;
      if (!this.#waiting.give(process)) return;
      this.#processes.set(process, 'taken');
    }
    // All are taken. A spare one starts in advance, so that nobody waits for a heavy search and for a start as well.
    if (![...this.#processes.values()].includes('starting') && this.#processes.size < this.#bounds.processes)
      this.#start();
  }

  #giveBack(process: SearchProcess): void {
    // Nobody waits any more for what it is still doing.
    if (process.isBusy) process.kill('its search was given up');
    if (process.isAlive && this.#processes.has(process)) this.#processes.set(process, 'idle');
    this.#giveTurns();
  }

  #start(): void {
    const process = new SearchProcess(this.#engine, this.#entry);
    this.#processes.set(process, 'starting');
    const timer = setTimeout(() => process.kill('it did not start in time'), this.#bounds.startMs);
    timer.unref();
    const started = process.ready.then(
      () => {
        this.#processes.set(process, 'idle');
        this.#giveTurns();
        return true;
      },
      () => false,
    );
    void Promise.all([started, process.ended]).then(([wasReady, reason]) => this.#replace(process, wasReady, reason));
    void started.finally(() => clearTimeout(timer));
  }

  #replace(process: SearchProcess, wasReady: boolean, reason: string): void {
    const wasTaken = this.#processes.get(process) === 'taken';
    this.#processes.delete(process);
    if (this.#isClosed) return;
    // If it was taken, the search that used it reports its end.
    if (!wasTaken) this.#note(`a search process ended: ${reason}`);
    if (wasReady) this.#start();
    // If it could not start, the next search tries again; a retry here would loop.
    else if (this.#processes.size === 0) {
      this.#waiting.refuseAll(new SearchUnavailableError(`no search process can start: ${reason}`));
    }
  }
}

function turnOf(process: SearchProcess, deadline: number): SearchTurn {
  const ask = (task: Task) => process.ask(task, deadline - performance.now());
  const unexpected = (reply: FromProcess) => new SearchUnavailableError(`the search process answered ${reply.kind}`);
  return {
    pid: process.pid,
    async search(query) {
      const reply = await ask({ kind: 'search', query });
      if (reply.kind !== 'found') throw unexpected(reply);
      return reply.result;
    },
    async present(payloads, presentation) {
      const reply = await ask({ kind: 'present', payloads, presentation });
      if (reply.kind !== 'presented') throw unexpected(reply);
      const { bytes, ends } = reply.presented;
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end));
    },
  };
}
