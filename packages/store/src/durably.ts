import type { Replicas } from '@ruyi/redis';

/** What `durably` has to know of the connections. */
export interface Durability {
  replicas: Replicas;
  connectionLosses(): number;
}

/**
 * Does `work` until REDIS_WAIT replicas have what it wrote under these keys, and again if a connection was lost since it
 * began: the master that has the keys by now may not know it. So `work` must be repeatable.
 * @throws what `work` throws, or ReplicasLateError (transient)
 */
export async function durably(
  { replicas, connectionLosses }: Durability,
  keys: string[],
  work: () => Promise<void>,
): Promise<void> {
  let losses: number;
  do {
    losses = connectionLosses();
    await work();
    await replicas.confirm(keys);
  } while (replicas.count > 0 && losses !== connectionLosses());
}
