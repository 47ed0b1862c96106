import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from '@ruyi/redis';
import { begunInstallation, IMPORT_FIELD, InstallationError } from '../installation/checkInstallation.ts';
import { earlierProcesses } from '../installation/earlierProcesses.ts';
import { Members } from '../installation/members.ts';
import { SCHEMA } from '../installation/schema.ts';
import { VERSION } from '../installation/version.ts';
import { keys } from '../keys.ts';
import { scanKeys } from '../logs/keyScan.ts';
import { type Shards, shardsOf } from '../shardTags.ts';
import type { Store } from '../store.ts';
import { EXPORT_FORMAT, type HeaderLine } from './lines.ts';

/** Keys that an installation without any data may have: counters and facts, and what processes say about themselves. */
const NO_DATA = /^r:\{(meta|ids|lanes|reports)\}|^r:\{[0-9a-z]+\}:schema$/;

const KEYS = { pattern: 'r:{*', count: 500 };
const PATIENCE_MS = 7000;
const LOOK_EVERY_MS = 250;

interface Target {
  redis: RedisClient;
  /** SHARDS of the installation that is to be filled */
  shards: number;
  /** whether jobs wait on its queues */
  hasJobs(): Promise<boolean>;
}

/**
 * Makes sure that an export may be imported here, and leaves a mark with which no process starts before the import is finished.
 * @returns how its keys name its shards, and whether an earlier import of the same export is continued
 * @throws InstallationError with one line for the operator
 */
export async function beginImport(
  { redis, shards, hasJobs }: Target,
  header: HeaderLine,
): Promise<{ shards: Shards; continued: boolean }> {
  requireReadable(header);
  const fixed = await begunInstallation(redis, SCHEMA, shards);
  if (Number(fixed.shards) !== shards) {
    throw new InstallationError(
      `SHARDS=${shards}: this Redis belongs to an installation with SHARDS=${fixed.shards}, which is fixed`,
    );
  }
  const isNew = (await redis.hsetnx(keys.meta, IMPORT_FIELD, header.id)) === 1;
  try {
    if (!isNew && (await redis.hget(keys.meta, IMPORT_FIELD)) !== header.id) {
      throw new InstallationError(
        'an import of another export is unfinished here: finish that one, or empty Redis (FLUSHDB) first',
      );
    }
    await requireNoProcesses(redis);
    if (isNew) await requireNoData(redis, hasJobs);
    await redis.hset(keys.meta, 'schema', SCHEMA);
  } catch (error) {
    if (isNew) await redis.hdel(keys.meta, IMPORT_FIELD);
    throw error;
  }
  return { shards: shardsOf(fixed.tags, shards), continued: !isNew };
}

function requireReadable({ format, schema, version }: HeaderLine): void {
  if (format > EXPORT_FORMAT || schema > SCHEMA) {
    const what = format > EXPORT_FORMAT ? `format ${format}` : `schema ${schema}`;
    const known = format > EXPORT_FORMAT ? EXPORT_FORMAT : SCHEMA;
    throw new InstallationError(
      `the export has ${what} (made by version ${version}), version ${VERSION} reads ${known}: use the newer version`,
    );
  }
}

/** What ended counts for a while: a process that was killed for 5 s, the report of one that stopped for 6.5 s. */
async function requireNoProcesses(redis: RedisClient): Promise<void> {
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    const members = (await new Members(redis).all()).map(({ name }) => name);
    const running = [...members, ...(await earlierProcesses(redis, new Set(members)))];
    if (running.length === 0) return;
    if (waited >= PATIENCE_MS) {
      throw new InstallationError(`processes run on this Redis (${running.join(', ')}): stop all of them first`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function requireNoData(redis: RedisClient, hasJobs: () => Promise<boolean>): Promise<void> {
  for await (const { keys: found } of scanKeys(redis, KEYS)) {
    const data = found.find((key) => !NO_DATA.test(key));
    if (data !== undefined) {
      throw new InstallationError(
        `this Redis holds data already (${data}): an import needs an empty one; set REDIS_URL or DATA_DIR to another one`,
      );
    }
  }
  if (await hasJobs()) {
    throw new InstallationError(
      'jobs wait on the queues of this Redis: an import needs an empty one; set REDIS_URL or DATA_DIR to another one',
    );
  }
}

/**
 * Ends an import: from now on processes may start, message ids are greater than all imported ones, and the search index is
 * rebuilt by the first indexer.
 */
export async function finishImport(redis: RedisClient, store: Store, nextId: number): Promise<void> {
  const kept = Number((await redis.get(keys.ids)) ?? 0);
  if (nextId > kept) await redis.set(keys.ids, String(nextId));
  await store.rebuilds.request('an export was imported', { fresh: true });
  await redis.hdel(keys.meta, IMPORT_FIELD);
}
