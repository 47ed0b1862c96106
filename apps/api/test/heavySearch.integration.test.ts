import { readFileSync } from 'node:fs';
import { processesOf, waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { type Answer, base64, fresh, group, startApi, testSystem, upTo } from './harness.ts';
import { say, searching } from './searching.ts';

const system = testSystem(['worker', 'indexer']);
const { userWhoReads } = searching(system);

/** Answers that wait for nobody are there long before; one blocked event loop delayed them by 5 to 54 s. */
const PROMPT_MS = 3000;
const MOST_MEMORY_KB = 700 * 1024;
const SEARCH = '/plugins/wk.plugin.search/usersearch';

interface Api {
  pid: number;
  /** the most memory that it has used so far, in KB */
  peak(): number;
  alive(): boolean;
}

/** A separate API process, so that the test can watch and end it. */
async function anotherApi() {
  const { process, address } = await startApi(system.config);
  const { child } = process;
  const peak = () =>
    globalThis.process.platform === 'linux'
      ? Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))?.[1])
      : 0;
  const api: Api = { pid: process.pid, peak, alive: () => child.exitCode === null && child.signalCode === null };
  const post = async (path: string, body: unknown): Promise<Answer<string>> => {
    const answer = await fetch(address + path, { method: 'POST', body: JSON.stringify(body) });
    return { status: answer.status, headers: answer.headers, body: await answer.text() };
  };
  return { api, process, address, post };
}

/** The ids of the processes in which it searches. */
const searchProcesses = ({ api }: Client) =>
  processesOf(String(system.config.DATA_DIR)).flatMap(({ pid, command }) =>
    command.endsWith(`processes/main.js ${api.pid}`) ? [pid] : [],
  );

type Client = Awaited<ReturnType<typeof anotherApi>>;

/**
 * Has heavy searches made, and meanwhile 100 sends and 20 looks at the health: each of those must be answered before the
 * searches are, or promptly.
 * @returns the answers of the searches
 */
