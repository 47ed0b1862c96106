import { setTimeout as pause } from 'node:timers/promises';
import { dropOpenTransaction, loseTail, watchAof } from '../system/aof.ts';
import { type RedisNode, someMaster } from '../system/torturedRedis.ts';
import type { Fault, FaultContext } from './fault.ts';

const REPLICA_SHARE = 0.25;

const setFsync = ({ system }: FaultContext, policy: 'always' | 'everysec') =>
  Promise.all(system.redis.nodes.map(({ client }) => client.config('SET', 'appendfsync', policy)));

/**
 * Kills a node of Redis that syncs before it answers (kill -9) and restarts it on its AOF: nothing that was answered may be
 * missing. If it stays away for long a replica takes its place, and it becomes a replica.
 */
export const killRedis: Fault = async (context) => {
  const { system, progress, random, count, forMs } = context;
  const until = performance.now() + forMs;
  do {
    await setFsync(context, 'always');
    await pause(random.whole(500, 3000));
    const { node, what } = await victim(context);
    const before = await system.redis.masters();
    count(`${what} kills`);
    await node.kill('SIGKILL');
    dropOpenTransaction(node);
    await pause(random.whole(0, system.redis.longestAwayMs));
    await node.start();
    await system.redis.whole();
    await countTakeovers(context, before);
    await progress.recovered();
  } while (performance.now() < until);
};

/** A master, or now and then a replica: without it nothing is confirmed. */
async function victim({ system, random }: FaultContext): Promise<{ node: RedisNode; what: string }> {
  const { redis } = system;
  const masters = await redis.masters();
  const replicas = redis.nodes.filter((node) => !masters.includes(node));
  const replica = replicas[random.whole(0, Math.max(0, replicas.length - 1))];
  return replica && random.next() < REPLICA_SHARE
    ? { node: replica, what: 'replica' }
    : { node: await someMaster(redis, random), what: 'redis' };
}

/** Counts the replicas that are masters now. */
export async function countTakeovers({ system, count }: FaultContext, before: RedisNode[]): Promise<void> {
  const after = await system.redis.masters();
  const took = after.filter((node) => !before.includes(node)).length;
  if (took > 0) count('takeovers by replicas', took);
}

/**
 * Simulates a power failure of a Redis with `everysec`: it restarts without its last moments. Only what was answered during
 * them may be missing.
 */
export const losePower: Fault = async (context) => {
  const { system, ledger, progress, random, count, forMs } = context;
  const { only } = system.redis;
  if (!only) throw new Error('in a cluster a replica takes the place of a node that loses its last moments');
  const until = performance.now() + forMs;
  do {
    await setFsync(context, 'everysec');
    const aof = watchAof(only);
    await pause(random.whole(2000, 4000));
    await only.kill('SIGKILL');
    const known = await aof.stop();
    // An answer of Redis may still be on its way through the API.
    await pause(random.whole(300, 1500));
    const lost = loseTail(known, random);
    count('redis kills');
    count('bytes of the AOF lost', lost.bytes);
    ledger.lossWindows.push({ from: lost.since, to: performance.now() });
    await only.restart();
    await progress.recovered();
  } while (performance.now() < until);
};
