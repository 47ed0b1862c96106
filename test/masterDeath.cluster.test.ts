import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  startCluster,
  startProcess,
  type TestCluster,
  type TestNode,
  type TestProcess,
  tempDir,
  waitFor,
} from '@ruyi/testkit';
import { afterEach, expect, test } from 'vitest';

/**
 * A master of a Redis Cluster is killed (-9) while an installation is under load, and its replica takes its place. Every
 * request is repeated with its client_msg_no until it is answered 200, as a client does it.
 */

const ROOMS = 24;
const BATCHERS = 3;
const RECIPIENTS = Array.from({ length: 150 }, (_, i) => `u${i}`);
const WRITES_STAND_MS = 30_000;

const entry = (app: string) => fileURLToPath(new URL(`../apps/${app}/dist/main.js`, import.meta.url));
const payload = (content: string) => Buffer.from(JSON.stringify({ content })).toString('base64');
const rooms = Array.from({ length: ROOMS }, (_, i) => `room${i}`);
const batchers = Array.from({ length: BATCHERS }, (_, i) => `news${i}`);

interface Message {
  message_seq: number;
  client_msg_no: string;
  payload: string;
}

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function startInstallation(env: Record<string, string>) {
  const cluster = await startCluster({ appendonly: true });
  opened.push({ close: cluster.stop });
  const folder = tempDir('cluster data');
  opened.push({ close: async () => folder.remove() });
  const settings = { REDIS_URL: cluster.url, DATA_DIR: folder.path, PORT: '0', LOG_LEVEL: 'silent', ...env };
  const started: TestProcess[] = [];
  for (const app of ['worker', 'worker', 'api']) started.push(await startProcess(entry(app), settings));
  for (const process of started) opened.push({ close: () => process.kill('SIGKILL') });
  return { cluster, api: String(started.at(-1)?.details.address) };
}

/** Sends until it is stopped, and notes what was answered 200 and when. */
class Load {
  /** numbers of the messages that each room and each batch sender was told to have */
  readonly acknowledged = new Map<string, number>();
  answers = 0;
  unknown = 0;
  /** the longest time in which no room was answered, of those that saw any */
  longestMs = 0;
  readonly #api: string;
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(api: string) {
    this.#api = api;
    const inRooms = rooms.map((room) =>
      this.#repeat(room, '/message/send', { from_uid: 'ann', channel_id: room, channel_type: 2 }),
    );
    const batches = batchers.map((from) =>
      this.#repeat(from, '/message/sendbatch', { from_uid: from, subscribers: RECIPIENTS }),
    );
    this.#running = Promise.all([...inRooms, ...batches]);
  }

  async #repeat(name: string, path: string, body: object): Promise<void> {
    for (let n = 1; !this.#stopped; n++) {
      const since = performance.now();
      await this.#untilAnswered(path, { ...body, client_msg_no: `${name}-${n}`, payload: payload(`${name}-${n}`) });
      this.longestMs = Math.max(this.longestMs, performance.now() - since);
      this.acknowledged.set(name, n);
      this.answers++;
    }
  }

  async #untilAnswered(path: string, body: object): Promise<void> {
    for (;;) {
      const status = await fetch(`${this.#api}${path}`, { method: 'POST', body: JSON.stringify(body) }).then(
        async (response) => {
          await response.arrayBuffer();
          return response.status;
        },
        () => 0,
      );
      if (status === 200) return;
      if (status !== 503 && status !== 0) throw new Error(`${path} was answered ${status}`);
      this.unknown++;
      await pause(50);
    }
  }

  async answered(more: number): Promise<void> {
    const until = this.answers + more;
    await waitFor(() => this.answers >= until, { what: `${more} answers`, deadlineMs: 2 * WRITES_STAND_MS });
  }

  /** Resolves when every request that was begun is answered 200. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

/** A master, and the replica that will take its place. */
async function victimOf(cluster: TestCluster): Promise<{ master: TestNode; replica: TestNode }> {
  const [master] = cluster.nodes;
  const [, port] = /^slave0:ip=[^,]*,port=(\d+)/m.exec((await master?.client.info('replication')) ?? '') ?? [];
  const replica = cluster.nodes.find((node) => node.port === Number(port));
  if (!master || !replica) throw new Error('the first node has no replica');
  return { master, replica };
}

