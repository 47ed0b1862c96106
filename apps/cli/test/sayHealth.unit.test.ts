import type { HealthCheck, HealthChecks } from '@ruyi/client';
import { expect, test } from 'vitest';
import { healthChanges } from '../src/commands/up/sayHealth.ts';

const ok: HealthCheck = { status: 'ok' };
const well: HealthChecks = {
  ...{ redis: ok, redis_settings: ok, memory: ok, workers: ok, lanes: ok },
  ...{ indexer: ok, search: ok, backlog: ok, dead_letters: ok },
};
const unknown: HealthCheck = { status: 'unknown', message: 'not known' };
const away: HealthCheck = { status: 'degraded', message: 'nobody answers', fix: 'start it' };
const down: HealthCheck = { status: 'down', message: 'Redis does not answer', fix: 'start Redis' };
const letters = (count: number): HealthCheck => ({ status: 'degraded', message: `${count} dead letters`, fix: 'list' });

/** Readings, one a second. */
function said(readings: HealthChecks[], changes = healthChanges(), from = 0): string[] {
  return readings.flatMap((checks, second) => changes(checks, (from + second) * 1000));
}

test('a problem is said once, when it has lasted, with its fix; and so is its end', () => {
  const changes = healthChanges();
  const missing = { ...well, search: away };
  expect(said([well, well, missing, missing], changes)).toEqual([]);
  expect(said([missing, missing], changes, 4)).toEqual(['search: nobody answers; start it']);
  expect(said([well, well], changes, 6)).toEqual([]);
  expect(said([well, well], changes, 8)).toEqual(['search is back']);
});

test('what readings a second apart saw, and the next did not, is not said', () => {
  const missing = { ...well, search: away };
  expect(said([well, missing, well, well, missing, missing, well])).toEqual([]);
});

test('two readings are enough if the second took so long', () => {
  const changes = healthChanges();
  const missing = { ...well, search: away };
  expect([...changes(missing, 0), ...changes(missing, 1900)]).toEqual(['search: nobody answers; start it']);
});

test('a number that changes is nothing new, another problem is', () => {
  const changes = healthChanges();
  const readings = [1, 1, 2, 3, 3].map((count) => ({ ...well, dead_letters: letters(count) }));
  expect(said(readings, changes)).toEqual(['dead letters: 2 dead letters; list']);
  const other = { ...well, dead_letters: { ...letters(3), fix: 'another' } };
  expect(said([other, other, other], changes, 5)).toEqual(['dead letters: 3 dead letters; another']);
});

test('what cannot be looked at is as it was', () => {
  const changes = healthChanges();
  const degraded = { ...well, search: away };
  const hidden = { ...well, redis: down, search: unknown };
  expect(said([degraded, degraded, degraded, hidden, hidden, hidden], changes)).toEqual([
    'search: nobody answers; start it',
    'Redis: Redis does not answer; start Redis',
  ]);
  expect(said([degraded, degraded, degraded], changes, 6)).toEqual(['Redis is back']);
});