async function besideOthers({ post, address, api }: Client, searches: object[]): Promise<Answer<string>[]> {
  const room = fresh('other');
  let heavyEnded = Number.POSITIVE_INFINITY;
  const heavy = Promise.all(searches.map((search) => post(SEARCH, search))).finally(() => {
    heavyEnded = performance.now();
  });
  const late: string[] = [];
  const others: Promise<void>[] = [];
  const note = async (what: string, asked: Promise<{ status: number }>) => {
    const from = performance.now();
    const { status } = await asked;
    const ms = performance.now() - from;
    if (status !== 200 || (performance.now() > heavyEnded && ms > PROMPT_MS)) late.push(`${what}: ${status}, ${ms} ms`);
  };
  for (const n of upTo(100)) {
    others.push(note('send', post('/message/send', { ...group(room), payload: say(`other ${n}`) })));
    if (n % 5 === 0) others.push(note('health', fetch(`${address}/health`)));
    // Some are asked at each stage of the searches.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(others);
  expect(late).toEqual([]);
  const answers = await heavy;
  expect(api.alive()).toBe(true);
  expect(api.peak()).toBeLessThan(MOST_MEMORY_KB);
  return answers;
}

async function inOneRoom(payloads: string[]) {
  const { uid, room } = await userWhoReads();
  for (const payload of payloads) expect((await system.send({ ...group(room), payload })).status).toBe(200);
  await system.settled();
  return { uid, room };
}

const answered = (answers: Answer<string>[]) => {
  for (const { status, body } of answers) expect([200, 503], body.slice(0, 200)).toContain(status);
};

describe('a search that is heavy hurts nobody', () => {
  test('as its page is of many large payloads full of objects', async () => {
    const payload = base64(`{"content":"kilo","a":[${'{},'.repeat(83_000)}{}]}`);
    const { uid } = await inOneRoom(new Array(200).fill(payload));
    const client = await anotherApi();
    const search = { uid, payload: { content: 'kilo' }, limit: 1000 };
    const [answer] = await besideOthers(client, [search]);
    answered(answer ? [answer] : []);
    // The answer is bounded, and says that it was cut.
    const { status, body } = await waitFor(
      async () => {
        const again = await client.post(SEARCH, search);
        return again.status === 200 && again;
      },
      { what: 'the page', deadlineMs: 30_000 },
    );
    const page: { total: number; messages: unknown[]; truncated?: boolean } = JSON.parse(body);
    const mostShown = Math.floor((16 * 1024 * 1024) / Buffer.from(payload, 'base64').length);
    expect([status, page.total, page.messages.length, page.truncated]).toEqual([200, 200, mostShown, true]);
    expect(await client.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('as it seeks a long phrase in texts of one character, also on SIGTERM, and leaves no process behind', async () => {
    const { uid } = await inOneRoom(new Array(15).fill(say('一'.repeat(86_000))));
    const client = await anotherApi();
    const search = { uid, payload: { content: '一'.repeat(1024) } };
    answered(await besideOthers(client, new Array(10).fill(search)));
    const last = new Array(10).fill(search).map((one) => client.post(SEARCH, one).catch(() => undefined));
    await client.post('/message/send', { ...group(fresh('room')), payload: say('before the end') });
    expect(await client.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await Promise.all(last);
    await waitFor(() => searchProcesses(client).length === 0, { what: 'its search processes to end' });
  });

  test('as many single characters are to be marked in many long texts', async () => {
    const characters = Array.from({ length: 512 }, (_, i) => String.fromCodePoint(0x4e00 + i));
    const texts = upTo(20).map((n) => Array.from({ length: 4000 }, (_, i) => characters[(i * n) % 512]).join(''));
    const { uid } = await inOneRoom(texts.map((text) => say(text)));
    const client = await anotherApi();
    const search = { uid, payload: { content: characters.join(' ') }, highlights: ['payload.content'] };
    answered(await besideOthers(client, [search, search, search]));
    expect(await client.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('as a payload is 5,000 levels deep: it is shown as {}, and the page with it', async () => {
    const { uid } = await inOneRoom([
      base64(`{"content":"deep","a":${'['.repeat(5000)}${']'.repeat(5000)}}`),
      base64({ content: 'flat' }),
    ]);
    const { messages, total } = await system.search({ uid });
    expect([total, messages.map(({ payload }) => payload)]).toEqual([2, [{ content: 'flat' }, {}]]);
    expect((await system.search({ uid, payload: { content: 'deep' } })).total).toBe(0);
  });
});

const isLinux = process.platform === 'linux';
if (!isLinux) console.log('skipped: a search process that never comes back; it needs Linux');

test.runIf(isLinux)(
  'a search whose process never comes back is 503, the process replaced, and SIGTERM ends the API all the same',
  async () => {
    const { uid } = await userWhoReads('hello');
    const client = await anotherApi();
    const search = { uid, payload: { content: 'hello' } };
    const total = async () => {
      const { status, body } = await client.post(SEARCH, search);
      return status === 200 ? JSON.parse(body).total : status;
    };
    const freeze = async () => {
      await waitFor(async () => (await total()) === 1, { what: 'the message to be found' });
      await waitFor(() => searchProcesses(client).length === 2, { what: 'two search processes' });
      const frozen = searchProcesses(client);
      for (const pid of frozen) process.kill(pid, 'SIGSTOP');
      return frozen;
    };
    const frozen = await freeze();
    const others = [uid, fresh('ben'), fresh('carl')].map((who) => ({ ...search, uid: who }));
    const answers = await besideOthers(client, others);
    expect(answers[0]?.status).toBe(503);
    expect(Number(answers[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    answered(answers);
    await waitFor(async () => (await total()) === 1, { what: 'the message to be found again' });
    // The other one was asked, too, or serves again as soon as it is let go.
    for (const pid of searchProcesses(client)) process.kill(pid, 'SIGCONT');
    expect(searchProcesses(client)).not.toEqual(frozen);

    await freeze();
    const last = client.post(SEARCH, search).catch(() => undefined);
    await client.post('/message/send', { ...group(fresh('room')), payload: say('before the end') });
    expect(await client.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await last;
    expect(searchProcesses(client)).toEqual([]);
  },
);
