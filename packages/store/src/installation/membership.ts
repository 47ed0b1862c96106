import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { every } from '@ruyi/flow';
import { type RedisClient, serverClock } from '@ruyi/redis';
import type { Shards } from '../shardTags.ts';
import { checkInstallation } from './checkInstallation.ts';
import { type Member, Members } from './members.ts';
import { SCHEMA } from './schema.ts';
import { VERSION } from './version.ts';

const SIGN_OF_LIFE_MS = 1000;

/** This process, as the others see it. */
export interface Membership {
  self: Member;
  /** the shards of the installation, as keys name them */
  shards: Shards;
  /** all live members at the last sign of life */
  members(): Member[];
  /** tells the others a changed fact with the next sign of life */
  tell(facts: Partial<Pick<Member, 'lanes'>>): void;
  leave(): Promise<void>;
}

/** A name that no other process has. */
export const newName = (role: string): string => `${role}-${randomBytes(6).toString('hex')}`;

/** What a process tells when it starts. @param name of the process; random by default */
export const newMember = (role: string, lanes: number, name = newName(role)): Member => ({
  name,
  role,
  version: VERSION,
  schema: SCHEMA,
  lanes,
  host: hostname(),
  // Redis' clock says when it joined (joinInstallation).
  since: 0,
});

/**
 * Joins the installation, and says every second that this process lives, until it leaves.
 * @param redis a connection that waits while Redis is away; the caller repeats this while Redis cannot serve
 * @param onError told of each sign of life that failed, and how many did in a row
 * @throws InstallationError with one line for the operator
 */
export async function joinInstallation(
  redis: RedisClient,
  settings: { shards: number },
  member: Member,
  onError: (error: unknown, inARow: number) => void,
): Promise<Membership> {
  const self = { ...member, since: await serverClock(redis) };
  let facts = self;
  const joined = await checkInstallation(redis, settings, self);
  let living = joined.members;
  const members = new Members(redis);
  const beat = async () => {
    const { clockAheadMs } = members;
    living = await members.join(clockAheadMs === undefined ? facts : { ...facts, clock_ahead_ms: clockAheadMs });
  };
  const stop = every(SIGN_OF_LIFE_MS, beat, onError);
  return {
    self,
    shards: joined.shards,
    members: () => living,
    tell(changed) {
      facts = { ...facts, ...changed };
    },
    async leave() {
      await stop();
      await members.leave(self.name);
    },
  };
}
