import type { HealthCheckName, HealthChecks } from '@ruyi/client';
import type { Config } from '@ruyi/config';
import { every } from '@ruyi/flow';
import { readHealth } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { createSearchEngine, searchProblem } from '@ruyi/search';

const LOOK_EVERY_MS = 1000;
/**
 * What has been wrong for so long is said: one reading may fall into a start or a restart. A frozen process is noticed after
 * five seconds, and a reading takes up to one, so a problem is on the terminal within ten.
 */
const LASTS_MS = 1500;

/** Each check, what it looks at, and what is said when it finds nothing any more. */
const WORDS: [name: HealthCheckName, subject: string, end: string][] = [
  ['redis', 'Redis', 'Redis is back'],
  ['redis_settings', "Redis' settings", 'Redis is set up as it should be again'],
  ['memory', "Redis' memory", 'Redis has memory again'],
  ['workers', 'workers', 'a worker lives again'],
  ['lanes', 'lanes', 'every lane has a worker again'],
  ['indexer', 'indexer', 'an indexer lives again'],
  ['search', 'search', 'search is back'],
  ['backlog', 'backlog', 'the backlog is worked again'],
  ['dead_letters', 'dead letters', 'there are no dead letters any more'],
];

/**
 * Looks every second at what GET /health tells, and says each problem once, with what to do about it, and its end.
 * @param config with the address of its Redis
 * @returns stops looking
 */
export function sayHealth(config: Config, say: (line: string) => void): () => Promise<void> {
  const redis = connect(config, 'request', 'up');
  redis.on('error', () => {});
  const engine = createSearchEngine(config, 'reader');
  const sources = { redis, search: () => searchProblem(() => engine.check()), settings: config };
  const changes = healthChanges();
  const look = async () => {
    for (const line of changes((await readHealth(sources)).checks, performance.now())) say(line);
  };
  const stop = every(LOOK_EVERY_MS, look, () => {});
  return async () => {
    redis.disconnect();
    await Promise.all([stop(), engine.close()]);
  };
}

/** @returns tells from one reading to the next, each with its time in milliseconds, what has begun and what has ended, a line each */
export function healthChanges(): (checks: HealthChecks, now: number) => string[] {
  const states = WORDS.map(([name, subject, end]) => ({ name, subject, end, seen: '', since: 0, said: '' }));
  return (checks, now) =>
    states.flatMap((state) => {
      const { status, message, fix = '' } = checks[state.name];
      // What cannot be looked at may be as it was.
      if (status === 'unknown') return [];
      // The fix tells problems apart: the numbers in a message change all the time.
      const seen = status === 'ok' ? '' : fix;
      if (seen !== state.seen) state.since = now;
      state.seen = seen;
      if (now - state.since < LASTS_MS || seen === state.said) return [];
      state.said = seen;
      return [status === 'ok' ? state.end : `${state.subject}: ${message}; ${fix}`];
    });
}
