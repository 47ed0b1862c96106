import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { textPayload } from '@ruyi/client';
import { channelName } from '@ruyi/contracts';
import { keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { stateFileOf } from '../src/commands/broadcast/uploadState.ts';
import { bash, begin, ruyi, SHARDS, testInstallation } from './commandLine.ts';
import { silentAfter } from './silentApi.ts';

/** `ruyi broadcast` against a whole installation. */

const installation = testInstallation();
const MESSAGE = ['--text', 'hi', '--yes'];
const NO = /^(\w+)/;

let lists = 0;
/** A file that names so many new users. */
function listOf(count: number): { file: string; uids: string[] } {
  const prefix = `l${++lists}-`;
  const uids = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const file = join(installation.dir, `list ${lists}.txt`);
  writeFileSync(file, `${uids.join('\n')}\n`);
  return { file, uids };
}

const run = (...args: string[]) => ruyi(['broadcast', ...args], installation.env);

const logOf = (uid: string, sender: string) => {
  const channel = channelName(1, uid, sender);
  return keys.log(shardOf(channel, SHARDS), channel);
};

/** How many users have how many messages of a sender: `{ 1: 200 }` is one for each of 200. */
async function messagesOf(sender: string, uids: string[]): Promise<Record<number, number>> {
  const { client } = installation.redis;
  const counts: Record<number, number> = {};
  for (let from = 0; from < uids.length; from += 10_000) {
    const batch = client.pipeline();
    for (const uid of uids.slice(from, from + 10_000)) batch.zcard(logOf(uid, sender));
    for (const [, count] of (await batch.exec()) ?? []) counts[Number(count)] = (counts[Number(count)] ?? 0) + 1;
  }
  return counts;
}

test('200,000 from a file, killed -9 at half of the upload and again while it sends: each exactly one', {
  timeout: 300_000,
}, async () => {
  const { file, uids } = listOf(200_000);
  // Slow enough to be killed while it sends.
  const args = ['--uids', file, '--from', 'news', '--rate', '25000', ...MESSAGE];
  const first = begin(['broadcast', ...args], await silentAfter(installation.env, 5));
  const state = await waitFor(
    () => {
      const now: { parts: number; offset: number; list: { bytes: number } } = JSON.parse(
        readFileSync(stateFileOf(file), 'utf8'),
      );
      return now.offset > now.list.bytes / 2 && now;
    },
    { what: 'half of the upload', deadlineMs: 60_000 },
  );
  first.child.kill('SIGKILL');
  expect((await first.ended).code).toBeNull();
  expect(state.offset).toBeLessThan(state.list.bytes);

  const again = await run(...args);
  expect([again.code, again.stderr]).toEqual([2, expect.stringMatching(/go on with --resume, or remove/)]);
  const other = await run('--uids', file, '--resume', '--from', 'other', ...MESSAGE);
  expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/another message or sender/)]);

  const second = begin(['broadcast', ...args, '--resume'], installation.env);
  const report = () => installation.client.broadcasts({ from_uid: 'news' });
  await waitFor(async () => ((await report()).broadcasts[0]?.stored ?? 0) > 0, {
    what: 'it to send',
    deadlineMs: 120_000,
  });
  second.child.kill('SIGKILL');
  await second.ended;
  const third = await run(...args, '--resume', '--json');
  expect([third.code, third.stderr]).toEqual([0, '']);
  expect(JSON.parse(third.stdout)).toMatchObject({
    state: 'done',
    accepted: 200_000,
    duplicates: 0,
    total: 200_000,
    stored: 200_000,
  });
  expect(await messagesOf('news', uids)).toEqual({ 1: 200_000 });
  expect(existsSync(stateFileOf(file))).toBe(false);
  const { broadcasts } = await installation.client.broadcasts({ from_uid: 'news' });
  expect(broadcasts.length).toBe(1);
});

