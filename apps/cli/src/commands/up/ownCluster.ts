import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterNode, formCluster, freePort, StartError } from '@ruyi/process';
import { z } from 'zod';
import { startOnWholeAof } from './aofTail.ts';
import { REDIS } from './leftovers.ts';
import type { OwnRedisOptions } from './ownRedis.ts';

/** A node that answers nobody for so long counts as dead. It has no replica; it is started again. */
const NODE_TIMEOUT_MS = 5000;

const Facts = z.object({
  password: z.string(),
  nodes: z.array(z.object({ port: z.number(), busPort: z.number() })),
});

/**
 * Starts a Redis Cluster of `config.redisNodes` masters on loopback, each on a folder of its own and with its part of the
 * memory. Whoever is on this machine can reach their ports, so they ask for a password, which is in a file of 0600. The
 * nodes talk to each other without one: Redis has none for that.
 * @returns its address, as REDIS_URL
 * @throws StartError if it cannot start, or the data was written with another number of nodes
 */
export async function startOwnCluster(options: OwnRedisOptions & { binary: string }): Promise<string> {
  const { config, binary, env, say, start } = options;
  const folder = join(config.dataDir, 'redis');
  const nodes = await nodesIn(folder, config.redisNodes);
  const maxmemory = Math.floor(config.redisMaxmemory / nodes.length);
  await Promise.all(
    nodes.map(async ({ port, busPort, password }, i) => {
      const dir = join(folder, `node-${i + 1}`);
      const [address, args] = [{ port, password }, clusterOptions(busPort)];
      const plan = { binary, address, dir, maxmemory, appendfsync: config.redisAppendfsync, args, say };
      await startOnWholeAof(plan, env.PATH, (launch) => start(launch, `${REDIS}-${i + 1}`));
    }),
  );
  await formCluster(nodes, nodes.length);
  const [first] = nodes;
  return `redis+cluster://:${first?.password}@${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
}

const clusterOptions = (busPort: number): string[] => [
  ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-announce-ip', '127.0.0.1'],
  ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS)],
  // While one node is started again, the others serve.
  ...['--cluster-require-full-coverage', 'no'],
];

/** The nodes as they were before, on the same ports if those are free; or new ones. */
async function nodesIn(folder: string, count: number): Promise<ClusterNode[]> {
  const file = join(folder, 'cluster.json');
  const before = factsIn(file);
  const had = before?.nodes.length ?? (existsSync(join(folder, 'appendonlydir')) ? 1 : count);
  if (had !== count) {
    throw new StartError(
      `REDIS_NODES=${count}: the data in ${folder} is that of ${had}; set REDIS_NODES=${had}, or another DATA_DIR`,
    );
  }
  const password = before?.password ?? randomBytes(32).toString('hex');
  const taken = new Set<number>();
  const portFor = async (wanted?: number): Promise<number> => {
    const port = await freePort(wanted);
    if (taken.has(port)) return portFor();
    taken.add(port);
    return port;
  };
  const nodes: { port: number; busPort: number }[] = [];
  for (let i = 0; i < count; i++) {
    const known = before?.nodes[i];
    nodes.push({ port: await portFor(known?.port), busPort: await portFor(known?.busPort) });
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify({ password, nodes }), { mode: 0o600 });
  return nodes.map((node) => ({ ...node, password }));
}

/** @throws StartError if the data was written by several nodes, and only one is to be started */
export function refuseDataOfCluster(dataDir: string): void {
  const folder = join(dataDir, 'redis');
  const before = factsIn(join(folder, 'cluster.json'));
  if (before === undefined) return;
  const had = before.nodes.length;
  throw new StartError(`REDIS_NODES=1: the data in ${folder} is that of ${had} nodes; set REDIS_NODES=${had}`);
}

function factsIn(file: string): z.output<typeof Facts> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return Facts.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new StartError(`${file} cannot be read: restore it from a backup`);
  }
}
