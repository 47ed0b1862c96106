import { fileURLToPath } from 'node:url';
import { agreeOnLanes } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { Members, newMember } from '@ruyi/store';
import { startProcess, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const RUYI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
let redis: TestRedis;
let connection: ReturnType<typeof connect>;
beforeAll(async () => {
  redis = await startRedis();
  connection = connect(redis.url, 'background', 'test');
});
afterAll(async () => {
  connection.disconnect();
  await redis.stop();
});

async function ruyi(...args: string[]) {
  const process = await startProcess(RUYI, { REDIS_URL: redis.url }, { args, waitForReady: false });
  const { code } = await process.exit;
  return { code, stdout: process.stdout, stderr: process.stderr };
}

test('status lists the processes that live, and the lanes; without any it says so', async () => {
  expect(await ruyi('status', '--json')).toMatchObject({ code: 0, stdout: '{"lanes":null,"members":[]}\n' });
  const members = new Members(connection);
  const [worker, api] = [newMember('worker', 4), newMember('api', 4)];
  for (const member of [worker, api]) await members.join(member);
  await agreeOnLanes(connection, 4);
  const { code, stdout } = await ruyi('status');
  expect(code).toBe(0);
  const [head, first, second] = stdout.split('\n');
  expect(head).toMatch(/^name +role +version +schema +lanes +host +since$/);
  expect(first).toMatch(new RegExp(`^${api.name} +api +`));
  expect(second).toMatch(new RegExp(`^${worker.name} +worker +`));
  expect(stdout).toContain('\nlanes of each kind: 4\n');
  expect(JSON.parse((await ruyi('status', '--json')).stdout)).toEqual({ lanes: 4, members: [api, worker] });
});

test('an argument that it does not know is a usage error', async () => {
  expect(await ruyi('status', '--all')).toMatchObject({ code: 2, stderr: 'ruyi status [--json]\n' });
});
