import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@ruyi/redis';
import { freePort, startRedis, type TestProcess, type TestRedis, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { everyFlow, sendTo, seqsOf } from './everyFlow.ts';
import { type Installation, newInstallation } from './installation.ts';

/** An installation behind Sentinel, whose master is killed. */

const PASSWORD = 'hush';
const folder = tempDir('sentinel');
let [master, replica]: (TestRedis | undefined)[] = [];
let sentinel: ChildProcess;
let sentinelClient: ReturnType<typeof connect>;
let ruyi: Installation;
let up: TestProcess;
const endSentinel = () => sentinel?.kill('SIGKILL');

beforeAll(async () => {
  [master, replica] = await Promise.all([startRedis({ appendonly: true }), startRedis({ appendonly: true })]);
  for (const { client } of [master, replica]) {
    await client.config('SET', 'masterauth', PASSWORD);
    await client.config('SET', 'requirepass', PASSWORD);
  }
  await replica.client.replicaof('127.0.0.1', master.port);
  await waitFor(async () => (await replica?.client.info('replication'))?.includes('master_link_status:up'), {
    what: 'the replica to follow',
  });
  const port = await freePort();
  const file = join(folder.path, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder.path}`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      `sentinel auth-pass main ${PASSWORD}`,
      // Until the test kills the master, it may stand still for a while.
      'sentinel down-after-milliseconds main 60000',
      'sentinel failover-timeout main 5000',
    ].join('\n'),
  );
  sentinel = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  process.once('exit', endSentinel);
  sentinelClient = connect(`redis://127.0.0.1:${port}`, 'background', 'test');
  sentinelClient.on('error', () => {});
  await waitFor(async () => (await sentinelInfo()).includes('status=ok,address=127.0.0.1') && (await slaves()) === 1, {
    what: 'Sentinel to know both',
    deadlineMs: 30_000,
  });
  ruyi = await newInstallation({ REDIS_URL: `redis+sentinel://:${PASSWORD}@127.0.0.1:1,127.0.0.1:${port}/main/2` });
  up = await ruyi.start();
});
afterAll(async () => {
  await ruyi?.remove();
  sentinelClient?.disconnect();
  endSentinel();
  process.off('exit', endSentinel);
  await Promise.all([master, replica].map((server) => server?.stop()));
  folder.remove();
});

const sentinelInfo = () => sentinelClient.info('sentinel');
const slaves = async () => Number(/slaves=(\d+)/.exec(await sentinelInfo())?.[1]);

test('everything works', () => everyFlow(ruyi));

test('after the master was killed every process finds the new one, and seqs go on', async () => {
  expect((await sendTo(ruyi, 'room', 'before')).status).toBe(200);
  await waitFor(async () => (await seqsOf(ruyi, 'bob', 'room', 2)).length === 2, { what: 'the message' });
  // WAIT is about the last write of its own connection, and what was written before that by others.
  await master?.client.set('last', 'write');
  await waitFor(() => master?.client.call('WAIT', 1, 5000), { what: 'the replica to have it all' });
  await master?.kill();
  await sentinelClient.call('SENTINEL', 'SET', 'main', 'down-after-milliseconds', '500');
  // As a client does it: the same request, with the same client_msg_no, until it is answered.
  await waitFor(async () => (await sendTo(ruyi, 'room', 'after')).status === 200, {
    what: 'a send to be taken again',
    deadlineMs: 60_000,
    everyMs: 200,
  });
  const seqs = () => seqsOf(ruyi, 'bob', 'room', 2);
  await waitFor(async () => (await seqs()).length === 3, { what: 'the new message', deadlineMs: 30_000, everyMs: 100 });
  expect(await seqs()).toEqual([1, 2, 3]);
  expect(await sentinelInfo()).toContain(`address=127.0.0.1:${replica?.port}`);
  expect((await ruyi.ruyi('status')).output).toMatch(/worker/);
  expect(up.output).not.toContain(PASSWORD);
  expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});
