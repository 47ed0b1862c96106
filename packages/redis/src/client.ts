import type { Cluster, Redis } from 'ioredis';

/** A connection to one Redis, or to every node of a Redis Cluster. */
export type RedisClient = Redis | Cluster;
