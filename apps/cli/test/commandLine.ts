import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createClient, type RuyiClient } from '@ruyi/client';
import { evenShards } from '@ruyi/store';
import {
  expectNoLeaks,
  freePort,
  startProcess,
  startRedis,
  type TestProcess,
  type TestRedis,
  tempDir,
} from '@ruyi/testkit';
import { afterAll, beforeAll, expect } from 'vitest';

const RUYI = fileURLToPath(new URL('../ruyi.js', import.meta.url));
/** of `testInstallation` */
export const SHARDS = evenShards(8);

const ONE = fileURLToPath(new URL('./fixtures/inOneProcess.mjs', import.meta.url));
/** A command that hangs is killed, so that a test says which. */
const HANGS_MS = 60_000;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command that runs. */
export interface Running {
  child: ChildProcess;
  /** what it has written so far */
  stdout(): string;
  stderr(): string;
  ended: Promise<Ended>;
}

/** Starts `ruyi <args>` with nothing but PATH and `env` in its environment. */
export function begin(args: string[], env: Record<string, string>, stdin = ''): Running {
  return beginProgram(process.execPath, [RUYI, ...args], env, stdin);
}

/** Runs `ruyi <args>` to its end. */
export const ruyi = (args: string[], env: Record<string, string>, stdin = '') => begin(args, env, stdin).ended;

export interface Run {
  args: string[];
  env: Record<string, string>;
}

/** Runs `ruyi` many times in one process, which ends by itself. @returns also the packages that were loaded */
export async function inOneProcess(runs: Run[]): Promise<{ runs: Ended[]; loaded: string[] }> {
  const { code, stdout, stderr } = await beginProgram(process.execPath, [ONE, JSON.stringify(runs)], {}, '').ended;
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

/** Runs a line of bash, in which $RUYI is the command. */
export const bash = (line: string, env: Record<string, string>) =>
  beginProgram('bash', ['-c', line], { ...env, RUYI: `${process.execPath} ${RUYI}` }, '').ended;

function beginProgram(program: string, args: string[], env: Record<string, string>, stdin: string): Running {
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    timeout: HANGS_MS,
    killSignal: 'SIGKILL',
  });
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      written[stream] += text;
    });
  }
  // A command that refuses its arguments does not read.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...written }));
  });
  return { child, stdout: () => written.stdout, stderr: () => written.stderr, ended };
}

export interface Installation {
  /** of commands */
  readonly env: Record<string, string>;
  readonly redis: TestRedis;
  readonly client: RuyiClient;
  readonly dir: string;
  /** Ends one of the processes as SIGTERM does. Its afterAll does so with the others. */
  stop(app: App): Promise<void>;
}

type App = 'api' | 'worker' | 'indexer';

/** redis-server, API, worker and indexer for a test file. */
export function testInstallation(settings: Record<string, string> = {}): Installation {
  const folder = tempDir('cli');
  const env: Record<string, string> = { DATA_DIR: folder.path, API_TOKEN: 'a token', ALLOW_NO_AOF: '1' };
  const started = new Map<App, TestProcess>();
  let redis: TestRedis | undefined;
  let client: RuyiClient | undefined;
  const present = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the installation is started in beforeAll');
    return value;
  };
  const stop = async (app: App) => {
    expect(await present(started.get(app)).kill('SIGTERM')).toEqual({ code: 0, signal: null });
  };
  beforeAll(async () => {
    redis = await startRedis();
    const port = String(await freePort());
    const url = `http://127.0.0.1:${port}`;
    Object.assign(env, { REDIS_URL: redis.url, PORT: port, RUYI_URL: url });
    client = createClient({ url, token: 'a token' });
    for (const app of ['api', 'worker', 'indexer'] as const) {
      const entry = fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url));
      started.set(
        app,
        await startProcess(entry, {
          ...env,
          SHARDS: String(SHARDS.count),
          LANES: '2',
          LOG_LEVEL: 'silent',
          ...settings,
        }),
      );
    }
  });
  afterAll(async () => {
    for (const app of started.keys()) await stop(app);
    await redis?.stop();
    folder.remove();
    expectNoLeaks();
  });
  return {
    env,
    dir: folder.path,
    stop,
    get redis() {
      return present(redis);
    },
    get client() {
      return present(client);
    },
  };
}
