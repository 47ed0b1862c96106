import { startCluster, type TestCluster, waitFor } from '@ruyi/testkit';
import { Cluster } from 'ioredis';
import { startProxy, type TcpProxy } from './proxy.ts';
import type { RedisNode, TorturedRedis } from './torturedRedis.ts';

const MASTERS = 3;
/** Nodes give a silent master 2 s, then a replica is elected. */
const LONGEST_AWAY_MS = 6000;
const WHOLE_DEADLINE_MS = 60_000;
const MORE_REPLICAS_THAN_THERE_ARE = '5';

/**
 * Replication goes through the proxies as well, because nodes and clients know a node by one address. If a cut hit it as
 * often as everything else, no replica would ever confirm.
 */
const isReplication = (data: Buffer) => data.includes('REPLCONF');

/** 3 masters with one replica each, all with AOF. Each node announces the proxy in front of it. */
export async function startRedisCluster(): Promise<TorturedRedis> {
  const proxies: TcpProxy[] = [];
  const announce = async (port: number) => {
    const proxy = await startProxy(port, isReplication);
    proxies.push(proxy);
    return proxy.port;
  };
  const args = ['--enable-debug-command', 'local'];
  const cluster = await startCluster({ masters: MASTERS, replicasPerMaster: 1, appendonly: true, args, announce });
  const { client, nodes } = cluster;
  return {
    name: `${MASTERS} masters with a replica each, REDIS_WAIT=1`,
    settings: {
      REDIS_URL: `redis+cluster://${proxies.map(({ port }) => `127.0.0.1:${port}`).join()}`,
      REDIS_WAIT: '1',
      // A job waits for replicas several times, so what lets one Redis drain within the deadline is too much here.
      MAX_BACKLOG: '2000',
    },
    proxies,
    client,
    longestAwayMs: LONGEST_AWAY_MS,
    nodes,
    masters: () => mastersAmong(nodes),
    async makeReadOnly({ client: master }) {
      await master.config('SET', 'min-replicas-to-write', MORE_REPLICAS_THAN_THERE_ARE);
      return async () => {
        await master.config('SET', 'min-replicas-to-write', '0');
      };
    },
    openWatch: () => openWatch(cluster),
    async whole() {
      const isWhole = async () => {
        await Promise.all(nodes.map(requireServing));
        return true;
      };
      await waitFor(isWhole, { what: 'every node of Redis to serve', deadlineMs: WHOLE_DEADLINE_MS, everyMs: 100 });
    },
    async stop() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await cluster.stop();
    },
  };
}

async function mastersAmong(nodes: readonly RedisNode[]): Promise<RedisNode[]> {
  const roles = await Promise.all(nodes.map(({ client }) => client.info('replication')));
  return nodes.filter((_, i) => roles[i]?.includes('role:master'));
}

/** @throws Error telling what it lacks */
async function requireServing({ client }: RedisNode): Promise<void> {
  const [cluster, replication] = [String(await client.call('CLUSTER', 'INFO')), await client.info('replication')];
  if (!cluster.includes('cluster_state:ok')) throw new Error(`a node says: ${cluster.slice(0, 60)}`);
  const isComplete = replication.includes('role:master')
    ? /^slave0:.*state=online/m.test(replication)
    : replication.includes('master_link_status:up');
  if (!isComplete) throw new Error(`a node says: ${replication.slice(0, 300)}`);
}

function openWatch({ nodes, natMap }: TestCluster): Cluster {
  const client = new Cluster(
    nodes.map(({ port }) => ({ port, host: '127.0.0.1' })),
    {
      natMap,
      redisOptions: { commandTimeout: 500, maxRetriesPerRequest: 0 },
      clusterRetryStrategy: () => 100,
      retryDelayOnFailover: 100,
      maxRedirections: 4,
      slotsRefreshInterval: 1000,
    },
  );
  client.on('error', () => {});
  return client;
}
