import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@ruyi/redis';
import { createStore, evenShards, keys, refOf, SCHEMA, shardOf } from '@ruyi/store';
import { expectNoLeaks, startProcess, startRedis, type TestRedis, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const RUYI = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const SHARDS = evenShards(64);
const LIMITS = { shards: SHARDS, logRetention: 0, logMaxAge: 0, inboxMax: 1000, inboxKeep: 100, idempotencyTtl: 3600 };
const RECIPIENTS = 5000;
const folder = tempDir('export');
const file = join(folder.path, 'all.ndjson');

let source: TestRedis;
let target: TestRedis;

beforeAll(async () => {
  [source, target] = await Promise.all([startRedis(), startRedis()]);
  const redis = connect(source.url, 'background', 'test');
  await redis.hset(keys.meta, { shards: 64, schema: SCHEMA, tags: 'even' });
  const store = createStore(redis, LIMITS);
  const run = { jobId: 'job', extendLock: async () => true, signal: new AbortController().signal, careful: false };
  const body = { id: 5_000_000, ts: 1, from: 'news', no: 'n', payload: 'A'.repeat(1024 * 1024) };
  const ref = refOf(body.id);
  await store.bodies.write(ref, { body, kind: 'batch', cmd: false, starts: [0] }, RECIPIENTS);
  await store.bodies.confirm(ref, body);
  const recipients = Array.from({ length: RECIPIENTS }, (_, position) => ({ uid: `u${position}`, position }));
  await store.appender('fanout.0').appendReferences(run, { ref, from: 'news', command: false }, recipients);
  redis.disconnect();
});
beforeEach(() => target.client.flushall());
afterAll(async () => {
  await Promise.all([source.stop(), target.stop()]);
  folder.remove();
  expectNoLeaks();
});

async function ruyi(redis: { url: string }, ...args: string[]) {
  const process = await startProcess(RUYI, { REDIS_URL: redis.url }, { args, waitForReady: false });
  const { code } = await process.exit;
  return { code, stdout: process.stdout, stderr: process.stderr };
}

/** A command whose stdin and stdout the test holds. */
function piped(redis: TestRedis, ...args: string[]) {
  const child = spawn(process.execPath, [RUYI, ...args], { env: { PATH: process.env.PATH, REDIS_URL: redis.url } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exit = once(child, 'close').then(([code]) => ({ code: Number(code), stderr }));
  return { child, exit };
}

test('help has examples; what is wrong with the arguments is said, with exit code 2', async () => {
  expect(await ruyi(source, 'export', '--help')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('\n  ruyi export | gzip'),
  });
  expect(await ruyi(source, 'import', '-h')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('\n  ruyi import everything.ndjson'),
  });
  const wrong: [string[], string][] = [
    [['export', '--channel', 'room'], 'one channel needs both --channel and --type'],
    [['export', '--channel', 'room', '--type', 'two'], '--type two: must be a whole number from 1 to 255'],
    [['export', '--channel', 'bob', '--type', '1'], 'a channel of type 1, and no other, needs --login-uid'],
    [['export', '--all'], "Unknown option '--all'"],
    [['import'], 'give one file, or - for stdin'],
    [['import', 'a', 'b'], 'give one file, or - for stdin'],
  ];
  for (const [args, reason] of wrong) {
    const { code, stdout, stderr } = await ruyi(source, ...args);
    expect([args, code, stdout]).toEqual([args, 2, '']);
    expect(stderr).toMatch(new RegExp(`^${reason}[^\n]*\n\nruyi ${args[0]} [^\n]*\n$`));
  }
});

test('a Redis that does not answer, a file that is not there and an installation without data are one line each', async () => {
  const nowhere = { url: 'redis://127.0.0.1:1' };
  writeFileSync(file, '{"kind":"ruyi-export"}\n');
  for (const args of [['export'], ['import', file]]) {
    expect(await ruyi(nowhere, ...args)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^[^\n]*Redis does not answer[^\n]*\n$/),
    });
  }
  expect(await ruyi(target, 'import', join(folder.path, 'none'))).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/none: ENOENT[^\n]*\n$/),
  });
  expect(await ruyi(target, 'export')).toMatchObject({
    code: 1,
    stderr: 'nothing is stored in this Redis yet: there is nothing to export\n',
  });
});

