import { loadScript, type RedisClient } from '@ruyi/redis';
import { keys } from '../keys.ts';

const joinMembers = loadScript(import.meta.url, 'join-members');

/** A process that says nothing for so long counts as gone. */
const SILENT_MS = 5000;

/** What a process tells about itself. One of a later version may have another role, and tell more. */
export interface Member {
  /** random, new with every start: two containers may have the same host name and pid */
  name: string;
  /** `api`, `worker`, `indexer`, `board` */
  role: string;
  /** of Ruyi */
  version: string;
  /** the newest schema of the data that it knows (checkInstallation.ts) */
  schema: number;
  /** lanes of each kind that it works with */
  lanes: number;
  host: string;
  /** seconds, when it started */
  since: number;
}

/** All processes of the installation that live, by Redis' clock. */
export class Members {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** Says that a process lives; repeat it every second. @returns all that live */
  async join(member: Member): Promise<Member[]> {
    const facts = [keys.members, keys.memberFacts];
    const reply = await joinMembers(this.#redis, facts, [member.name, JSON.stringify(member), SILENT_MS]);
    const texts = Array.isArray(reply) ? reply.map(String) : [];
    return texts.filter((_, i) => i % 2 === 1).flatMap(parse);
  }

  async leave(name: string): Promise<void> {
    await this.#redis.multi().zrem(keys.members, name).hdel(keys.memberFacts, name).exec();
  }

  /** All that live, for somebody who is not one of them. */
  async all(): Promise<Member[]> {
    const [[seconds = '0'], ...rest] = await Promise.all([
      this.#redis.time(),
      this.#redis.zrange(keys.members, '0', '-1', 'WITHSCORES'),
      this.#redis.hgetall(keys.memberFacts),
    ]);
    const [scores, facts] = rest;
    const oldest = Number(seconds) * 1000 - SILENT_MS;
    return scores.flatMap((name, i) => (i % 2 === 0 && Number(scores[i + 1]) > oldest ? parse(facts[name] ?? '') : []));
  }
}

function parse(text: string): Member[] {
  try {
    const member: unknown = JSON.parse(text);
    return isMember(member) ? [member] : [];
  } catch {
    return [];
  }
}

function isMember(value: unknown): value is Member {
  if (typeof value !== 'object' || value === null) return false;
  const has = (field: string, type: 'string' | 'number') => typeof Reflect.get(value, field) === type;
  const texts = ['name', 'role', 'version', 'host'];
  return (
    texts.every((field) => has(field, 'string')) && ['schema', 'lanes', 'since'].every((field) => has(field, 'number'))
  );
}
