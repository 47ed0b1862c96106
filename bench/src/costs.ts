import { processSeconds } from './busyCores.ts';
import type { System } from './system.ts';

/** What a stretch of load used. */
export interface Used {
  /** CPU seconds */
  api: number;
  workers: number;
  redis: number;
  /** of BullMQ */
  jobs: number;
  /** that Redis executed, those of scripts among them; and scripts */
  commands: number;
  scripts: number;
}

/** Counters so far. */
async function look({ api, workers, redis }: System): Promise<Used> {
  const [stats, calls] = await Promise.all([redis.client.info('stats'), redis.client.info('commandstats')]);
  const count = (info: string, name: RegExp) => Number(name.exec(info)?.[1] ?? 0);
  return {
    api: processSeconds(api.pid),
    workers: workers.reduce((sum, { pid }) => sum + processSeconds(pid), 0),
    redis: processSeconds(redis.pid),
    jobs: await jobsSoFar(redis.client),
    commands: count(stats, /^total_commands_processed:(\d+)/m),
    scripts: count(calls, /^cmdstat_evalsha:calls=(\d+)/m),
  };
}

/** BullMQ counts the jobs of each queue, which gives them their ids. */
async function jobsSoFar(client: System['redis']['client']): Promise<number> {
  const keys: string[] = [];
  for (let cursor = '0'; ; ) {
    const [next, found] = await client.scan(cursor, 'MATCH', '*:id', 'COUNT', 10_000, 'TYPE', 'string');
    keys.push(...found);
    cursor = next;
    if (cursor === '0') break;
  }
  const counts = keys.length === 0 ? [] : await client.mget(...new Set(keys));
  return counts.reduce((sum, value) => sum + (/^\d+$/.test(value ?? '') ? Number(value) : 0), 0);
}

/** What `work` used. */
export async function usedBy<T>(system: System, work: () => Promise<T>): Promise<{ used: Used; result: T }> {
  const before = await look(system);
  const result = await work();
  const after = await look(system);
  const used = Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - before[name as keyof Used]]),
  ) as unknown as Used;
  return { used, result };
}
