import { join } from 'node:path';
import type { Config } from '@ruyi/config';
import { findRedis, type Launched, launchRedis } from '@ruyi/process';
import { damagesAof, endsWithinCommand, repairAof } from './aofTail.ts';
import { chooseAddress, urlOf } from './redisAddress.ts';

export interface OwnRedisOptions {
  config: Config;
  env: NodeJS.ProcessEnv;
  /** DATA_DIR/run */
  runFolder: string;
  say(line: string): void;
  /** Starts it and keeps it running; rejects if the first start fails. */
  start(launch: () => Launched): Promise<void>;
}

/**
 * Starts the installation's own redis-server. Damage that a crash of the machine left at the end of its AOF is cut off
 * first.
 * @returns its address, as REDIS_URL
 * @throws StartError if it cannot start
 */
export async function startOwnRedis({ config, env, runFolder, say, start }: OwnRedisOptions): Promise<string> {
  const binary = findRedis(env, say);
  const address = await chooseAddress(runFolder);
  const dir = join(config.dataDir, 'redis');
  const { redisMaxmemory: maxmemory, redisAppendfsync: appendfsync } = config;
  const launch = () => launchRedis({ binary, address, dir, maxmemory, appendfsync, say });
  const aof = { binary, path: env.PATH, dir, say };
  if (endsWithinCommand(dir)) await repairAof(aof);
  try {
    await start(launch);
  } catch (error) {
    if (!damagesAof(error) || !(await repairAof(aof))) throw error;
    await start(launch);
  }
  return urlOf(address);
}
