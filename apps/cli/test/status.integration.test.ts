import { fileURLToPath } from 'node:url';
import { every } from '@ruyi/flow';
import { agreeOnLanes, openQueues } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { LaneMembers, Members, newMember } from '@ruyi/store';
import { startProcess, startRedis, type TestRedis } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

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

test('status lists the processes that live, who works each lane and what waits on it; without any it says so', async () => {
  const nothing = JSON.parse((await ruyi('status', '--json')).stdout);
  expect(nothing).toMatchObject({
    lanes_of_each_kind: null,
    lanes_changing_to: null,
    processes: [],
    lanes: [],
    broadcasts: [],
  });
  expect((await ruyi('status')).stdout).toContain('\nlanes of each kind: not decided yet\n');

  const members = new Members(connection);
  const [worker, api] = [newMember('worker', 2), newMember('api', 2)];
  const live = () => Promise.all([worker, api].map((member) => members.join(member)));
  await live();
  // They live for five seconds, and a command may need longer.
  const stopLiving = every(500, live, () => {});
  onTestFinished(stopLiving);
  const { plan } = await agreeOnLanes(connection, 2);
  await new LaneMembers(connection).share(worker.name, 3000, [{ kind: 'send', ...plan }]);
  const queues = openQueues(connection, plan);
  await queues.lane('send', 1).add('any', {}, { jobId: 'a.7' });
  await queues.close();

  const { code, stdout } = await ruyi('status');
  expect(code).toBe(0);
  const [head, first, second] = stdout.split('\n');
  expect(head).toMatch(/^name +role +version +schema +lanes +host +since$/);
  expect(first).toMatch(new RegExp(`^${api.name} +api +`));
  expect(second).toMatch(new RegExp(`^${worker.name} +worker +\\S+ +\\d+ +2 `));
  expect(stdout).toContain('\nlanes of each kind: 2\n');
  expect(stdout).toMatch(new RegExp(`^send\\.1 +${worker.name} +1 +7 +20\\d\\d-`, 'm'));
  expect(stdout).toMatch(/^fanout\.0 +nobody +0 +0$/m);
  expect(stdout).toMatch(/^redis 127\.0\.0\.1:\d+: \d+ MiB used/m);
  const json = JSON.parse((await ruyi('status', '--json')).stdout);
  expect(json.processes).toEqual([
    { ...api, lanes: [] },
    { ...worker, lanes: ['send.0', 'send.1'] },
  ]);
});

test('an argument that it does not know is a usage error', async () => {
  expect(await ruyi('status', '--all')).toMatchObject({ code: 2, stderr: 'ruyi status [--json]\n' });
});
