import { type Launched, launchRedis, onPath } from '@ruyi/process';
import { Redis } from 'ioredis';
import { endAtExit } from './atExit.ts';
import { freePort } from './freePort.ts';
import { tempDir } from './tempDir.ts';

/** One redis-server process of a test, on a free loopback port, with a data folder of its own. */
export interface RedisProcess {
  readonly port: number;
  readonly dir: string;
  /** of the running server; changes with start() */
  readonly pid: number;
  readonly client: Redis;
  /** Sends a signal (SIGKILL by default); after a fatal one it resolves when the server is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with its data, on the same port. */
  start(): Promise<void>;
  /** Ends server and client and removes the folder. */
  stop(): Promise<void>;
}

const FATAL: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT'];

/**
 * Starts a redis-server that ends with the test process. Resolves when it answers PING.
 * @param folderName begins the name of its data folder
 * @param args of redis-server; a function gets the port that was chosen
 * @throws Error in one line if redis-server is not installed
 */
export async function startRedisProcess(
  folderName: string,
  { maxmemory = '0', args }: { maxmemory?: string; args: string[] | ((port: number) => Promise<string[]>) },
): Promise<RedisProcess> {
  const binary = onPath('redis-server', process.env.PATH);
  if (binary === undefined) {
    throw new Error('redis-server is not on PATH: install it (Debian/Ubuntu: apt-get install redis-server)');
  }
  const port = await freePort();
  const folder = tempDir(folderName);
  const chosen = typeof args === 'function' ? await args(port) : args;
  const address = { port, password: '' };
  const plan = { binary, address, dir: folder.path, maxmemory, args: chosen, say: console.log };
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
    port,
    dir: folder.path,
    client,
    get pid() {
      return server.pid;
    },
    kill,
    async start() {
      server = await launch();
    },
    async stop() {
      client.disconnect();
      await kill('SIGKILL');
      folder.remove();
    },
  };
}
