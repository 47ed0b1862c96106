import { textPayload } from '@ruyi/client';
import { channelName } from '@ruyi/contracts';
import { DeadLetters, type Letter, openQueues, type Queues } from '@ruyi/queue';
import { connect } from '@ruyi/redis';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRunFolder } from '../src/commands/up/runFolder.ts';
import { ruyi as run, testInstallation } from './commandLine.ts';

/** Dead letters from the failure to the repair, on an installation of real processes. */

const installation = testInstallation();
const SHARDS = evenShards(8);
const ruyi = (...args: string[]) => run(args, installation.env);

const logKey = (uid: string, from: string) => {
  const channel = channelName(1, uid, from);
  return keys.log(shardOf(channel, SHARDS), channel);
};
const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

let queues: Queues;
let dead: DeadLetters;
beforeAll(() => {
  queues = openQueues(connect(installation.redis.url, 'background', 'test'), 2);
  dead = new DeadLetters(queues, SHARDS);
});
afterAll(async () => {
  await queues.close();
  queues.redis.disconnect();
});

async function letters(broadcast?: string): Promise<Letter[]> {
  const found: Letter[] = [];
  for await (const letter of dead.each(broadcast === undefined ? {} : { broadcast })) found.push(letter);
  return found.toSorted((a, b) => a.id.localeCompare(b.id));
}

/** What stays of a letter however often it is tried. */
const lasting = ({ id, firstAt }: Letter) => ({ id, firstAt });

/** Puts strings where the logs of these recipients should be. */
async function breakLogs(uids: string[], from: string): Promise<void> {
  const { client } = installation.redis;
  await Promise.all(uids.map((uid) => client.set(logKey(uid, from), 'not a log')));
}

async function repair(uids: string[], from: string): Promise<void> {
  await Promise.all(uids.map((uid) => installation.redis.client.del(logKey(uid, from))));
}

const progressOf = (batch_no: string) => installation.client.batchProgress({ batch_no });

async function sendBatch(uids: string[], from: string, text: string): Promise<string> {
  const { client } = installation;
  const answer = await client.sendBatch({ from_uid: from, subscribers: uids, payload: textPayload({ content: text }) });
  const { batch_no } = answer;
  await waitFor(async () => ['done', 'failed'].includes((await progressOf(batch_no)).state), {
    what: 'the batch',
    deadlineMs: 30_000,
  });
  await lettersFor(batch_no, (await progressOf(batch_no)).failed);
  return batch_no;
}

/** What has failed is counted before its letters lie in the list. */
const lettersFor = (broadcast: string, recipients: number) =>
  waitFor(async () => (await letters(broadcast)).reduce((sum, { count }) => sum + count, 0) === recipients, {
    what: `letters for ${recipients} recipients`,
  });

/** Each of these has the message once, and finds it. */
async function expectReached(uids: string[], from: string, text: string): Promise<void> {
  const { client } = installation;
  const pull = { channel_id: from, channel_type: 1, start_message_seq: 1, pull_mode: 1 } as const;
  for (const uid of uids) {
    expect((await client.messageSync({ login_uid: uid, ...pull })).messages).toHaveLength(1);
    const find = async () => (await client.userSearch({ uid, payload: { content: text } })).messages.length === 1;
    await waitFor(find, { what: `${uid} to find the message`, deadlineMs: 30_000 });
  }
}

