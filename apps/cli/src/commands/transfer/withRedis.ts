import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, loadConfig } from '@ruyi/config';
import { type Launched, StartError } from '@ruyi/process';
import type { RedisClient } from '@ruyi/redis';
import { openRedis } from '../connection.ts';
import { lockDataDir } from '../up/dataLock.ts';
import { endLeftovers, REDIS } from '../up/leftovers.ts';
import { startOwnRedis } from '../up/ownRedis.ts';
import { identify } from '../up/processIdentity.ts';
import { openRunFolder, type RunningProcess, redisUrlFile } from '../up/runFolder.ts';

interface Options {
  env: NodeJS.ProcessEnv;
  /** begin with an empty DATA_DIR if there is none yet */
  create: boolean;
  /** prints a line for the operator */
  say(line: string): void;
}

/**
 * Does something with the Redis of an installation: REDIS_URL, or that of the `ruyi up` that runs on DATA_DIR. If none runs,
 * its own Redis is started for as long as this takes (REDIS_NODES processes), because an import needs all others to be
 * stopped.
 * @throws ConfigError, RedisRefusal or StartError
 */
export async function withRedis<T>(
  { env, create, say }: Options,
  work: (config: Config, redis: RedisClient) => Promise<T>,
): Promise<T> {
  const config = loadConfig(env);
  const isOwn = config.redisUrl === '' && !existsSync(redisUrlFile(config.dataDir));
  if (!isOwn || !(create || existsSync(join(config.dataDir, 'redis')))) {
    return connected(env, work);
  }
  const run = openRunFolder(config.dataDir);
  lockDataDir(config.dataDir, run.path);
  await endLeftovers(run, say);
  const servers: Launched[] = [];
  const noted: RunningProcess[] = [];
  let isOver = false;
  const start = async (launch: () => Launched, name = REDIS) => {
    if (isOver) throw new StartError('another redis-server could not be started');
    const server = launch();
    servers.push(server);
    // If this process is killed, the next start ends it.
    const identity = identify(server.pid);
    if (identity) noted.push({ name, ...identity });
    run.noteProcesses(noted);
    await server.ready;
  };
  try {
    const url = await startOwnRedis({ config, env, runFolder: run.path, say, start });
    return await connected({ ...env, REDIS_URL: url, REDIS_URL_FILE: undefined }, work);
  } finally {
    isOver = true;
    for (const server of servers) server.signal('SIGTERM');
    await Promise.all(servers.map(({ gone }) => gone));
    run.clear();
  }
}

async function connected<T>(
  env: NodeJS.ProcessEnv,
  work: (config: Config, redis: RedisClient) => Promise<T>,
): Promise<T> {
  const { config, redis } = await openRedis(env);
  try {
    return await work(config, redis);
  } finally {
    redis.disconnect();
  }
}