test('an export goes to a new file and from there, or through a pipe, into another Redis', async () => {
  const out = join(folder.path, 'piped.ndjson');
  const exported = await ruyi(source, 'export', '--out', out);
  expect(exported).toEqual({ code: 0, stdout: '', stderr: 'exported: 5,000 entry, 1 body\n' });
  expect(await ruyi(source, 'export', '--out', out)).toMatchObject({
    code: 1,
    stderr: `--out ${out}: it exists, choose another name\n`,
  });
  expect(await ruyi(target, 'import', out)).toEqual({ code: 0, stdout: 'imported: 5,000 entry, 1 body\n', stderr: '' });
  // A copy takes less than 100 bytes; the body is there once.
  expect(readFileSync(out).length).toBeLessThan(1024 * 1024 + RECIPIENTS * 100);
  const size = await target.client.dbsize();
  expect(size).toBeGreaterThan(RECIPIENTS);
  await target.client.flushall();
  const { child, exit } = piped(target, 'import', '--json', '-');
  child.stdin.end(readFileSync(out));
  const [text] = await once(child.stdout.setEncoding('utf8'), 'data');
  expect(JSON.parse(String(text))).toEqual({
    counts: { entry: 5000, body: 1 },
    unreadable: 0,
    leftOut: 0,
    continued: false,
  });
  expect(await exit).toMatchObject({ code: 0, stderr: '' });
  expect(await target.client.dbsize()).toBe(size);
});

test('one channel is exported as its reader gets it', async () => {
  const { code, stdout, stderr } = await ruyi(
    source,
    'export',
    '--channel',
    'u7',
    '--type',
    '1',
    '--login-uid',
    'news',
  );
  expect([code, stderr]).toEqual([0, 'exported: 1 message, 1 seq\n']);
  const [first, message, seq, end] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(first).toMatchObject({ kind: 'ruyi-export', of: '1:news@u7' });
  expect(message).toMatchObject({
    kind: 'message',
    channel: '1:news@u7',
    seq: 1,
    message_id: 5_000_007,
    from_uid: 'news',
  });
  expect(message.payload).toHaveLength(1024 * 1024);
  expect(seq).toEqual({ kind: 'seq', channel: '1:news@u7', seq: 1 });
  expect(end).toMatchObject({ kind: 'end', counts: { message: 1, seq: 1 } });
  expect(await ruyi(source, 'export', '--channel', 'none', '--type', '2')).toMatchObject({
    code: 0,
    stderr: 'exported: nothing\n',
  });
});

test('whoever stops reading an export gets no error', async () => {
  const { child, exit } = piped(source, 'export');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await exit).toEqual({ code: 0, stderr: '' });
});

test('an export whose Redis is killed ends with one line and without a last line', async () => {
  const own = await startRedis();
  await own.client.hset(keys.meta, { shards: 64, schema: SCHEMA, tags: 'even' });
  const [id] = [1];
  // More than fits into a pipe, so the export waits for its reader.
  for (let i = 0; i < 40; i++)
    await own.client.zadd(
      keys.log(shardOf(`2:room${i}`, SHARDS), `2:room${i}`),
      1,
      JSON.stringify([id, 1, 'a', 'n', 'A'.repeat(500_000)]),
    );
  const { child, exit } = piped(own, 'export');
  await once(child.stdout, 'readable');
  await own.kill();
  let last = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) last = `${last}${chunk}`.slice(-200);
  expect(await exit).toMatchObject({ code: 1, stderr: expect.stringMatching(/^[^\n]*connection[^\n]*\n$/i) });
  expect(last).not.toContain('"kind":"end"');
  await own.stop();
});

test('an import that is killed goes on where it is run again', async () => {
  const out = join(folder.path, 'killed.ndjson');
  await ruyi(source, 'export', '--out', out);
  const lines = readFileSync(out, 'utf8').split('\n');
  const { child, exit } = piped(target, 'import', '-');
  child.stdin.on('error', () => {});
  child.stdin.write(`${lines.slice(0, 3000).join('\n')}\n`);
  await waitFor(async () => (await target.client.dbsize()) > 1000, { what: 'part of the export to be imported' });
  child.kill('SIGKILL');
  await exit;
  expect(await ruyi(target, 'import', out)).toMatchObject({
    code: 0,
    stdout: 'imported (continued): 5,000 entry, 1 body\n',
  });
  const logs = await target.client.keys('r:{*}:log:*');
  expect(logs).toHaveLength(RECIPIENTS);
  expect(await target.client.keys('r:{*}:seq:*')).toEqual([]);
});
