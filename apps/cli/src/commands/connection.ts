import { readFileSync } from 'node:fs';
import { type Config, loadConfig } from '@ruyi/config';
import { oneLine, StartError } from '@ruyi/process';
import { redisUrlFile } from './up/runFolder.ts';

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

/** The settings, and the address of Redis. @throws ConfigError or StartError */
export function configAndRedis(env: NodeJS.ProcessEnv): { config: Config; redisUrl: string } {
  const config = loadConfig(env);
  return { config, redisUrl: redisUrlOf(config) };
}
