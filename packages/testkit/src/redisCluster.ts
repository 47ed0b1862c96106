import { type ClusterNode, formCluster } from '@ruyi/process';
import { Cluster, type NatMap, type Redis } from 'ioredis';
import { freePort } from './freePort.ts';
import { startRedisProcess } from './redisProcess.ts';

export interface TestNode {
  readonly port: number;
  readonly pid: number;
  /** its data folder */
  readonly dir: string;
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
  /** A client for looking at keys, past any proxies; stop() ends it. */
  readonly client: Cluster;
  /** for clients of their own that go past the proxies */
  readonly natMap: NatMap;
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
  /** After so long without an answer a node counts as dead, and a replica, if there is one, takes its place. */
  nodeTimeoutMs?: number;
  /** The port under which a node with this port is known to all, of a proxy in front of it. Its own if absent. */
  announce?: (port: number) => Promise<number>;
}

const WITH_REPLICAS_MS = 2000;
/** Nobody takes the place of a node: the cluster would only fail because one waits for a core. */
const WITHOUT_REPLICAS_MS = 10_000;

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
  nodeTimeoutMs = replicasPerMaster > 0 ? WITH_REPLICAS_MS : WITHOUT_REPLICAS_MS,
  announce = async (port) => port,
}: ClusterOptions = {}): Promise<TestCluster> {
  const timeout = ['--cluster-node-timeout', String(nodeTimeoutMs)];
  const options = ['--appendonly', appendonly ? 'yes' : 'no', ...timeout, ...args];
  const count = masters * (1 + replicasPerMaster);
  const started = await Promise.all(Array.from({ length: count }, () => startNode(options, announce)));
  await formCluster(
    started.map(({ address }) => address),
    masters,
  );
  const url = `redis+cluster://127.0.0.1:${started[0]?.knownPort}`;
  const startup = started.map(({ node }) => ({ host: '127.0.0.1', port: node.port }));
  const natMap = Object.fromEntries(
    started.map(({ node, knownPort }) => [`127.0.0.1:${knownPort}`, { host: '127.0.0.1', port: node.port }]),
  );
  const client = new Cluster(startup, { natMap, clusterRetryStrategy: () => 50, slotsRefreshInterval: 1000 });
  client.on('error', () => {});
  const nodes = started.map(({ node }) => node);
  return {
    url,
    nodes,
    client,
    natMap,
    async flush() {
      await Promise.all(client.nodes('master').map((node) => node.flushall()));
    },
    async stop() {
      client.disconnect();
      await Promise.all(started.map((one) => one.stop()));
    },
  };
}

interface StartedNode {
  node: TestNode;
  address: ClusterNode;
  /** what it announces */
  knownPort: number;
  stop(): Promise<void>;
}

async function startNode(options: string[], announce: (port: number) => Promise<number>): Promise<StartedNode> {
  const busPort = await freePort();
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  let knownPort = 0;
  const args = async (port: number) => {
    knownPort = await announce(port);
    return [...cluster, '--cluster-announce-port', String(knownPort), ...options];
  };
  const node = await startRedisProcess('redis-node', { args });
  return { node, address: { port: node.port, busPort, password: '' }, knownPort, stop: node.stop };
}