test('a list that has changed since is refused, and nothing of it is sent', async () => {
  const { file, uids } = listOf(150_000);
  const env = await silentAfter(installation.env, 1);
  const first = begin(['broadcast', '--uids', file, '--from', 'changed', ...MESSAGE], env);
  await waitFor(() => /"parts":1/.test(readFileSync(stateFileOf(file), 'utf8')), { what: 'a part' });
  first.child.kill('SIGKILL');
  await first.ended;
  appendFileSync(file, 'one-more\n');
  const { code, stderr } = await run('--uids', file, '--resume', '--yes');
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^\S.*is not the list that was begun as \w+: it has changed since\n$/),
  ]);
  expect(await messagesOf('changed', uids)).toEqual({ 0: uids.length });
  const nothing = await run('--uids', listOf(1).file, '--resume', '--yes');
  expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringMatching(/nothing of this list was begun/)]);
});

test('in a pipe there is a line every 5 s; invalid lines are named by their number in the whole list', async () => {
  const { file } = listOf(3000);
  appendFileSync(file, 'bad@name\nlast');
  const { code, stdout, stderr } = await run(
    '--uids',
    file,
    '--from',
    'slow',
    '--rate',
    '300',
    '--name',
    'slow sale',
    ...MESSAGE,
  );
  expect(code).toBe(0);
  expect(stderr).toMatch(/^line 3001: .*: bad@name$/m);
  expect(stderr).toMatch(/recipients {2}3,001 \(0 named twice, 1 invalid lines\)/);
  expect(stdout).not.toContain('\x1b');
  const lines = stdout.trimEnd().split('\n');
  const running = lines.filter((line) => line.startsWith('running: '));
  // 10 s at this rate.
  expect(running.length).toBeGreaterThanOrEqual(2);
  expect(running.length).toBeLessThan(10);
  expect(running[0]).toMatch(/^running: [\d,]+ of 3,001 stored, [\d,]+\/s, .* left, 0 failed$/);
  expect(lines.at(-2)).toMatch(/^\w+ "slow sale" done: 3,001 of 3,001 stored, 0 failed$/);
});

test('on a terminal it shows what it takes, asks, and draws a bar; anything but yes sends nothing', async () => {
  const { file, uids } = listOf(2000);
  const line = (answer: string) =>
    `(sleep 0.1; echo ${answer}) | script -qec "$RUYI broadcast --uids '${file}' --from terminal --text hi" /dev/null`;
  const no = await bash(`${line('n')}; exit $?`, installation.env);
  expect([no.code, no.stdout]).toEqual([3, expect.stringMatching(/Send it now\? \[y\/N\].*nothing was sent/s)]);
  expect(await messagesOf('terminal', uids)).toEqual({ 0: 2000 });
  const yes = await bash(`${line('y')}; exit $?`, installation.env);
  expect(yes.code).toBe(0);
  expect(yes.stdout).toMatch(/memory {6}about .* of Redis\r?\n {2}time {8}about /);
  expect(yes.stdout).toMatch(/done █+ 100 % {2}2,000 of 2,000/);
  expect(await messagesOf('terminal', uids)).toEqual({ 1: 2000 });
});

test('without a terminal it does not ask but refuses, and reads no list for nothing', async () => {
  const { code, stdout, stderr } = await run('--uids', '/nowhere', '--text', 'hi');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^nobody can be asked here: add --yes/);
  expect(await run('--uids', '/nowhere', ...MESSAGE)).toMatchObject({
    code: 2,
    stderr: '--uids /nowhere: cannot be read (ENOENT)\n',
  });
});

test('--dry-run says what it would take and sends nothing', async () => {
  const { file, uids } = listOf(1000);
  const { code, stdout } = await run('--uids', file, '--from', 'dry', '--text', 'hi', '--dry-run', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ accepted: 1000, estimate: { redis_bytes: expect.any(Number) } });
  const { broadcasts } = await installation.client.broadcasts({ from_uid: 'dry' });
  expect(broadcasts).toMatchObject([{ state: 'cancelled', stored: 0 }]);
  expect(await messagesOf('dry', uids)).toEqual({ 0: 1000 });
  expect(existsSync(stateFileOf(file))).toBe(false);
});