/** Cuts the replica off: what the master executes from now on, it never sees. */
async function cutOff({ master, replica }: { master: TestNode; replica: TestNode }): Promise<void> {
  await replica.kill('SIGSTOP');
  await master.client.call('CLIENT', 'KILL', 'TYPE', 'REPLICA');
}

interface Picture {
  lost: number;
  repeated: number;
  gaps: number;
  torn: number;
}

/** Compares what can be read with what was acknowledged. */
async function compare(api: string, load: Load): Promise<Picture> {
  const picture = { lost: 0, repeated: 0, gaps: 0, torn: 0 };
  const look = async (channel: object, name: string) => {
    const request = { limit: 10_000, pull_mode: 1, start_message_seq: 1, ...channel };
    const response = await fetch(`${api}/channel/messagesync`, { method: 'POST', body: JSON.stringify(request) });
    const { messages } = (await response.json()) as { messages: Message[] };
    const numbers = messages.map(({ client_msg_no: no }) => no);
    picture.repeated += numbers.length - new Set(numbers).size;
    for (const [i, { message_seq: seq, client_msg_no: no, payload: text }] of messages.entries()) {
      if (seq !== i + 1) picture.gaps++;
      if (text !== payload(no)) picture.torn++;
    }
    for (let n = 1; n <= (load.acknowledged.get(name) ?? 0); n++) if (!numbers.includes(`${name}-${n}`)) picture.lost++;
  };
  for (const room of rooms) await look({ login_uid: 'ann', channel_id: room, channel_type: 2 }, room);
  for (const from of batchers) {
    for (const uid of RECIPIENTS) await look({ login_uid: uid, channel_id: from, channel_type: 1 }, from);
  }
  return picture;
}

const WHOLE: Picture = { lost: 0, repeated: 0, gaps: 0, torn: 0 };
const report = (load: Load, picture: Picture) =>
  console.log(
    `${load.answers} requests acknowledged, ${load.unknown} answered 503 before; the longest took ${Math.round(load.longestMs)} ms; ${JSON.stringify(picture)}`,
  );

test.each([false, true])(
  'with REDIS_WAIT=1 all that was acknowledged is stored once; the replica was cut off before: %s',
  async (isBehind) => {
    const { cluster, api } = await startInstallation({ REDIS_WAIT: '1' });
    const load = new Load(api);
    await load.answered(300);
    const victim = await victimOf(cluster);
    if (isBehind) {
      await cutOff(victim);
      const before = load.unknown;
      await waitFor(() => load.unknown >= before + ROOMS / 4, { what: 'requests that replicas do not confirm' });
    }
    await victim.master.kill();
    if (isBehind) await victim.replica.kill('SIGCONT');
    // Until it is back as a replica, the new master has none that could confirm.
    await waitFor(async () => (await victim.replica.client.info('replication')).includes('role:master'), {
      what: 'the replica to take its place',
      deadlineMs: WRITES_STAND_MS,
    });
    await victim.master.start();
    await load.answered(300);
    await load.stop();
    const picture = await waitFor(
      async () => {
        const now = await compare(api, load);
        return now.lost === 0 && now;
      },
      { what: 'everything to be stored', deadlineMs: WRITES_STAND_MS, everyMs: 500 },
    );
    report(load, picture);
    expect(picture).toEqual(WHOLE);
    expect(load.longestMs).toBeLessThan(WRITES_STAND_MS);
  },
  180_000,
);

test('without REDIS_WAIT what the replica had not seen is lost, and everything goes on', async () => {
  const { cluster, api } = await startInstallation({});
  const load = new Load(api);
  await load.answered(300);
  const victim = await victimOf(cluster);
  await cutOff(victim);
  await load.answered(600);
  await victim.master.kill();
  await victim.replica.kill('SIGCONT');
  await load.answered(600);
  await load.stop();
  await waitFor(async () => (await compare(api, load)).lost > 0, { what: 'a picture' });
  const picture = await compare(api, load);
  report(load, picture);
  expect(picture.lost).toBeGreaterThan(0);
}, 180_000);
