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

test('a problem is said once, when two readings have seen it, with its fix; and so is its end', () => {
  const changes = healthChanges();
  const said = [well, well, { ...well, search: away }, { ...well, search: away }, { ...well, search: away }].flatMap(
    changes,
  );
  expect(said).toEqual(['search: nobody answers; start it']);
  expect([well, well, well].flatMap(changes)).toEqual(['search is back']);
});

test('one reading alone says nothing', () => {
  const changes = healthChanges();
  expect([well, { ...well, search: away }, well, well].flatMap(changes)).toEqual([]);
});

test('a number that changes is nothing new, another problem is', () => {
  const changes = healthChanges();
  const readings = [1, 1, 2, 3, 3].map((count) => ({ ...well, dead_letters: letters(count) }));
  expect(readings.flatMap(changes)).toEqual(['dead letters: 1 dead letters; list']);
  const other = { ...well, dead_letters: { ...letters(3), fix: 'another' } };
  expect([other, other].flatMap(changes)).toEqual(['dead letters: 3 dead letters; another']);
});

test('what cannot be looked at is as it was', () => {
  const changes = healthChanges();
  const degraded = { ...well, search: away };
  const hidden = { ...well, redis: down, search: unknown };
  expect([degraded, degraded, hidden, hidden].flatMap(changes)).toEqual([
    'search: nobody answers; start it',
    'Redis: Redis does not answer; start Redis',
  ]);
  expect([degraded, degraded].flatMap(changes)).toEqual(['Redis is back']);
});
