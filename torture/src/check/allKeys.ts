import { Cluster, type Redis } from 'ioredis';

const SCAN_COUNT = 1000;

/** All keys, of every master of a cluster. */
export async function* allKeys(redis: Redis | Cluster): AsyncGenerator<string> {
  for (const node of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
    let cursor = '0';
    do {
      const [next, page] = await node.scan(cursor, 'COUNT', SCAN_COUNT);
      yield* page;
      cursor = next;
    } while (cursor !== '0');
  }
}
