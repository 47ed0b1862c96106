import { fileURLToPath } from 'node:url';
import { expectNoLeaks, freePort, startProcess, startRedis, type TestProcess, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, expect, test } from 'vitest';

/** Two APIs are restarted one after the other, under a client that sends where /readyz says so (docs/deploy.md). */

const REQUESTS = 5000;
const AT_A_TIME = 8;
const PROBE_EVERY_MS = 100;

afterAll(expectNoLeaks);

interface Api {
  address: string;
  isReady: boolean;
  /** requests that wait for its answer */
  inFlight: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

async function newApi(settings: Record<string, string>): Promise<Api> {
  const port = await freePort();
  const entry = fileURLToPath(new URL('../apps/api/dist/main.js', import.meta.url));
  let running: TestProcess;
  const api: Api = {
    address: `http://127.0.0.1:${port}`,
    isReady: false,
    inFlight: 0,
    async start() {
      running = await startProcess(entry, { ...settings, PORT: String(port) });
    },
    async stop() {
      running.child.kill('SIGTERM');
      // As much time as whoever follows its probes needs.
      await waitFor(() => !api.isReady && api.inFlight === 0, { what: 'nobody to send to it' });
      expect(await running.endDrain()).toEqual({ code: 0, signal: null });
    },
  };
  return api;
}

/** Looks which APIs are ready, as a load balancer does, until it is stopped. */
function followProbes(apis: Api[]): () => Promise<void> {
  let stopped = false;
  const follow = async (api: Api) => {
    const look = async () => {
      const answer = await fetch(`${api.address}/readyz`).catch(() => undefined);
      await answer?.text();
      api.isReady = answer?.status === 200;
      return stopped;
    };
    await waitFor(look, { what: 'the end', everyMs: PROBE_EVERY_MS, deadlineMs: 600_000 });
  };
  const following = Promise.all(apis.map(follow));
  return async () => {
    stopped = true;
    await following;
  };
}

/** Sends messages to the ready APIs in turn until `isEnough(sent)`. @returns how many, and what failed */
async function sendUntil(apis: Api[], isEnough: (sent: number) => boolean) {
  let sent = 0;
  const failures: unknown[] = [];
  const send = async () => {
    while (!isEnough(sent)) {
      const ready = await waitFor(() => {
        const some = apis.filter((one) => one.isReady);
        return some.length > 0 && some;
      });
      const api = ready[sent % ready.length] as Api;
      const body = JSON.stringify({
        channel_id: 'room',
        channel_type: 2,
        payload: 'YQ==',
        client_msg_no: `m${sent++}`,
      });
      api.inFlight++;
      try {
        const answer = await fetch(`${api.address}/message/send`, { method: 'POST', body });
        await answer.text();
        if (answer.status !== 200) failures.push(answer.status);
      } catch (error) {
        failures.push(error);
      }
      api.inFlight--;
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, send));
  return { sent, failures };
}

test('a rolling restart of the APIs fails no request', async () => {
  const redis = await startRedis();
  const folder = tempDir('rolling');
  const settings = { REDIS_URL: redis.url, DATA_DIR: folder.path, SHARDS: '8', LANES: '2', LOG_LEVEL: 'warn' };
  const worker = await startProcess(fileURLToPath(new URL('../apps/worker/dist/main.js', import.meta.url)), settings);
  const apis = [
    await newApi({ ...settings, DRAIN_SECONDS: '600' }),
    await newApi({ ...settings, DRAIN_SECONDS: '600' }),
  ] as const;
  await Promise.all(apis.map((api) => api.start()));
  const stopFollowing = followProbes([...apis]);
  const allReady = () => waitFor(() => apis.every((api) => api.isReady), { what: 'both APIs to be ready' });
  await allReady();

  let restarts = 0;
  const sending = sendUntil([...apis], (sent) => sent >= REQUESTS && restarts === 4);
  for (const api of [...apis, ...apis]) {
    await api.stop();
    await api.start();
    await allReady();
    restarts++;
  }
  const { sent, failures } = await sending;
  expect([sent >= REQUESTS, failures]).toEqual([true, []]);

  const stored = async () => {
    const query = 'channel_id=room&channel_type=2';
    const answer = await fetch(`${apis[0].address}/channel/max_message_seq?${query}`);
    return ((await answer.json()) as { message_seq: number }).message_seq === sent;
  };
  await waitFor(stored, { what: `${sent} messages to be stored` });
  for (const api of apis) await api.stop();
  await stopFollowing();
  await worker.kill();
  await redis.stop();
  folder.remove();
});
