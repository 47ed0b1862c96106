import { readFileSync } from 'node:fs';
import { type Config, loadConfig, parseRedisAddress, shownAddress } from '@ruyi/config';
import { withBackoff } from '@ruyi/flow';
import { oneLine, StartError } from '@ruyi/process';
import { connect, isUnavailable, type ProbeSettings, probeRedis, RedisRefusal, shortReason } from '@ruyi/redis';
import { redisUrlFile } from './up/runFolder.ts';

type Redis = ReturnType<typeof connect>;

/** A Redis that has just started answers LOADING or CLUSTERDOWN for a moment. */
const PATIENCE_MS = 3000;

/** REDIS_URL, or the Redis of the `ruyi up` that runs on this DATA_DIR. @throws StartError if there is neither */
function redisUrlOf(config: Config): string {
  if (config.redisUrl !== '') return config.redisUrl;
  try {
    return readFileSync(redisUrlFile(config.dataDir), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code !== 'ENOENT') {
      throw new StartError(
        `DATA_DIR=${config.dataDir}: cannot be read (${oneLine(error)}); run the command as the user that Ruyi runs as, or set REDIS_URL`,
      );
    }
    throw new StartError(`Ruyi is not running on DATA_DIR=${config.dataDir}: start it (npm start), or set REDIS_URL`);
  }
}

/**
 * The settings, and a connection to their Redis, which has said that it can serve.
 * @param allowed of Redis, whatever the settings say
 * @throws ConfigError, RedisRefusal, or StartError if Redis cannot be reached now
 */
export async function openRedis(
  env: NodeJS.ProcessEnv,
  allowed: Pick<ProbeSettings, 'allowEviction' | 'allowNoAof' | 'onlyLooks'> = {},
): Promise<{ config: Config; redis: Redis }> {
  const given = loadConfig(env);
  const config = { ...given, redisUrl: redisUrlOf(given) };
  await untilStarted(() => probeRedis({ ...config, ...allowed })).catch((error: unknown) => {
    if (error instanceof RedisRefusal) throw error;
    const address = shownAddress(parseRedisAddress(config.redisUrl));
    throw new StartError(
      `REDIS_URL=${address}: Redis does not answer (${shortReason(error)}); start it or correct this`,
    );
  });
  const redis = connect(config, 'request', 'cli');
  redis.on('error', () => {});
  return { config, redis };
}

/** Repeats `look` while Redis answers that it cannot serve yet. One that does not answer at all is not waited for. */
function untilStarted<T>(look: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  const isStarting = (error: unknown) => error instanceof Error && error.name === 'ReplyError' && isUnavailable(error);
  return withBackoff(look, {
    firstMs: 50,
    longestMs: 200,
    signal: new AbortController().signal,
    waitAfter: (error, waitMs) => (isStarting(error) && performance.now() <= deadline ? waitMs : undefined),
  });
}
