import { fileURLToPath } from 'node:url';
import { keys } from '@ruyi/store';
import { startProcess, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const RUYI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis({ appendonly: true });
});
afterAll(async () => {
  await redis.stop();
});

async function ruyi(args: string[], url = redis.url) {
  const process = await startProcess(RUYI, { REDIS_URL: url }, { args, waitForReady: false });
  const { code } = await process.exit;
  return { code, stdout: process.stdout, stderr: process.stderr };
}

test('memory says what takes the memory, for people and for programs', async () => {
  expect(await ruyi(['memory'])).toMatchObject({ code: 0, stdout: expect.stringContaining('all keys were looked at') });
  for (let seq = 1; seq <= 8; seq++) {
    await redis.client.zadd(keys.log('3', '2:room'), seq, JSON.stringify([seq, 1000, 'ann', '', 'YQ==']));
  }
  await redis.client.rpush(keys.inbox('3', 'bob'), '[1,1000,"ann","","YQ=="]');
  const { code, stdout } = await ruyi(['memory', '--retention', '2', '--max-age', '60']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^logs +1 +\d+ B +[\d.]+ %$/m);
  expect(stdout).toMatch(/^largest channels +messages +memory\n2:room +8 +\d+ B$/m);
  expect(stdout).toMatch(/^largest inboxes +commands +memory\nbob +1 +\d+ B$/m);
  expect(stdout).toMatch(/^LOG_RETENTION=2 LOG_MAX_AGE=60 would free about \d+ B: 8 messages$/m);
  expect(stdout).toMatch(/^Redis uses [\d.]+ [KM]iB without a bound; all keys were looked at$/m);
  const survey = JSON.parse((await ruyi(['memory', '--json', '--exact', '--retention', '2'])).stdout);
  expect(survey.kinds.logs).toEqual({ keys: 1, bytes: await redis.client.memory('USAGE', keys.log('3', '2:room')) });
  expect(survey.freed.messages).toBe(6);
});

test.each([
  [['--seconds', 'x'], '--seconds x: must be a whole number from 1 on'],
  [['--retention', '0'], '--retention 0: must be a whole number from 1 on'],
  [['--max-age', '-1'], '--max-age'],
  [['--exact', '--seconds', '5'], '--exact goes over everything'],
  [['--all'], "Unknown option '--all'"],
  [['logs'], 'Unexpected argument'],
])('%s is a usage error', async (args, reason) => {
  const { code, stderr, stdout } = await ruyi(['memory', ...args]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(reason);
  expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^ruyi memory /);
});

test('a Redis that is not there is one line', async () => {
  const { code, stdout, stderr } = await ruyi(['memory'], 'redis://127.0.0.1:1');
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toContain('127.0.0.1:1');
});
