import { setTimeout as delay } from 'node:timers/promises';
import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';
import { NEW_TAGS, type Shards, shardsOf } from '../shardTags.ts';
import { earlierProcesses } from './earlierProcesses.ts';
import { type Member, Members } from './members.ts';

const beginInstallation = loadScript(import.meta.url, 'begin-installation');

/** How long processes of an earlier version may take to end: they are stopped right before an upgrade. */
const PATIENCE_MS = 12_000;
/** A process that started just before the schema was raised shows itself within this time. */
const LAST_STARTS_MS = 3500;
const LOOK_EVERY_MS = 500;

/** Field of `r:{meta}`: the id of the export that is being imported. */
export const IMPORT_FIELD = 'import';

/** The settings of this process do not match what was fixed when the data was first written. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError';
}

/**
 * Joins the installation: compares SHARDS and the schema of the data with this process, and raises the schema if every live
 * process knows the new one. Members of a role that this version does not know are as good as any.
 * @returns all live members, and how the keys of the installation name its shards
 * @throws InstallationError with one line for the operator
 */
export async function checkInstallation(
  redis: RedisClient,
  settings: { shards: number },
  self: Member,
): Promise<{ members: Member[]; shards: Shards }> {
  const { schema, shards, tags } = await begunInstallation(redis, self.schema, settings.shards);
  if (Number(schema) > self.schema) {
    throw new InstallationError(
      `the data in Redis has schema ${schema}, version ${self.version} reads ${self.schema}: use the newer version`,
    );
  }
  if (Number(shards) !== settings.shards) {
    throw new InstallationError(
      `SHARDS=${settings.shards}: the data in Redis was written with SHARDS=${shards}, which is fixed`,
    );
  }
  if (Number(schema) < self.schema) await raiseSchema(redis, self);
  const members = new Members(redis);
  const living = await members.join(self);
  // After joining: an import looks for members once it has left its mark, so one of the two sees the other.
  if ((await redis.hget(keys.meta, IMPORT_FIELD)) !== null) {
    await members.leave(self.name);
    throw new InstallationError(
      'an import into this Redis is unfinished: run the same ruyi import again, or empty Redis (FLUSHDB) first',
    );
  }
  return { members: living, shards: shardsOf(tags, settings.shards) };
}

/** What is fixed for an installation. If this is a new one, it is fixed now. */
export async function begunInstallation(redis: RedisClient, schema: number, shards: number) {
  await beginInstallation(redis, [keys.meta], [schema, shards, NEW_TAGS]);
  return redis.hgetall(keys.meta);
}

/** The shards of an installation, for somebody who does not join it. Before it has begun nothing lies in any of them. */
export async function shardsOfInstallation(redis: RedisClient, settings: { shards: number }): Promise<Shards> {
  const [shards, tags] = await redis.hmget(keys.meta, 'shards', 'tags');
  return shardsOf(tags ?? undefined, Number(shards ?? settings.shards));
}

/** @throws InstallationError if a process that does not know the schema still lives */
async function raiseSchema(redis: RedisClient, self: Member): Promise<void> {
  await untilNobodyIsOlder(redis, self, PATIENCE_MS);
  // From now on no process of an earlier version may start: without a counter it would give seqs from 1 again.
  await redis.hset(keys.meta, 'schema', self.schema);
  await delay(LAST_STARTS_MS);
  await untilNobodyIsOlder(redis, self, 0);
}

async function untilNobodyIsOlder(redis: RedisClient, self: Member, patienceMs: number): Promise<void> {
  const members = new Members(redis);
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    const living = await members.join(self);
    const known = new Set(living.map(({ name }) => name));
    const old = living.filter(({ schema }) => schema < self.schema).map(({ name, version }) => `${name} (${version})`);
    old.push(...(await earlierProcesses(redis, known)));
    if (old.length === 0) return;
    if (waited >= patienceMs) {
      await members.leave(self.name);
      throw new InstallationError(
        `processes of an earlier version are running and would damage the data beside version ${self.version}: ${old.join(', ')}; stop them first`,
      );
    }
    await delay(LOOK_EVERY_MS);
  }
}
