import { createHash } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { SLOTS, slotOf } from './slots.ts';

/** A master and its name, `host:port`; the only one of a Redis without a cluster is called `''`. */
export interface Master {
  name: string;
  redis: Redis;
}

/**
 * Every master, in the order of their names. Commands that are not about a key ask one node only: SCAN, INFO and CONFIG
 * have to ask each of these.
 * @throws Error (transient) if a slot has no master that can be reached
 */
export async function mastersOf(redis: RedisClient): Promise<Master[]> {
  if (!(redis instanceof Cluster)) return [{ name: '', redis }];
  await refreshed(redis);
  const nodes = new Map(redis.nodes('all').map((node) => [`${node.options.host}:${node.options.port}`, node]));
  return [...new Set(ownersOf(redis))].sort().map((name) => {
    const node = nodes.get(name);
    if (node === undefined) throw new Error(`CLUSTERDOWN no connection to the master ${name}: Connection is closed.`);
    return { name, redis: node };
  });
}

/**
 * The connection to the master of a key.
 * @throws Error (transient) if it cannot be reached
 */
export async function masterOf(redis: RedisClient, key: string): Promise<Master> {
  if (!(redis instanceof Cluster)) return { name: '', redis };
  if (redis.slots.length < SLOTS) await refreshed(redis);
  const name = redis.slots[slotOf(key)]?.[0];
  const node = redis.nodes('all').find(({ options }) => `${options.host}:${options.port}` === name);
  if (name === undefined || node === undefined) {
    throw new Error(`CLUSTERDOWN no connection to the master of slot ${slotOf(key)}: Connection is closed.`);
  }
  return { name, redis: node };
}

/** Names which slots which master has. With the runs of all masters it names the state in which a SCAN has a meaning. */
export function placementOf(redis: RedisClient): string {
  return redis instanceof Cluster ? createHash('sha256').update(ownersOf(redis).join()).digest('hex').slice(0, 16) : '';
}

function ownersOf(cluster: Cluster): string[] {
  return Array.from({ length: SLOTS }, (_, slot) => {
    const owner = cluster.slots[slot]?.[0];
    if (owner === undefined) throw new Error(`CLUSTERDOWN slot ${slot} has no master: Connection is closed.`);
    return owner;
  });
}

/** Asks the cluster once more who its masters are. */
const refreshed = (cluster: Cluster): Promise<void> =>
  new Promise((resolve, reject) => {
    const refresh = () => cluster.refreshSlotsCache((error) => (error ? reject(error) : resolve()));
    if (cluster.status === 'ready') refresh();
    else cluster.ping().then(refresh, reject);
  });
