import { seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { type ClientErrorCode, RuyiError } from '../src/errors.ts';
import { pause, pauseAfter } from '../src/retry.ts';

const failed = (code: ClientErrorCode, retryAfterSeconds?: number) =>
  new RuyiError('no', { status: 0, code, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });

test('only what a repeat can heal is repeated', () => {
  const healing: ClientErrorCode[] = ['unreachable', 'overloaded', 'unavailable', 'timeout', 'busy'];
  const final: ClientErrorCode[] = [
    'invalid_request',
    'idempotency_conflict',
    'unauthorized',
    'internal',
    'wrong_state',
  ];
  for (const code of healing) expect(pauseAfter(failed(code), 1)).toBeGreaterThan(0);
  for (const code of final) expect(pauseAfter(failed(code), 1)).toBeUndefined();
  expect(pauseAfter(new TypeError('a defect'), 1)).toBeUndefined();
});

test('pauses double up to two seconds, differ, and are never shorter than the API asks for', () => {
  const random = seededRandom(7);
  for (let failures = 1; failures <= 40; failures++) {
    const full = Math.min(100 * 2 ** (failures - 1), 2000);
    const plain = pauseAfter(failed('unavailable'), failures, random.next) ?? 0;
    expect(plain).toBeGreaterThanOrEqual(full / 2);
    expect(plain).toBeLessThanOrEqual(full);
    const asked = pauseAfter(failed('overloaded', 3), failures, random.next) ?? 0;
    expect(asked).toBeGreaterThanOrEqual(3000);
    expect(asked).toBeLessThanOrEqual(4500);
  }
  const pauses = Array.from({ length: 50 }, () => pauseAfter(failed('overloaded', 1), 1, random.next));
  expect(new Set(pauses).size).toBeGreaterThan(40);
});

test('an abort ends a pause with its reason', async () => {
  const abort = new AbortController();
  const paused = pause(60_000, abort.signal);
  abort.abort(new Error('enough'));
  await expect(paused).rejects.toThrow('enough');
  await expect(pause(60_000, abort.signal)).rejects.toThrow('enough');
});
