import { createRequire } from 'node:module';
import type * as IORedis from 'ioredis';

/** ioredis, loaded as what it is, CommonJS: an `import` makes Node read its files twice, at every start of every process. */
const ioredis: typeof IORedis = createRequire(import.meta.url)('ioredis');

export const { Cluster, Redis } = ioredis;
export type { ClusterNode, ClusterOptions } from 'ioredis';
export type Cluster = IORedis.Cluster;
export type Redis = IORedis.Redis;
