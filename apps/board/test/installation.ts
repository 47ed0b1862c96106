import { fileURLToPath } from 'node:url';
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

type App = 'api' | 'worker' | 'indexer' | 'board';

export interface Installation {
  readonly redis: TestRedis;
  /** of the API */
  readonly api: string;
  /** Starts one more process. It ends with the test file. */
  start(app: App, env?: Record<string, string>): Promise<TestProcess>;
}

/** A redis-server for the file, and the apps that a test starts on it. The API is always on the same port. */
export function testInstallation(settings: Record<string, string> = {}): Installation {
  const folder = tempDir('board');
  const env: Record<string, string> = { SHARDS: '8', LANES: '2', DATA_DIR: folder.path, BOARD_PORT: '0', ...settings };
  const started = new Set<TestProcess>();
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    redis = await startRedis();
    env.REDIS_URL = redis.url;
    env.PORT = String(await freePort());
    env.RUYI_URL = `http://127.0.0.1:${env.PORT}`;
  });
  afterAll(async () => {
    for (const process of started) expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await redis?.stop();
    folder.remove();
    expectNoLeaks();
  });
  return {
    get redis() {
      if (redis === undefined) throw new Error('Redis is started in beforeAll');
      return redis;
    },
    get api() {
      return env.RUYI_URL ?? '';
    },
    async start(app, more = {}) {
      const entry = fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url));
      const process = await startProcess(entry, { ...env, ...more });
      started.add(process);
      void process.exit.then(({ signal }) => {
        if (signal === 'SIGKILL') started.delete(process);
      });
      return process;
    },
  };
}
