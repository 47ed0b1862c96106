import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, type RuyiClient, textPayload } from '@ruyi/client';
import { channelName } from '@ruyi/contracts';
import { evenShards, keys, shardOf } from '@ruyi/store';
import { expectNoLeaks, freePort, startRedis, type TestProcess, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installation, newInstallation } from './installation.ts';
import { type OtlpReceiver, otlpReceiver, type ReceivedSpan } from './otlpReceiver.ts';

/** A message is followed from its request to the index, if that is asked for, and tells the collector nothing about people. */

const SHARDS = 8;
/** Words that must not leave the installation. */
const [ADA, BOB, SECRET] = ['ada-lovelace', 'bob-of-accounting', 'meet me at nine'];
const payload = textPayload({ type: 1, content: SECRET });
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const LOADED = new URL('fixtures/loadedModules.mjs', import.meta.url).href;

const listModules = (folder: string) => ({ NODE_OPTIONS: `--import=${LOADED}?into=${encodeURIComponent(folder)}` });

/** How many modules of OpenTelemetry API, worker and indexer have loaded. */
function modulesOfSdk(folder: string): number[] {
  return ['api', 'worker', 'indexer'].map((app) => {
    const files = readdirSync(folder).filter((name) => name.startsWith(`${app}-`));
    expect([app, files.length]).toEqual([app, 1]);
    const modules = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
    // prom-client loads this one to mark what it measures with a trace, if there is one.
    return modules.filter((file) => /opentelemetry|bullmq-otel/.test(file) && !/@opentelemetry.api\//.test(file))
      .length;
  });
}

const to = (uid: string) => ({ from_uid: ADA, channel_id: uid, channel_type: 1, payload });

describe('with a collector', () => {
  const folder = tempDir('loaded modules');
  let receiver: OtlpReceiver;
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let ruyi: Installation;
  let up: TestProcess;
  let client: RuyiClient;

  beforeAll(async () => {
    [receiver, redis] = await Promise.all([otlpReceiver(), startRedis()]);
    ruyi = await newInstallation({
      ...listModules(folder.path),
      REDIS_URL: redis.url,
      ALLOW_NO_AOF: '1',
      SHARDS: String(SHARDS),
      LANES: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
    });
    up = await ruyi.start();
    client = createClient({ url: ruyi.api });
  });
  afterAll(async () => {
    await ruyi?.remove();
    await Promise.all([receiver?.close(), redis?.stop()]);
    folder.remove();
    expectNoLeaks();
  });

  const inTrace = (id: string) => receiver.spans.filter(({ traceId }) => traceId === id);
  const named = (spans: ReceivedSpan[], name: string) => spans.find((span) => span.name === name);
  /** The names from a span up to the first one of its trace that was received. */
  const pathTo = (spans: ReceivedSpan[], name: string): string[] => {
    const path: string[] = [];
    for (let span = named(spans, name); span; span = spans.find(({ spanId }) => spanId === span?.parentSpanId)) {
      path.unshift(`${span.service} ${span.name}`);
    }
    return path;
  };
  /** Each process sends its spans when it likes, so one that has arrived says nothing about those before it. */
  const arrive = async (id: string, ...names: string[]) => {
    for (const name of names) await waitFor(() => named(inTrace(id), name), { what: `${name} in trace ${id}` });
  };

  test('the trace of a send, which its caller began, goes through the job to the store and the index', async () => {
    await fetch(`${ruyi.api}/message/send`, {
      method: 'POST',
      headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
      body: JSON.stringify(to(BOB)),
    });
    await arrive(TRACE, 'POST /message/send', 'add send.0.send', 'process send.0', 'store');
    await arrive(TRACE, 'index');
    expect(pathTo(inTrace(TRACE), 'index')).toEqual([
      'ruyi-api POST /message/send',
      'ruyi-api add send.0.send',
      'ruyi-worker process send.0',
      'ruyi-indexer index',
    ]);
    expect(pathTo(inTrace(TRACE), 'store').at(-2)).toBe('ruyi-worker process send.0');
    const { parentSpanId } = named(inTrace(TRACE), 'POST /message/send') ?? {};
    expect(parentSpanId).toBe('00f067aa0ba902b7');
  });

  test('messages that share a job are linked with its trace, and it with theirs', async () => {
    const known = receiver.spans.length;
    await Promise.all(Array.from({ length: 40 }, (_, i) => client.send(to(`${BOB}-${i}`))));
    const requests = () => receiver.spans.slice(known).filter(({ name }) => name === 'POST /message/send');
    await waitFor(() => requests().length === 40, { what: 'a span of each request' });
    const ids = new Set(requests().map(({ traceId }) => traceId));
    expect(ids.size).toBe(40);
    const jobs = () => receiver.spans.slice(known).filter(({ name }) => name === 'process send.0');
    const covered = () => {
      const withJob = new Set(jobs().map(({ traceId }) => traceId));
      return requests().filter(({ traceId, links }) => withJob.has(traceId) || withJob.has(links[0]?.traceId ?? ''));
    };
    await waitFor(() => covered().length === 40, { what: 'the job of each request' });
    const gathered = receiver.spans.slice(known).filter(({ name }) => name === 'gather');
    expect(gathered.length).toBeGreaterThan(0);
    expect(jobs().length).toBeLessThan(40);
    // Also if an outbox had references already, and nobody was woken.
    for (const { traceId, spanId } of jobs()) {
      await arrive(traceId, 'index');
      expect(inTrace(traceId).filter(({ name }) => name === 'index')[0]?.parentSpanId).toBe(spanId);
    }
    for (const { links } of gathered) for (const { traceId } of links) expect(ids).toContain(traceId);
  });

  test('a batch is one trace, too', async () => {
    const known = receiver.spans.length;
    await client.sendBatch({ from_uid: ADA, subscribers: [BOB, 'cem'], payload });
    const request = await waitFor(() => named(receiver.spans.slice(known), 'POST /message/sendbatch'));
    await arrive(request.traceId, 'addBulk fanout.0', 'process fanout.0', 'store', 'index');
    expect(pathTo(inTrace(request.traceId), 'store').slice(0, 2)).toEqual([
      'ruyi-api POST /message/sendbatch',
      'ruyi-api addBulk fanout.0',
    ]);
  });

  test('nothing but requests begins a trace, and what looks again and again is none', async () => {
    await Promise.all([ruyi.get('/health'), ruyi.get('/status')]);
    const begun = receiver.spans.filter(({ parentSpanId }) => parentSpanId === '');
    expect(begun.length).toBeGreaterThan(0);
    expect(new Set(begun.map(({ name }) => name.split(' ')[0]))).toEqual(new Set(['POST']));
  });

  test('what fails tells no more', async () => {
    const channel = channelName(1, ADA, 'broken');
    await redis.client.set(keys.log(shardOf(channel, evenShards(SHARDS)), channel), 'not a log');
    const known = receiver.spans.length;
    await client.send(to('broken'));
    const request = await waitFor(() => named(receiver.spans.slice(known), 'POST /message/send'));
    await arrive(request.traceId, 'process send.0');
  });

  test('what is left is exported at the end, and says nothing about users or what they write', async () => {
    const known = receiver.spans.length;
    await client.send(to(BOB));
    expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(named(receiver.spans.slice(known), 'POST /message/send')).toBeDefined();
    expect(receiver.text).toContain('ruyi.messages');
    for (const word of [ADA, BOB, 'broken', SECRET, payload, Buffer.from(SECRET).toString('base64').slice(2, 12)]) {
      expect([word, receiver.text.includes(word)]).toEqual([word, false]);
    }
    // So that the test of an installation without a collector can fail.
    expect(Math.min(...modulesOfSdk(folder.path))).toBeGreaterThan(0);
  });
});

test('a collector that is away holds nobody up: one warning a process', async () => {
  const ruyi = await newInstallation({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '100',
  });
  const up = await ruyi.start();
  const client = createClient({ url: ruyi.api });
  const logs = () =>
    readdirSync(join(ruyi.dataDir, 'logs')).map((name) => readFileSync(join(ruyi.dataDir, 'logs', name), 'utf8'));
  const warnings = () => logs().map((text) => text.split('traces cannot be exported').length - 1);
  await waitFor(
    async () => {
      await client.send(to(BOB));
      return warnings().filter((count) => count > 0).length === 3;
    },
    { what: 'api, worker and indexer to say so', deadlineMs: 60_000 },
  );
  for (let i = 0; i < 50; i++) await client.send(to(BOB));
  expect(Math.max(...warnings())).toBe(1);
  expect(await up.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await ruyi.remove();
  expectNoLeaks();
});

test('without a collector nothing of its SDK is loaded', async () => {
  const folder = tempDir('loaded modules');
  const ruyi = await newInstallation(listModules(folder.path));
  const up = await ruyi.start();
  await createClient({ url: ruyi.api }).send(to(BOB));
  await up.kill('SIGTERM');
  expect(modulesOfSdk(folder.path)).toEqual([0, 0, 0]);
  await ruyi.remove();
  folder.remove();
  expectNoLeaks();
});
