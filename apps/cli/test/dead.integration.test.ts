import { fileURLToPath } from 'node:url';
import { addDeadLetter, DEAD_QUEUE, laneQueue, openDeadLetters, openQueue, openQueues, type Queues } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { startProcess, startRedis, type TestRedis, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRunFolder } from '../src/commands/up/runFolder.ts';

const RUYI = fileURLToPath(new URL('../dist/main.js', import.meta.url));

let redis: TestRedis;
let connection: ReturnType<typeof connect>;
let queues: Queues;
let worker: { close(): Promise<void> };
const letters = () => openQueue(connection, DEAD_QUEUE);

beforeAll(async () => {
  redis = await startRedis();
  connection = connect(redis.url, 'background', 'test');
  queues = openQueues(connection, 1);
  worker = openDeadLetters(connection);
  const dead = letters();
  for (const n of [1, 2, 3]) {
    const data = { items: [], n };
    await addDeadLetter(queues, `job-${n}`, { queue: 'send.0', name: 'send', reason: `reason ${n}`, data });
  }
  await waitFor(async () => (await dead.getFailedCount()) === 3, { what: 'the letters to lie there' });
  await dead.close();
});
afterAll(async () => {
  await worker.close();
  await queues.close();
  connection.disconnect();
  await redis.stop();
});

async function ruyi(args: string[], env: Record<string, string> = { REDIS_URL: redis.url }) {
  const process = await startProcess(RUYI, env, { args, waitForReady: false });
  const { code } = await process.exit;
  return { code, stdout: process.stdout, stderr: process.stderr };
}

test('dead list shows dead letters and their reasons', async () => {
  const { code, stdout } = await ruyi(['dead', 'list']);
  expect(code).toBe(0);
  for (const n of [1, 2, 3])
    expect(stdout).toMatch(new RegExp(`^dead-job-${n}\\t.*\\tsend\\.0\\tsend\\treason ${n}$`, 'm'));
  expect(stdout).toMatch(/^3 dead letters$/m);
});

test('dead retry puts one back on its lane, and --all the rest', async () => {
  const lane = openQueue(connection, laneQueue('send', 0));
  expect(await ruyi(['dead', 'retry', 'dead-job-1'])).toMatchObject({ code: 0, stdout: 'dead-job-1: put back\n' });
  await waitFor(async () => (await lane.getWaitingCount()) === 1, { what: 'the job on its lane' });
  expect(await ruyi(['dead', 'retry', '--all'])).toMatchObject({ code: 0, stdout: '2 put back\n' });
  await waitFor(async () => (await lane.getWaitingCount()) === 3, { what: 'the others' });
  expect(await ruyi(['dead', 'list'])).toMatchObject({ code: 0, stdout: '0 dead letters\n' });
  await lane.close();
});

test('without REDIS_URL it finds the Redis of the installation on DATA_DIR', async () => {
  const folder = tempDir('data');
  const nothing = await ruyi(['dead', 'list'], { DATA_DIR: folder.path });
  expect(nothing.code).toBe(1);
  expect(nothing.stderr).toBe(
    `Ruyi is not running on DATA_DIR=${folder.path}: start it (npm start), or set REDIS_URL\n`,
  );
  openRunFolder(folder.path).noteRedisUrl(redis.url);
  expect((await ruyi(['dead', 'list'], { DATA_DIR: folder.path })).code).toBe(0);
  folder.remove();
});

test.each([
  [['dead', 'retry', 'no-such-id'], 1, 'no-such-id: no dead letter has this id\n'],
  [['dead'], 2, 'ruyi dead list | ruyi dead retry <id> | ruyi dead retry --all\n'],
  [['fly'], 2, "unknown command 'fly'\n"],
])('%j is refused with exit %i', async (args, code, line) => {
  const result = await ruyi(args);
  expect(result.code).toBe(code);
  expect(result.stderr.startsWith(line)).toBe(true);
});
