import { join } from 'node:path';
import type { Config } from '@ruyi/config';
import { findRedis, type Launched } from '@ruyi/process';
import { startOnWholeAof } from './aofTail.ts';
import { refuseDataOfCluster, startOwnCluster } from './ownCluster.ts';
import { chooseAddress, urlOf } from './redisAddress.ts';

export interface OwnRedisOptions {
  config: Config;
  env: NodeJS.ProcessEnv;
  /** DATA_DIR/run */
  runFolder: string;
  say(line: string): void;
  /** Starts it and keeps it running; rejects if the first start fails. @param name `redis` by default */
  start(launch: () => Launched, name?: string): Promise<void>;
}

/**
 * Starts the installation's own redis-server, or several as a Redis Cluster (REDIS_NODES). What a crash left at the end of its AOF is cut off first.
 * @returns its address, as REDIS_URL
 * @throws StartError if it cannot start
 */
export async function startOwnRedis(options: OwnRedisOptions): Promise<string> {
  const { config, env, runFolder, say, start } = options;
  const binary = findRedis(env, say);
  if (config.redisNodes > 1) return startOwnCluster({ ...options, binary });
  refuseDataOfCluster(config.dataDir);
  const address = await chooseAddress(runFolder);
  const dir = join(config.dataDir, 'redis');
  const { redisMaxmemory: maxmemory, redisAppendfsync: appendfsync } = config;
  await startOnWholeAof({ binary, address, dir, maxmemory, appendfsync, say }, env.PATH, start);
  return urlOf(address);
}
