import { fileURLToPath } from 'node:url';
import type {
  BatchProgress,
  ErrorBody,
  MessageObject,
  MessageSyncAnswer,
  SendAnswer,
  SendBatchAnswer,
  UserSearchAnswer,
} from '@ruyi/contracts';
import { evenShards, Outboxes } from '@ruyi/store';
import {
  expectNoLeaks,
  type ProcessOptions,
  startProcess,
  startRedis,
  type TestProcess,
  type TestRedis,
  tempDir,
  unexpectedKeys,
  waitFor,
} from '@ruyi/testkit';
import { afterAll, beforeAll, expect } from 'vitest';
import type { HttpLimits } from '../src/http/limits.ts';

const LANE_QUEUES = ['send.0', 'send.1', 'fanout.0', 'fanout.1'];
const SETTINGS = { PORT: '0', SHARDS: '8', LANES: '2', LOG_LEVEL: 'silent', ALLOW_NO_AOF: '1' };
const OUR_KEYS = /^(r:|\{r\.(send|fanout|index|broadcasts|dead)\b)/;
const SEARCH = '/plugins/wk.plugin.search/usersearch';

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

type Fields = Record<string, string>;

export interface ApiClient {
  address: string;
  /** Text and bytes are sent as they are, anything else as JSON. */
  request<T = ErrorBody>(method: string, path: string, body?: unknown, headers?: Fields): Promise<Answer<T>>;
  post<T = ErrorBody>(path: string, body: unknown, headers?: Fields): Promise<Answer<T>>;
  get<T = ErrorBody>(path: string, query?: Record<string, string>): Promise<Answer<T>>;
  send(message: object, headers?: Fields): Promise<Answer<SendAnswer>>;
  sendBatch(batch: object): Promise<Answer<SendBatchAnswer>>;
  progress(batchNo: string): Promise<BatchProgress>;
  messageSync(range: object): Promise<MessageSyncAnswer>;
  sync(request: object): Promise<MessageObject[]>;
  search(request: object): Promise<UserSearchAnswer>;
}

/** How many systems this file has running; a `describe` may start its own. */
let systems = 0;

export interface System extends ApiClient {
  readonly redis: TestRedis;
  readonly config: Record<string, string>;
  /** Resolves when all that was sent is stored, and, with an indexer, can be found. */
  settled(): Promise<void>;
  /** Sends, and resolves when it is stored. */
  store(message: object): Promise<SendAnswer['data']>;
  /** The whole log of a channel. */
  log(channel: object): Promise<MessageObject[]>;
  /** The commands that a user has not acknowledged. */
  inbox(uid: string): Promise<MessageObject[]>;
}

/**
 * A redis-server and an API for the file, with a worker and an indexer if asked for. The tests of a file share them, so
 * each uses its own users and channels.
 */
export function testSystem(processes: ('worker' | 'indexer')[] = [], settings: Record<string, string> = {}): System {
  const folder = tempDir('api');
  const config: Record<string, string> = { ...SETTINGS, DATA_DIR: folder.path, ...settings };
  const client = apiClient('');
  const started: TestProcess[] = [];
  let redis: TestRedis | undefined;
  const running = () => {
    if (!redis) throw new Error('the system is started in beforeAll');
    return redis;
  };
  beforeAll(async () => {
    systems++;
    redis = await startRedis();
    config.REDIS_URL = redis.url;
    const [api, ...others] = await Promise.all([startApi(config), ...processes.map((name) => startApp(name, config))]);
    client.address = api.address;
    started.push(api.process, ...others);
    if (processes.includes('indexer')) await client.search({ uid: 'nobody' });
  });
  afterAll(async () => {
    for (const process of started) expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await unexpectedKeys(running().client, OUR_KEYS)).toEqual([]);
    await running().stop();
    folder.remove();
    if (--systems === 0) expectNoLeaks();
  });
  const worked = processes.includes('indexer') ? undefined : LANE_QUEUES;
  const settled = async () => {
    await waitFor(async () => (await unfinishedJobs(running(), worked)) === 0, { what: 'every job to be done' });
  };
  return {
    ...client,
    get address() {
      return client.address;
    },
    get redis() {
      return running();
    },
    config,
    settled,
    async store(message) {
      const { data } = await succeeded(client.send(message));
      await settled();
      return data;
    },
    log: async (channel) => (await client.messageSync({ ...channel, limit: 10_000 })).messages,
    inbox: (uid) => client.sync({ uid, limit: 10_000 }),
  };
}

