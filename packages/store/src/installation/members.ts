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
  /** how far the clock of its machine is ahead of Redis', once it has measured that; negative: behind */
  clock_ahead_ms?: number;
}

/** A slower answer of Redis says nothing about two clocks. */
const CLOCK_ANSWER_MS = 1000;

/** All processes of the installation that live, by Redis' clock. */
export class Members {
  readonly #redis: RedisClient;
  #clockAheadMs: number | undefined;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** How far the clock of this machine was ahead of Redis' when it joined last; undefined if that was not measured. */
  get clockAheadMs(): number | undefined {
    return this.#clockAheadMs;
  }

  /** Says that a process lives; repeat it every second. @returns all that live */
  async join(member: Member): Promise<Member[]> {
    const asked = performance.now();
    const facts = [keys.members, keys.memberFacts];
    const reply = await joinMembers(this.#redis, facts, [member.name, JSON.stringify(member), SILENT_MS]);
    const [clock, ...pairs] = Array.isArray(reply) ? reply : [];
    const took = performance.now() - asked;
    if (took < CLOCK_ANSWER_MS) this.#clockAheadMs = Math.round(Date.now() - took / 2 - Number(clock));
    const texts = pairs.map(String);
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
