import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whenReady } from '@ruyi/process';
import { type Exit, startProcess, type TestProcess } from '@ruyi/testkit';
import type { Findings } from '../findings.ts';

export type Role = 'api' | 'worker' | 'indexer';

const entry = (role: Role) => fileURLToPath(new URL(`../../../apps/${role}/dist/main.js`, import.meta.url));

const CLOCK = new URL('./clock.js', import.meta.url).href;

const START_DEADLINE_MS = 60_000;
const AGAIN_MS = 200;
const KEPT_OUTPUT = 4000;

/** One process of the installation: started again at once whenever it ends, as a supervisor does. */
export class Member {
  readonly role: Role;
  readonly name: string;
  readonly #env: Record<string, string>;
  readonly #findings: Findings;
  readonly #logs: string | undefined;
  #process: TestProcess | undefined;
  #isReady = false;
  #isStopped = false;
  /** the process whose end was asked for */
  #doomed: TestProcess | undefined;
  readonly #errors: string[] = [];
  kills = 0;
  starts = 0;

  /** @param logs folder that gets what its processes write, if anybody wants to see it */
  constructor(role: Role, name: string, env: Record<string, string>, findings: Findings, logs?: string) {
    this.#logs = logs;
    this.role = role;
    this.name = name;
    this.#env = env;
    this.#findings = findings;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Resolves when it serves; tries again for as long as it takes unless it is stopped. */
  async start(): Promise<void> {
    while (!this.#isStopped) {
      try {
        const options = { waitForReady: false, execArgv: ['--import', CLOCK] };
        const started = await startProcess(entry(this.role), this.#env, options);
        this.#errors.push(...errorLines(this.#process));
        this.#process = started;
        this.starts++;
        this.#writeLog(started);
        void started.exit.then((exit) => this.#ended(started, exit));
        if ((await whenReady(started.child, START_DEADLINE_MS)).outcome === 'ready') {
          this.#isReady = this.#process === started;
          return;
        }
        await started.exit;
      } catch (error) {
        this.#findings.add('crash', `${this.name} cannot be started: ${String(error)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #writeLog({ child }: TestProcess): void {
    if (this.#logs === undefined) return;
    const file = join(this.#logs, `${this.name}.log`);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: string) => appendFileSync(file, text));
  }

  #ended(ended: TestProcess, { code, signal }: Exit): void {
    if (this.#process === ended) this.#isReady = false;
    if (this.#doomed === ended || this.#isStopped) return;
    // It did not become ready: start() tries again. A process that had served must not end by itself.
    if (ended.details.ready !== true) return;
    const output = ended.output.slice(-KEPT_OUTPUT);
    this.#findings.add('crash', `${this.name} ended by itself (${signal ?? code}):\n${output}`);
    void this.start();
  }

  /** kill -9; started again at once. Resolves when the new process serves. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
    await this.start();
  }

  /** SIGTERM; started again when it is gone. @returns how it ended and how long it took */
  async restart(): Promise<{ exit: Exit | undefined; ms: number }> {
    const from = performance.now();
    const exit = await this.#end('SIGTERM');
    const ms = performance.now() - from;
    await this.start();
    return { exit, ms };
  }

  async #end(signal: NodeJS.Signals): Promise<Exit | undefined> {
    this.#doomed = this.#process;
    this.#isReady = false;
    this.kills++;
    return this.#process?.kill(signal);
  }

  /** A signal that does not end it; SIGUSR2 moves its clock (clock.ts). */
  async signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): Promise<void> {
    await this.#process?.kill(signal);
  }

  async stop(): Promise<{ exit: Exit | undefined; ms: number }> {
    this.#isStopped = true;
    const from = performance.now();
    await this.#process?.kill('SIGCONT');
    const exit = await this.#end('SIGTERM');
    return { exit, ms: performance.now() - from };
  }

  /** What this process and those before it logged as an error. */
  get errors(): string[] {
    return [...this.#errors, ...errorLines(this.#process)];
  }
}

/** pino's levels: 50 is error, 60 is fatal. */
const errorLines = (process: TestProcess | undefined): string[] =>
  (process?.output ?? '').split('\n').filter((line) => /"level":[56]0/.test(line));
