import type { RedisClient } from './client.ts';

/** Runs a transaction or pipeline; the first error inside it is thrown. */
export async function execute(pipeline: ReturnType<RedisClient['multi']>): Promise<unknown[]> {
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
