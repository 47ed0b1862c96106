import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SearchUnavailableError } from '../searchEngine.ts';
import type { EngineSettings, FromProcess, Task, ToProcess } from './tasks.ts';

const MOST_HEAP_MB = 384;

interface Pending {
  resolve(reply: FromProcess): void;
  reject(error: Error): void;
  timer?: NodeJS.Timeout;
}

/** One child process that does one task at a time. */
export class SearchProcess {
  /** resolves when the process can take tasks; rejects if it ends before */
  readonly ready: Promise<void>;
  /** resolves with the reason when the process is gone */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #pending: Pending | undefined;
  #reason: string | undefined;

  /** @param entry the JavaScript file that the process runs, see COMPILED_ENTRY */
  constructor(settings: EngineSettings, entry: string) {
    // Messages carry many payloads. The structured clone copies their bytes; JSON would escape and parse them again.
    this.#child = fork(entry, [String(process.pid)], {
      execArgv: [`--max-old-space-size=${MOST_HEAP_MB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // A process that only waits for work must not keep its parent running.
    this.#child.unref();
    this.#child.channel?.unref();
    this.ready = this.#next().then((reply) => {
      if (reply.kind === 'failed') this.kill(reply.reason);
      if (reply.kind !== 'ready') throw new SearchUnavailableError(`a search process cannot start: ${reply.kind}`);
    });
    this.ready.catch(() => {});
    this.ended = new Promise((resolve) => {
      const gone = (how: string) => {
        this.#reason ??= how;
        this.#settle()?.reject(new SearchUnavailableError(`the search process ended: ${this.#reason}`));
        resolve(this.#reason);
      };
      const missing = existsSync(entry) ? undefined : `${entry} is missing: run npm run build`;
      this.#child.once('exit', (code, signal) => gone(missing ?? signal ?? `exit code ${code}`));
      this.#child.once('error', (error) => gone(error.message));
    });
    this.#child.on('message', (reply: FromProcess) => this.#settle()?.resolve(reply));
    this.#send({ settings });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isBusy(): boolean {
    return this.#pending !== undefined;
  }

  get isAlive(): boolean {
    return this.#reason === undefined;
  }

  /**
   * Runs a task. A process that does not reply in time is killed: nothing else stops a search inside SQLite, and it frees
   * its memory.
   * @throws SearchUnavailableError if the engine fails, the task takes longer than `withinMs`, or the process ends
   * @throws Error if the task ran into a defect; its `cause` is the process's own error
   */
  async ask(task: Task, withinMs: number): Promise<FromProcess> {
    if (!this.isAlive) throw new SearchUnavailableError(`the search process ended: ${this.#reason}`);
    if (withinMs <= 0) throw new SearchUnavailableError('the search took too long');
    const answered = this.#next(withinMs);
    this.#send({ task });
    const reply = await answered;
    if (reply.kind !== 'failed') return reply;
    const text = `the search failed: ${reply.reason}`;
    throw reply.defect ? new Error(text, { cause: reply.defect }) : new SearchUnavailableError(text);
  }

  /** Ends the process at once, whatever it is doing. */
  kill(reason: string): void {
    this.#reason ??= reason;
    // From now on it keeps the parent running, for whoever waits for its end.
    this.#child.ref();
    this.#child.kill('SIGKILL');
  }

  #next(withinMs?: number): Promise<FromProcess> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      if (withinMs === undefined) return;
      this.#pending.timer = setTimeout(() => {
        this.kill('it took too long');
        this.#settle()?.reject(new SearchUnavailableError(`the search took longer than ${Math.round(withinMs)} ms`));
      }, withinMs);
    });
  }

  #settle(): Pending | undefined {
    const pending = this.#pending;
    clearTimeout(pending?.timer);
    this.#pending = undefined;
    return pending;
  }

  #send(message: ToProcess): void {
    // If sending fails, the process has ended, and its exit rejects the pending reply.
    this.#child.send(message, () => {});
  }
}
