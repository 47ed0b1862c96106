import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster, startRedis, type TestRedis } from '@ruyi/testkit';

/** The masters of one measurement. */
export interface Nodes {
  /** as REDIS_URL */
  url: string;
  masters: Pick<TestRedis, 'pid' | 'client'>[];
  stop(): Promise<void>;
}

/** Without rewrites the append-only files tell what was written. */
const ARGS = ['--auto-aof-rewrite-percentage', '0'];

/** Starts so many masters with AOF (everysec): one redis-server, or a Redis Cluster. */
export async function startNodes(masters: number): Promise<Nodes> {
  if (masters === 1) {
    const redis = await startRedis({ appendonly: true, args: ARGS });
    return { url: redis.url, masters: [redis], stop: () => redis.stop() };
  }
  const cluster = await startCluster({ masters, replicasPerMaster: 0, appendonly: true, args: ARGS });
  return { url: cluster.url, masters: cluster.nodes, stop: () => cluster.stop() };
}

/** Memory of the data on all masters, in bytes: without buffers of connections, of the AOF and of replication. */
export async function dataBytes({ masters }: Nodes): Promise<number> {
  const sizes = await Promise.all(
    masters.map(async ({ client }) => {
      const info = await client.info('memory');
      const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
      const buffers = ['mem_clients_normal', 'mem_clients_slaves', 'mem_aof_buffer', 'mem_cluster_links'];
      return field('used_memory') - buffers.reduce((sum, name) => sum + field(name), 0);
    }),
  );
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes of the append-only files of all masters. */
export async function aofBytes({ masters }: Nodes): Promise<number> {
  let bytes = 0;
  for (const { client } of masters) {
    const [, dir = ''] = (await client.config('GET', 'dir')) as string[];
    const folder = join(dir, 'appendonlydir');
    for (const file of readdirSync(folder)) bytes += statSync(join(folder, file)).size;
  }
  return bytes;
}
