import { freePort, type Launched, launchRedis, onPath } from '@ruyi/process';
import { Redis } from 'ioredis';
import { endAtExit } from './atExit.ts';
import { tempDir } from './tempDir.ts';

export interface RedisOptions {
  /** AOF with `everysec`; off by default */
  appendonly?: boolean;
  /** with `noeviction`; e.g. '64mb' */
  maxmemory?: string;
  /** more arguments, e.g. ['--appendfsync', 'always'] */
  args?: string[];
}

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** its data folder */
  readonly dir: string;
  /** of the running server; changes with restart() */
  readonly pid: number;
  /** A client for looking at keys; stop() ends it. */
  readonly client: Redis;
  /** Sends a signal (SIGKILL by default); after a fatal one it resolves when the server is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts the server again, on the same port and data; stops it first (SIGTERM) if it runs. */
  restart(): Promise<void>;
  /** Ends server and client and removes the folder. */
  stop(): Promise<void>;
}

const FATAL: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT'];

/**
 * Starts a real redis-server on a free loopback port with a new data folder. It ends with the test process. Resolves
 * when it answers PING.
 * @throws Error in one line if redis-server is not installed
 */
export async function startRedis({
  appendonly = false,
  maxmemory = '0',
  args = [],
}: RedisOptions = {}): Promise<TestRedis> {
  const binary = onPath('redis-server', process.env.PATH);
  if (binary === undefined) {
    throw new Error('redis-server is not on PATH: install it (Debian/Ubuntu: apt-get install redis-server)');
  }
  const port = await freePort();
  const folder = tempDir('redis');
  const plan = {
    binary,
    address: { port, password: '' },
    dir: folder.path,
    maxmemory,
    args: ['--appendonly', appendonly ? 'yes' : 'no', ...args],
    say: console.log,
  };
  const launch = async (): Promise<Launched> => {
    const launched = launchRedis(plan);
    void launched.gone.then(endAtExit(launched.pid));
    await launched.ready;
    return launched;
  };
  let server = await launch();
  const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null, retryStrategy: () => 50 });
  // Tests kill the server on purpose. Commands wait until it is back.
  client.on('error', () => {});

  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    server.signal(signal);
    if (FATAL.includes(signal)) await server.gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir: folder.path,
    client,
    get pid() {
      return server.pid;
    },
    kill,
    async restart() {
      await kill('SIGTERM');
      server = await launch();
    },
    async stop() {
      client.disconnect();
      await kill('SIGKILL');
      folder.remove();
    },
  };
}