test('standard input, all users and a channel are lists as well', async () => {
  const uids = Array.from({ length: 300 }, (_, i) => `in-${i}`);
  const piped = await ruyi(
    ['broadcast', '--uids', '-', '--from', 'input', ...MESSAGE],
    installation.env,
    uids.join('\r\n'),
  );
  expect(piped.code).toBe(0);
  expect(await messagesOf('input', uids)).toEqual({ 1: 300 });
  expect(await ruyi(['broadcast', '--uids', '-', ...MESSAGE], installation.env)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is empty'),
  });

  const { client } = installation;
  await client.registerUser({ uid: 'known', token: 't' });
  await client.putChannel({ channel_id: 'club', channel_type: 2, subscribers: ['in-1', 'in-2'] });
  expect((await run('--all-users', '--from', 'to-all', ...MESSAGE)).code).toBe(0);
  expect(await messagesOf('to-all', ['known', 'in-1'])).toEqual({ 0: 1, 1: 1 });
  expect((await run('--channel', 'club', '--from', 'to-club', ...MESSAGE)).code).toBe(0);
  expect(await messagesOf('to-club', ['known', 'in-1', 'in-2'])).toEqual({ 0: 1, 1: 2 });
});

test('Ctrl-C leaves it running and says how to watch it; cancelled while watched is exit 3', async () => {
  const { file } = listOf(3000);
  const sending = begin(['broadcast', '--uids', file, '--from', 'left', '--rate', '10', ...MESSAGE], installation.env);
  await waitFor(() => sending.stdout().includes('running: '), { what: 'it to run' });
  sending.child.kill('SIGINT');
  const { code, stderr } = await sending.ended;
  expect(code).toBe(130);
  const [, no = ''] = /it goes on; watch it with: ruyi broadcast watch (\w+)\n$/.exec(stderr) ?? [];
  expect(existsSync(stateFileOf(file))).toBe(false);
  expect(await installation.client.broadcastReport({ broadcast_no: no })).toMatchObject({ state: 'running' });

  const paused = await run('pause', no);
  expect([paused.code, paused.stdout]).toEqual([0, expect.stringMatching(/paused: /)]);
  expect((await run('resume', no)).stdout).toMatch(/running: /);
  expect((await run('list', '--from', 'left')).stdout).toMatch(new RegExp(`^${no} +running +3,000 `, 'm'));
  const watching = begin(['broadcast', 'watch', no], installation.env);
  await waitFor(() => watching.stdout().includes('running: '), { what: 'it to watch' });
  expect((await run('cancel', no)).code).toBe(0);
  expect((await watching.ended).code).toBe(3);
});

test('some who failed are exit 1, are listed with the reason, and can be tried again', async () => {
  const { file, uids } = listOf(50);
  const [broken = ''] = uids;
  const { client, redis } = installation;
  const before = { channel_id: broken, channel_type: 1, from_uid: 'some', payload: textPayload('before') };
  await client.send(before, { headers: { Prefer: 'wait=20' } });
  const key = logOf(broken, 'some');
  expect(await redis.client.zcard(key)).toBe(1);
  await redis.client.rename(key, 'aside');
  await redis.client.set(key, 'no log');
  const { code, stdout } = await run('--uids', file, '--from', 'some', ...MESSAGE);
  expect(code).toBe(1);
  const [, no = ''] =
    NO.exec(
      stdout
        .trimEnd()
        .split('\n')
        .find((line) => / done: /.test(line)) ?? '',
    ) ?? [];
  expect(stdout).toContain(`who and why: ruyi broadcast failures ${no}`);
  expect((await run('failures', no)).stdout).toMatch(new RegExp(`^${broken}\\t\\w+\\t.*\\S\\n$`));
  await redis.client.rename('aside', key);
  expect((await run('retry', no)).code).toBe(0);
  expect((await run('watch', no)).code).toBe(0);
  expect(await messagesOf('some', uids)).toEqual({ 1: 49, 2: 1 });
});

test('--at schedules it and returns; unknown numbers are one line', async () => {
  const { stdout, stderr, code } = await run('--uids', listOf(5).file, '--at', '+1h', ...MESSAGE);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/it starts by itself at .*; watch it with: /)]);
  const [, no = ''] = /^(\w+) scheduled: /m.exec(stdout) ?? [];
  expect((await run('cancel', no)).code).toBe(0);
  expect(await run('show', 'nope')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^[^\n]+\n$/) });
  expect(await run('start', no)).toMatchObject({ code: 2 });
});