/** One more API of an installation. */
export async function startApi(config: Record<string, string>) {
  const process = await startApp('api', config);
  return { process, address: String(process.details.address) };
}

/** One more API, whose HTTP layer has other bounds than usual; times in milliseconds, sizes in bytes. */
export async function startApiWith(limits: Partial<HttpLimits>, config: Record<string, string>) {
  const entry = fileURLToPath(new URL('apiWithLimits.mjs', import.meta.url));
  const process = await startProcess(entry, { ...config, LOG_LEVEL: 'warn', HTTP_LIMITS: JSON.stringify(limits) });
  return { process, address: String(process.details.address) };
}

export const startApp = (
  name: 'api' | 'worker' | 'indexer',
  config: Record<string, string>,
  options: ProcessOptions = {},
) => startProcess(fileURLToPath(new URL(`../../${name}/dist/main.js`, import.meta.url)), config, options);

/**
 * Jobs that wait or are at work in these queues, by default all. On a cluster there is no one moment for all of them; a job
 * follows from another one before that is gone, so a job that changes queues is seen in one of two rounds. What waits in
 * outboxes is part of the index queue.
 */
export async function unfinishedJobs({ client }: TestRedis, queues = [...LANE_QUEUES, 'index', 'dead']) {
  const outboxes = new Outboxes(client, evenShards(Number(SETTINGS.SHARDS)));
  const round = async () => {
    let jobs = 0;
    for (const name of queues) {
      const key = `{r.${name}}:${name}`;
      const lists = await client.multi().llen(`${key}:wait`).zcard(`${key}:prioritized`).llen(`${key}:active`).exec();
      for (const [, length] of lists ?? []) jobs += Number(length);
    }
    return queues.includes('index') ? jobs + (await outboxes.reading()).references : jobs;
  };
  return Math.max(await round(), await round());
}

export function apiClient(address: string): ApiClient {
  const client: ApiClient = {
    address,
    async request<T>(method: string, path: string, body?: unknown, headers: Fields = {}) {
      const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
      const answer = await fetch(client.address + path, {
        method,
        headers,
        ...(raw === undefined ? {} : { body: raw }),
      });
      const text = await answer.text();
      const parsed: T = text === '' ? undefined : JSON.parse(text);
      return { status: answer.status, headers: answer.headers, body: parsed };
    },
    post: (path, body, headers) => client.request('POST', path, body, headers),
    get: (path, query = {}) => {
      const text = new URLSearchParams(query).toString();
      return client.request('GET', text === '' ? path : `${path}?${text}`);
    },
    send: (message, headers) => client.post('/message/send', message, headers),
    sendBatch: (batch) => client.post('/message/sendbatch', batch),
    progress: (batchNo) => succeeded(client.get(`/message/sendbatch/${batchNo}`)),
    messageSync: (range) => succeeded(client.post('/channel/messagesync', range)),
    sync: (request) => succeeded(client.post('/message/sync', request)),
    search: (request) => succeeded(served(() => client.post(SEARCH, request))),
  };
  return client;
}

/** Asks again while no search process has the time: a busy machine may give it none for seconds. */
const served = <T>(ask: () => Promise<Answer<T>>): Promise<Answer<T>> =>
  waitFor(
    async () => {
      const answer = await ask();
      return answer.status !== 503 && answer;
    },
    { what: 'a search to be served' },
  );

async function succeeded<T>(asked: Promise<Answer<T>>): Promise<T> {
  const answer = await asked;
  expect([answer.status, answer.body]).toEqual([200, answer.body]);
  return answer.body;
}

export const base64 = (text: string | object) =>
  Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)).toString('base64');
export const text = ({ payload }: { payload: string }) => Buffer.from(payload, 'base64').toString();
export const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
export const names = (count: number, prefix: string) => upTo(count).map((n) => `${prefix}${n}`);

export const group = (channel_id: string) => ({ channel_id, channel_type: 2 });
/** The personal channel of two users, as the first of them reads it. */
export const personal = (login_uid: string, channel_id: string) => ({ login_uid, channel_id, channel_type: 1 });

let used = 0;
/** A name that no other test uses. */
export const fresh = (name: string) => `${name}-${++used}`;
