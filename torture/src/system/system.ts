import { freePort, tempDir, waitFor } from '@ruyi/testkit';
import type { Findings } from '../findings.ts';
import { Member, type Role } from './member.ts';
import { startOneRedis } from './oneRedis.ts';
import { startProxy, type TcpProxy } from './proxy.ts';
import { startRedisCluster } from './redisCluster.ts';
import type { TorturedRedis } from './torturedRedis.ts';

export const LANES = 4;
export const SHARDS = 64;
const APIS = 2;
const WORKERS = 2;

/** The real processes on a real Redis with AOF. Proxies between them can cut connections. */
export interface System {
  redis: TorturedRedis;
  dataDir: string;
  /** the environment of the processes; REDIS_URL leads through the proxy */
  env: Record<string, string>;
  members: Member[];
  of(role: Role): Member[];
  /** the proxies in front of the APIs */
  apiProxies: TcpProxy[];
  /** the ports of the APIs themselves, without the proxies */
  apiPorts: number[];
  /** Resolves when every process and every node of Redis serves. */
  allReady(): Promise<void>;
  /** Ends every process with SIGTERM, and checks that it exits properly. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

export async function startSystem(
  findings: Findings,
  { cluster, logs }: { cluster: boolean; logs?: string },
): Promise<System> {
  const redis = await (cluster ? startRedisCluster() : startOneRedis());
  const folder = tempDir('torture');
  const env = {
    DATA_DIR: folder.path,
    LOG_LEVEL: logs === undefined ? 'warn' : 'info',
    LANES: String(LANES),
    SHARDS: String(SHARDS),
    // Low enough that senders faster than the machine get 429, and that the backlog drains within the deadline.
    MAX_BACKLOG: '20000',
    // Acknowledged commands are read again at the end.
    INBOX_KEEP: '1000000',
    INBOX_MAX: '10000000',
    ...redis.settings,
  };
  const apiPorts: number[] = [];
  for (let i = 0; i < APIS; i++) apiPorts.push(await freePort());
  const members = [
    new Member('indexer', 'indexer', env, findings, logs),
    ...Array.from({ length: WORKERS }, (_, i) => new Member('worker', `worker ${i + 1}`, env, findings, logs)),
    ...apiPorts.map((port, i) => new Member('api', `api ${i + 1}`, { ...env, PORT: String(port) }, findings, logs)),
  ];
  const apiProxies = await Promise.all(apiPorts.map((port) => startProxy(port)));
  await Promise.all(members.map((member) => member.start()));
  const allReady = async () => {
    const ready = () => members.every(({ isReady }) => isReady);
    await redis.whole();
    await waitFor(ready, { what: 'every process to serve', deadlineMs: 120_000 });
  };
  return {
    redis,
    dataDir: folder.path,
    env,
    members,
    of: (role) => members.filter((member) => member.role === role),
    apiProxies,
    apiPorts,
    allReady,
    async stop() {
      for (const member of members.toReversed()) {
        const { exit, ms } = await member.stop();
        if (exit?.code !== 0 || ms > 10_000) {
          findings.add('shutdown', `${member.name}: exit ${exit?.signal ?? exit?.code} after ${Math.round(ms)} ms`);
        }
      }
    },
    async remove() {
      await Promise.all(members.map((member) => member.stop()));
      await Promise.all(apiProxies.map((proxy) => proxy.close()));
      await redis.stop();
      folder.remove();
    },
  };
}
