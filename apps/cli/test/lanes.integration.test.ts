import { fileURLToPath } from 'node:url';
import { every } from '@ruyi/flow';
import { agreeOnLanes } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { checkInstallation, keys, LanePlans, Members, newMember, SCHEMA } from '@ruyi/store';
import { startProcess, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';

const RUYI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
let redis: TestRedis;
let connection: ReturnType<typeof connect>;
beforeAll(async () => {
  redis = await startRedis();
  connection = connect(redis.url, 'background', 'test');
});
beforeEach(() => redis.client.flushall());
afterAll(async () => {
  connection.disconnect();
  await redis.stop();
});

async function ruyi(...args: string[]) {
  const process = await startProcess(RUYI, { REDIS_URL: redis.url }, { args, waitForReady: false });
  const { code } = await process.exit;
  return { code, stdout: process.stdout, stderr: process.stderr };
}

/** An installation as a start of this version leaves it, without a process that lives. */
async function begin(lanes: number): Promise<void> {
  const self = newMember('worker', lanes);
  await checkInstallation(connection, { shards: 16 }, self);
  await new Members(connection).leave(self.name);
  await agreeOnLanes(connection, lanes);
}

const plan = () => new LanePlans(connection).read();

test('it shows the lanes, and changes their number also while nothing runs', async () => {
  await begin(2);
  expect((await ruyi('lanes')).stdout).toMatch(/^send\.1 +nobody +0 +0$[\s\S]*\nlanes of each kind: 2\n$/m);
  expect(await ruyi('lanes', '3')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/lanes of each kind: 3\n$/),
  });
  expect(await plan()).toEqual({ generation: 1, lanes: 3, first: 2 });
  // The same number again changes nothing.
  expect(await ruyi('lanes', '3')).toMatchObject({ code: 0, stdout: 'lanes of each kind: 3\n' });
  expect(await plan()).toEqual({ generation: 1, lanes: 3, first: 2 });
});

test('a change to another number that has begun is ended first', async () => {
  await begin(2);
  await new LanePlans(connection).change({ generation: 0, lanes: 2 }, { generation: 0, lanes: 2, next: 5 });
  expect(await ruyi('lanes', '4')).toMatchObject({ code: 0 });
  expect(await plan()).toEqual({ generation: 2, lanes: 4, first: 2 });
});

test.each(['0', '65', 'many', '-1', '4 5'])('`ruyi lanes %s` is a usage error', async (args) => {
  expect(await ruyi('lanes', ...args.split(' '))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('ruyi lanes'),
  });
});

test('it refuses where it would do harm, in one line, and changes nothing', async () => {
  expect(await ruyi('lanes', '4')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^nothing was started .*\n$/),
  });
  await begin(2);
  expect(await ruyi('lanes', '17')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^17 lanes: .*16 shards.*\n$/),
  });
  const old = { ...newMember('api', 2), version: '0.0.9', schema: SCHEMA - 1 };
  const members = new Members(connection);
  // A member lives for five seconds, and a command may need longer.
  const live = () => members.join(old);
  await live();
  const stopLiving = every(500, live, () => {});
  onTestFinished(stopLiving);
  const refused = await ruyi('lanes', '4');
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^processes do not know .*stop them first\n$/),
  });
  expect(refused.stderr).toContain(`${old.name} (0.0.9)`);
  await stopLiving();
  await members.leave(old.name);
  await connection.hset(keys.meta, 'schema', SCHEMA - 1);
  expect(await ruyi('lanes', '4')).toMatchObject({ code: 1, stderr: expect.stringMatching(/earlier version.*\n$/) });
  expect(await plan()).toEqual({ generation: 0, lanes: 2 });
});
