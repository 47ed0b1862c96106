import type { Redis } from 'ioredis';
import { keys } from '../keys.ts';

/**
 * 2: a log or inbox has a counter only once something was removed from it. 3: subscribers stand in a sorted set; a set of
 * before is made into one when it is first touched (include/subscribers.lua). What schemas 1 and 2 wrote is valid in 3.
 */
const SCHEMA = 3;

/** The settings of this process do not match what was fixed when the data was first written. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError';
}

/**
 * Writes SHARDS and the version of the schema at the very first start, and compares them at every later one.
 * @throws InstallationError with one line for the operator
 */
export async function checkInstallation(redis: Redis, settings: { shards: number }): Promise<void> {
  await redis.hsetnx(keys.meta, 'schema', SCHEMA);
  await redis.hsetnx(keys.meta, 'shards', settings.shards);
  const { schema, shards } = await redis.hgetall(keys.meta);
  // A process of an earlier version must not start any more: it would begin again at 1 if there is no counter.
  if (Number(schema) < SCHEMA) await redis.hset(keys.meta, 'schema', SCHEMA);
  if (Number(schema) > SCHEMA) {
    throw new InstallationError(`the data in Redis has schema ${schema}, this version reads ${SCHEMA}`);
  }
  if (Number(shards) !== settings.shards) {
    throw new InstallationError(
      `SHARDS=${settings.shards}: the data in Redis was written with SHARDS=${shards}, which is fixed`,
    );
  }
}
