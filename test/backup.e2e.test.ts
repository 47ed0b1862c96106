import { execFile } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';

/** Runs the commands of docs/backup.md as they stand there, on an installation that is in use. */

const PAGE = readFileSync(new URL('../docs/backup.md', import.meta.url), 'utf8');
const ROOT = new URL('..', import.meta.url).pathname;
const MEMBERS = ['ann', 'bob'];
const READERS = Array.from({ length: 300 }, (_, i) => `r${i}`);
const run = promisify(execFile);
const payload = (content: string) => Buffer.from(JSON.stringify({ content })).toString('base64');

interface Message {
  message_id: number;
  message_seq: number;
}

/** The n-th block of commands under a heading. */
function commands(heading: string, n = 0): string {
  const [, section = ''] = PAGE.split(`# ${heading}\n`);
  const [text = ''] = section.split(/^#+ /m);
  const block = [...text.matchAll(/^```sh\n(.*?)^```/gms)][n]?.[1];
  if (block === undefined) throw new Error(`no commands under ${heading}`);
  return block;
}

const folder = tempDir('backup');
const dirs: TempDir[] = [];
const installations: Installation[] = [];
const sourceDir = join(folder.path, 'source');
let source: Installation;
/** of the source: what the group held at the backup and at the end, and the greatest id that it gave */
let atBackup: Message[];
let atEnd: Message[];
let greatestId: number;

async function execute(heading: string, dataDir: string, backup: string, n = 0) {
  const REDIS = `redis-cli -s ${dataDir}/run/redis.sock`;
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir, BACKUP: backup, REDIS };
  return run('bash', ['-euo', 'pipefail', '-c', commands(heading, n)], { env, cwd: ROOT, timeout: 60_000 });
}

async function installationIn(dataDir: string): Promise<Installation> {
  const installation = await newInstallation({ DATA_DIR: dataDir });
  installations.push(installation);
  return installation;
}

const newDir = (name: string) => {
  const dir = tempDir(name);
  dirs.push(dir);
  return dir.path;
};

async function send(ruyi: Installation, content: string): Promise<Message> {
  const response = await fetch(`${ruyi.api}/message/send`, {
    method: 'POST',
    headers: { prefer: 'wait=30' },
    body: JSON.stringify({ from_uid: 'ann', channel_id: 'room', channel_type: 2, payload: payload(content) }),
  });
  const { data } = (await response.json()) as { data: Message };
  return data;
}

const logOf = async (ruyi: Installation, channel_id = 'room', channel_type = 2) =>
  (
    await ruyi.post<{ messages: Message[] }>('/channel/messagesync', {
      login_uid: 'r7',
      channel_id,
      channel_type,
      start_message_seq: 1,
      pull_mode: 1,
      limit: 10_000,
    })
  ).body.messages;
const total = async (ruyi: Installation, uid: string, content: string) =>
  (await ruyi.search({ uid, payload: { content } })).total;

/** What is there is `before`; seqs go on after it, and ids after all that were ever given. */
async function goesOn(ruyi: Installation, before: Message[]): Promise<void> {
  expect(await logOf(ruyi)).toEqual(before);
  expect(await logOf(ruyi, 'news', 1)).toHaveLength(1);
  const next = await send(ruyi, 'after the restore');
  expect(next.message_seq).toBe(before.length + 1);
  expect(next.message_id).toBeGreaterThan(greatestId);
}

beforeAll(async () => {
  source = await installationIn(sourceDir);
  const up = await source.start();
  await source.post('/channel', { channel_id: 'room', channel_type: 2, subscribers: MEMBERS });
  const { body } = await source.post<{ batch_no: string }>('/message/sendbatch', {
    from_uid: 'news',
    subscribers: READERS,
    payload: payload('你是北京大学的吗'),
  });
  const isDone = async () => (await source.get(`/message/sendbatch/${body.batch_no}`)).body.indexed === READERS.length;
  await waitFor(isDone, { what: 'the batch to be stored', deadlineMs: 30_000 });
  for (let i = 0; i < 20; i++) await send(source, `before ${i}`);
  atBackup = await logOf(source);
  await execute('Make', sourceDir, folder.path);
  for (let i = 0; i < 20; i++) await send(source, `later ${i}`);
  // The AOF is copied beside traffic, so it may hold some of it.
  const copying = execute('Copy', sourceDir, folder.path);
  let isCopied = false;
  void copying.finally(() => {
    isCopied = true;
  });
  while (!isCopied) await send(source, 'meanwhile');
  await copying;
  greatestId = (await send(source, 'the last one')).message_id;
  const indexed = async () => (await total(source, 'bob', 'last')) === 1;
  await waitFor(indexed, { what: 'the last message to be found', deadlineMs: 30_000 });
  await execute('Export and import', sourceDir, folder.path);
  atEnd = await logOf(source);
  await up.kill('SIGINT');
});
afterAll(async () => {
  await Promise.all(installations.map((one) => one.remove()));
  for (const dir of [folder, ...dirs]) dir.remove();
});

test('an RDB file is restored; a newer search index is made to fit', async () => {
  const dataDir = newDir('rdb');
  await execute('Restore', dataDir, folder.path);
  cpSync(join(sourceDir, 'search'), join(dataDir, 'search'), { recursive: true });
  const ruyi = await installationIn(dataDir);
  await ruyi.start();
  await goesOn(ruyi, atBackup);
  expect(await ruyi.ruyi('reindex')).toMatchObject({ code: 0 });
  await waitFor(async () => (await total(ruyi, 'bob', 'restore')) === 1, { what: 'the new message to be found' });
  expect(await total(ruyi, 'bob', 'before')).toBe(20);
  expect(await total(ruyi, 'bob', 'later')).toBe(0);
  expect(await total(ruyi, 'r299', '北京')).toBe(1);
});

test('a copy of the AOF is restored; without a search index one is made', async () => {
  const dataDir = newDir('aof');
  await execute('Put back', dataDir, folder.path);
  const ruyi = await installationIn(dataDir);
  await ruyi.start();
  // A send that the copy has only as a waiting job is stored now, before the next one.
  await send(ruyi, 'the first after the restore');
  const log = await logOf(ruyi);
  const restored = log.slice(0, -1);
  expect(restored.length).toBeGreaterThanOrEqual(40);
  expect(restored).toEqual(atEnd.slice(0, restored.length));
  await goesOn(ruyi, log);
  await waitFor(async () => (await total(ruyi, 'bob', 'later')) === 20, { what: 'the index' });
  await waitFor(async () => (await total(ruyi, 'r299', '北京')) === 1, { what: 'the broadcast in the index' });
});

test('a stopped installation moves with its folders', async () => {
  const [dataDir, moved] = [newDir('moved'), newDir('boxes')];
  await execute('Move to another machine', sourceDir, moved, 0);
  await execute('Move to another machine', dataDir, moved, 1);
  const ruyi = await installationIn(dataDir);
  await ruyi.start();
  await goesOn(ruyi, atEnd);
  expect(await total(ruyi, 'bob', 'later')).toBe(20);
});

test('an export goes into a new folder', async () => {
  const dataDir = newDir('imported');
  await execute('Export and import', dataDir, folder.path, 1);
  const ruyi = await installationIn(dataDir);
  await ruyi.start();
  await goesOn(ruyi, atEnd);
  await waitFor(async () => (await total(ruyi, 'bob', 'later')) === 20, { what: 'the index', deadlineMs: 30_000 });
});
