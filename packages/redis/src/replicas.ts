import { Batcher } from '@ruyi/flow';
import type { RedisClient } from './client.ts';
import { type Master, masterOf } from './nodes.ts';

/** How long replicas may take. Together with the steps before it a request is answered within its 2 s. */
const PATIENCE_MS = 1000;

/** Fewer replicas than REDIS_WAIT have confirmed what was written: it may be lost if the master dies now. */
export class ReplicasLateError extends Error {
  override readonly name = 'ReplicasLateError';
}

/** Makes sure that replicas have what was written (REDIS_WAIT). */
export interface Replicas {
  /** that must have it; 0: nobody waits */
  readonly count: number;
  /**
   * Resolves once enough replicas have everything that the masters of these keys have executed before this call.
   * Whoever calls it must also make sure that no connection was lost since the writes: another master answers for what it
   * knows, not for what its predecessor knew.
   * @throws ReplicasLateError (transient) if they do not confirm in time
   */
  confirm(keys: string[]): Promise<void>;
}

/** Nobody waits for replicas: what a master has not passed on when it dies is lost. */
export const NO_REPLICAS: Replicas = { count: 0, confirm: async () => {} };

/** `confirm` of these replicas, undefined if nobody waits for them. */
export const confirmation = (replicas: Replicas): Replicas['confirm'] | undefined =>
  replicas.count === 0 ? undefined : (keys) => replicas.confirm(keys);

/**
 * Asks with WAIT over a connection of its own, because WAIT holds up every command behind it. A WAIT covers everything that
 * the master executed before it, whichever connection wrote it, if a command of its own connection came in between: PING.
 * Per master one WAIT is on its way; who comes meanwhile shares the next one.
 */
export function waitForReplicas(redis: RedisClient, count: number): Replicas {
  const rounds = new Map<string, Batcher<Master>>();
  const round = (master: Master) => {
    const known = rounds.get(master.name);
    if (known) return known;
    const created = new Batcher<Master>(
      { items: Number.POSITIVE_INFINITY, size: Number.POSITIVE_INFINITY },
      async ([one = master]) => requireReplicas(one, count),
    );
    rounds.set(master.name, created);
    return created;
  };
  return {
    count,
    async confirm(keys) {
      const masters = await Promise.all([...new Set(keys)].map((key) => masterOf(redis, key)));
      const different = new Map(masters.map((master) => [master.name, master]));
      await Promise.all([...different.values()].map((master) => round(master).add(master, 0)));
    },
  };
}

async function requireReplicas({ name, redis }: Master, count: number): Promise<void> {
  const [pong, confirmed] = await Promise.all([redis.ping(), redis.wait(count, PATIENCE_MS)]);
  if (pong === 'PONG' && confirmed >= count) return;
  const where = name === '' ? 'Redis' : `the master ${name}`;
  throw new ReplicasLateError(
    `${confirmed} of REDIS_WAIT=${count} replicas of ${where} confirmed within ${PATIENCE_MS / 1000} s`,
  );
}
