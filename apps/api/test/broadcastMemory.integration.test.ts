import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { PartAnswer } from '@ruyi/contracts';
import { startRedis, type TestProcess, type TestRedis, tempDir } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { broadcasting } from './broadcasting.ts';
import { sizes } from './broadcastSizes.ts';
import { apiClient, startApi, startApp } from './harness.ts';

/** However long the lists are, the processes stay small. Needs /proc. */

const MOST_MB = 300;
const UIDS_A_PART = 500_000;
const BLOCK_UIDS = 50_000;

const folder = tempDir('broadcast-memory');
const client = apiClient('');
let redis: TestRedis;
let processes: TestProcess[] = [];

beforeAll(async () => {
  redis = await startRedis();
  // The number of shards is the usual one: a shard of recipients is what the worker holds.
  const config = { REDIS_URL: redis.url, PORT: '0', DATA_DIR: folder.path, LOG_LEVEL: 'silent' };
  const [api, worker] = await Promise.all([startApi(config), startApp('worker', config)]);
  client.address = api.address;
  processes = [api.process, worker];
});
afterAll(async () => {
  for (const process of processes) expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await redis.stop();
  folder.remove();
});

/** The most memory that each process has had, in MB. */
const peaks = () =>
  processes.map(({ pid }) => {
    const [, kib] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kib) / 1024);
  });

/** Lines with uids from a number on, in blocks. */
function* lines(from: number, to: number): Generator<Buffer> {
  for (let at = from; at < to; at += BLOCK_UIDS) {
    const count = Math.min(BLOCK_UIDS, to - at);
    yield Buffer.from(Array.from({ length: count }, (_, i) => `user_${at + i}\n`).join(''));
  }
}

/** However long the answer takes: fetch would give up after five minutes. */
async function upload(no: string, part: number, body: Iterable<Buffer>) {
  const sent = request(`${client.address}/broadcasts/${no}/recipients/${part}`, { method: 'PUT' });
  const [[answer]] = await Promise.all([once(sent, 'response'), pipeline(Readable.from(body), sent)]);
  const { accepted, duplicates }: PartAnswer = JSON.parse(await text(answer));
  return { status: answer.statusCode, accepted, duplicates };
}

test(`while ${sizes.watched} uids are uploaded and made ready, API and worker stay below ${MOST_MB} MB`, {
  timeout: sizes.deadlineMs,
}, async () => {
  const { create, act, until, ended } = broadcasting(client);
  const no = await create();
  for (let part = 0; part * UIDS_A_PART < sizes.watched; part++) {
    const to = Math.min(sizes.watched, (part + 1) * UIDS_A_PART);
    const { status, accepted } = await upload(no, part, lines(part * UIDS_A_PART, to));
    expect([status, accepted]).toEqual([200, to - part * UIDS_A_PART]);
  }
  await act(no, 'start');
  expect(await until(no, 'to be sent', ({ stored }) => stored > 0)).toMatchObject({ total: sizes.watched });
  await act(no, 'cancel');
  await ended(no);
  console.log('peak MB of API and worker:', ...peaks());
  for (const peak of peaks()) expect(peak).toBeLessThan(MOST_MB);
});

test(`a part of ${sizes.longPart} bytes is taken, and API and worker stay below ${MOST_MB} MB`, {
  timeout: sizes.deadlineMs,
}, async () => {
  const { create, act, ended } = broadcasting(client);
  const no = await create();
  let left = sizes.longPart;
  let uids = 0;
  function* body() {
    for (const block of lines(0, Number.MAX_SAFE_INTEGER)) {
      uids += BLOCK_UIDS;
      yield block;
      left -= block.length;
      if (left <= 0) return;
    }
  }
  expect(await upload(no, 0, body())).toEqual({ status: 200, accepted: uids, duplicates: 0 });
  await act(no, 'cancel');
  await ended(no);
  console.log('peak MB of API and worker:', ...peaks());
  for (const peak of peaks()) expect(peak).toBeLessThan(MOST_MB);
});