describe('strings where logs should be, in a batch of 10 and for 600 recipients of a batch of 20,000', () => {
  const few = names(10, 'few');
  const many = names(20_000, 'many');
  const broken = many.filter((_, i) => i % 100 < 3);
  let [small, large] = ['', ''];

  test('one screen names keys, recipients, batch and fix', async () => {
    await breakLogs(few, 'ann');
    await breakLogs(broken, 'bob');
    small = await sendBatch(few, 'ann', 'apples');
    large = await sendBatch(many, 'bob', 'pears');
    expect(await progressOf(small)).toMatchObject({ stored: 0, failed: 10, state: 'failed' });
    expect(await progressOf(large)).toMatchObject({ stored: 19_400, failed: 600, state: 'done' });
    const parts = (await letters(large)).length;
    const { stdout } = await ruyi('dead', 'list');
    expect(stdout).toMatch(/^10 recipients(?: in \d letters)?: wrong_type: WRONGTYPE: r:\S+ is a string where a log/m);
    expect(stdout).toMatch(
      new RegExp(`^600 recipients in ${parts} letters: wrong_type: WRONGTYPE: r:\\S+ is a string`, 'm'),
    );
    expect(stdout).toContain(`of batch ${small}, from ann`);
    expect(stdout).toContain(`of batch ${large}, from bob`);
    for (const uid of few) expect(stdout).toContain(`${uid}  ${logKey(uid, 'ann')}\n`);
    expect(stdout).toContain(`and 590 more: \`ruyi dead export --broadcast ${large} --code wrong_type\``);
    expect(stdout).toMatch(new RegExp(`fix: DEL or RENAME r:\\S+, then \`ruyi dead retry --broadcast ${large}\``));
  });

  test('a retry without a repair: the same letters, tries 2, exit 1', async () => {
    const before = await letters();
    const [one] = await letters(small);
    const single = await ruyi('dead', 'retry', one?.id ?? '', '--wait');
    expect([single.code, single.stdout]).toEqual([1, '1 put back: 0 done, 1 failed again\n']);
    expect(single.stderr).toMatch(new RegExp(`^${one?.id}: tries 2: wrong_type: WRONGTYPE: r:\\S+ is a string`));
    const all = await ruyi('dead', 'retry', '--broadcast', large, '--wait', '--json');
    const parts = (await letters(large)).length;
    expect(all.code).toBe(1);
    expect(JSON.parse(all.stdout)).toEqual({ put_back: parts, refused: 0, done: 0, failed_again: parts });
    const after = await letters();
    expect(after.map(lasting)).toEqual(before.map(lasting));
    for (const { id, batch, tries } of after) expect(tries).toBe(batch === large || id === one?.id ? 2 : 1);
    expect(await progressOf(large)).toMatchObject({ stored: 19_400, failed: 600 });
  });

  test('repaired in part, the same letter holds the others, and shows what their keys hold now', async () => {
    const before = await letters(small);
    await repair(['few3'], 'ann');
    const one = before.find(({ problems }) =>
      problems.some(({ samples }) => samples.some(({ uid }) => uid === 'few3')),
    );
    const id = one?.id ?? '';
    const shown = (await ruyi('dead', 'show', id)).stdout;
    expect(shown).toContain(`few3  ${logKey('few3', 'ann')}  absent now\n`);
    expect(shown).toMatch(/ {2}now: string\n/);
    const retry = await dead.retry(id);
    if ('refused' in retry) throw new Error(retry.refused);
    await waitFor(async () => (await dead.outcome(retry)) === 'failed', { what: 'the retry' });
    const after = await letters(small);
    expect(after.map(lasting)).toEqual(before.map(lasting));
    expect(after.reduce((sum, { count }) => sum + count, 0)).toBe(9);
    await expectReached(['few3'], 'ann', 'apples');
  });

  test('repaired, everybody has one message and finds it', async () => {
    await repair(
      few.filter((uid) => uid !== 'few3'),
      'ann',
    );
    const count = (await letters(small)).length;
    const { code, stdout } = await ruyi('dead', 'retry', '--broadcast', small, '--wait');
    expect([code, stdout]).toEqual([0, `${count} put back: ${count} done, 0 failed again\n`]);
    await expectReached(few, 'ann', 'apples');
    expect(await progressOf(small)).toMatchObject({ stored: 10, failed: 0, state: 'done' });
    expect(await letters(small)).toEqual([]);
  });

  test('an export is exactly those 600', async () => {
    const { code, stdout } = await ruyi('dead', 'export', '--broadcast', large);
    expect(code).toBe(0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ uid }) => uid).toSorted()).toEqual(broken.toSorted());
    for (const { uid, ...line } of lines) {
      expect(line).toMatchObject({ batch_no: large, from: 'bob', code: 'wrong_type', key: logKey(uid, 'bob') });
    }
  });

  test('drop empties the list, and leaves the batch at 19,400 and 600', async () => {
    const count = (await letters()).length;
    expect(await ruyi('dead', 'drop', '--broadcast', large, '--yes')).toMatchObject({ stdout: `${count} dropped\n` });
    expect(await ruyi('dead', 'list')).toEqual({ code: 0, stdout: '0 dead letters\n', stderr: '' });
    expect(await progressOf(large)).toMatchObject({ stored: 19_400, failed: 600, state: 'done' });
  });
});

test('of a broadcast: a retry of all that failed keeps their letters, and dropped ones stay failed', async () => {
  const { client } = installation;
  const uids = names(50, 'reader');
  await breakLogs(uids.slice(0, 3), 'news');
  const { broadcast_no } = await client.broadcast(uids, {
    message: { payload: textPayload('plums'), from_uid: 'news' },
  });
  await lettersFor(broadcast_no, 3);
  const before = await letters(broadcast_no);
  const { groups } = await dead.groups({ broadcast: broadcast_no });
  expect(groups).toMatchObject([
    { broadcast: broadcast_no, batch: before[0]?.batch, from: 'news', count: 3, tries: 1 },
  ]);
  await client.retryBroadcast({ broadcast_no });
  await client.watchBroadcast({ broadcast_no }, { everySeconds: 0.2 });
  const after = await letters(broadcast_no);
  expect(after.map(lasting)).toEqual(before.map(lasting));
  expect(after.map(({ tries }) => tries)).toEqual(before.map(() => 2));
  for (const { id } of after) expect(await dead.drop(id)).toBe(true);
  expect(await client.broadcastReport({ broadcast_no })).toMatchObject({ stored: 47, failed: 3 });
});

test('without REDIS_URL it finds the Redis of the installation on DATA_DIR', async () => {
  const folder = tempDir('data');
  const env = { DATA_DIR: folder.path };
  expect(await run(['dead', 'list'], env)).toEqual({
    code: 1,
    stdout: '',
    stderr: `Ruyi is not running on DATA_DIR=${folder.path}: start it (npm start), or set REDIS_URL\n`,
  });
  openRunFolder(folder.path).noteRedisUrl(installation.redis.url);
  expect((await run(['dead', 'list'], env)).code).toBe(0);
  folder.remove();
});

test.each([
  [['retry', 'no-such-id'], 1, 'no-such-id: no dead letter has this id\n'],
  [['drop', 'no-such-id', '--yes'], 1, 'no-such-id: no dead letter has this id\n'],
  [['retry', 'an-id', '--all'], 2, 'say which letters: '],
])('dead %j is refused with exit %i', async (args, code, line) => {
  const result = await ruyi('dead', ...args);
  expect(result.code).toBe(code);
  expect(result.stderr.slice(0, line.length)).toBe(line);
});
