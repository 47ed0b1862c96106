import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { endAtExit } from './atExit.ts';
import { freePort } from './freePort.ts';
import { tempDir } from './tempDir.ts';
import { waitFor } from './waitFor.ts';

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
  /** of the server that runs now; another one after restart() */
  readonly pid: number;
  /** A client of its own for looking at keys; ended by stop(). */
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
 * A real redis-server on a free loopback port, with a data folder of its own. Resolves when it answers PING.
 * @throws Error in one line when redis-server is not installed
 */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  if (spawnSync('redis-server', ['--version']).error) {
    throw new Error('redis-server is not on PATH: install it (Debian/Ubuntu: apt-get install redis-server)');
  }
  const port = await freePort();
  const folder = tempDir('redis');
  let server = launch(port, folder.path, options);
  await answersPing(port, server, folder.path);
  const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null, retryStrategy: () => 50 });
  // A killed server is what tests are about; the commands themselves wait for its return.
  client.on('error', () => {});

  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (!isRunning(server.process)) return;
    server.process.kill(signal);
    if (FATAL.includes(signal)) await server.gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir: folder.path,
    client,
    get pid() {
      return server.process.pid ?? 0;
    },
    kill,
    async restart() {
      await kill('SIGTERM');
      server = launch(port, folder.path, options);
      await answersPing(port, server, folder.path);
    },
    async stop() {
      client.disconnect();
      await kill('SIGKILL');
      folder.remove();
    },
  };
}

interface Server {
  process: ChildProcess;
  gone: Promise<void>;
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

function launch(port: number, dir: string, { appendonly = false, maxmemory, args = [] }: RedisOptions): Server {
  const child = spawn(
    'redis-server',
    [
      ...[
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        dir,
        '--save',
        '',
        '--logfile',
        join(dir, 'redis.log'),
      ],
      ...(appendonly ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : []),
      ...(maxmemory ? ['--maxmemory', maxmemory] : []),
      ...['--maxmemory-policy', 'noeviction'],
      ...args,
    ],
    { stdio: 'ignore', detached: true },
  );
  const ended = endAtExit(child.pid ?? 0);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended();
      resolve();
    });
  });
  return { process: child, gone };
}

async function answersPing(port: number, server: Server, dir: string): Promise<void> {
  const probe = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0, retryStrategy: () => 20 });
  probe.on('error', () => {});
  try {
    await waitFor(
      async () => {
        if (!isRunning(server.process)) return 'ended';
        return (await probe.ping()) === 'PONG' && 'answers';
      },
      { what: `redis-server on port ${port} to answer PING`, deadlineMs: 20_000 },
    );
    if (!isRunning(server.process)) {
      throw new Error(`redis-server ended at once:\n${readFileSync(join(dir, 'redis.log'), 'utf8')}`);
    }
  } finally {
    probe.disconnect();
  }
}
