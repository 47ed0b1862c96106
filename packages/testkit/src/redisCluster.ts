import { type ClusterNode, formCluster, freePort } from '@ruyi/process';
import { Cluster, type Redis } from 'ioredis';
import { startRedisProcess } from './redisProcess.ts';

export interface TestNode {
  readonly port: number;
  readonly pid: number;
  /** A client for this node alone; stop() ends it. */
  readonly client: Redis;
  /** Sends a signal (SIGKILL by default); after a fatal one it resolves when the node is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with its data, on the same ports. */
  start(): Promise<void>;
}

export interface TestCluster {
  /** one endpoint; the others are found from there */
  readonly url: string;
  /** masters first, then their replicas in the same order, as the cluster was made */
  readonly nodes: TestNode[];
  /** A client for looking at keys; stop() ends it. */
  readonly client: Cluster;
  /** Empties every master. */
  flush(): Promise<void>;
  /** Ends all nodes and clients and removes their folders. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  masters?: number;
  replicasPerMaster?: number;
  appendonly?: boolean;
  /** more arguments for every node */
  args?: string[];
}

/** After so long without an answer a master counts as dead and its replica takes its place. */
const NODE_TIMEOUT_MS = 2000;

/**
 * Starts a real Redis Cluster of redis-server processes on loopback. It ends with the test process. Resolves when every
 * node serves.
 * @throws Error in one line if redis-server is not installed
 */
export async function startCluster({
  masters = 3,
  replicasPerMaster = 1,
  appendonly = false,
  args = [],
}: ClusterOptions = {}): Promise<TestCluster> {
  const options = ['--appendonly', appendonly ? 'yes' : 'no', ...args];
  const count = masters * (1 + replicasPerMaster);
  const started = await Promise.all(Array.from({ length: count }, () => startNode(options)));
  await formCluster(
    started.map(({ address }) => address),
    masters,
  );
  const [first] = started;
  const url = `redis+cluster://127.0.0.1:${first?.address.port}`;
  const startup = started.map(({ node }) => ({ host: '127.0.0.1', port: node.port }));
  const client = new Cluster(startup, { clusterRetryStrategy: () => 50, slotsRefreshInterval: 1000 });
  client.on('error', () => {});
  const nodes = started.map(({ node }) => node);
  return {
    url,
    nodes,
    client,
    async flush() {
      await Promise.all(client.nodes('master').map((node) => node.flushall()));
    },
    async stop() {
      client.disconnect();
      await Promise.all(started.map((one) => one.stop()));
    },
  };
}

async function startNode(options: string[]): Promise<{ node: TestNode; address: ClusterNode; stop(): Promise<void> }> {
  const busPort = await freePort();
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  const timeout = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS)];
  const node = await startRedisProcess('redis-node', { args: [...cluster, ...timeout, ...options] });
  return { node, address: { port: node.port, busPort, password: '' }, stop: node.stop };
}
