import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom, startProcess, startRedis, type TestProcess, tempDir, waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';

const CHANNELS = 50;
/** At least; they are sent for as long as lanes change. */
const MESSAGES = 40;
const SENDERS = 6;
const BATCHES = 5;
const PACE_MS = 400;
const UIDS = Array.from({ length: 60 }, (_, i) => `u${i}`);

const entry = (app: string) => fileURLToPath(new URL(`../apps/${app}/dist/main.js`, import.meta.url));
const base64 = (text: string) => Buffer.from(text).toString('base64');
const rising = (count: number) => Array.from({ length: count }, (_, i) => String(i));

/** Processes of an installation; each that is killed is started again. */
class Processes {
  readonly #env: Record<string, string>;
  readonly #running: Record<'api' | 'worker', TestProcess[]> = { api: [], worker: [] };
  constructor(env: Record<string, string>) {
    this.#env = env;
  }
  async start(app: 'api' | 'worker'): Promise<void> {
    this.#running[app].push(await startProcess(entry(app), this.#env));
  }
  /** Kills one with SIGKILL, and starts another one. */
  async replace(app: 'api' | 'worker'): Promise<void> {
    const victim = this.#running[app].shift();
    await victim?.kill('SIGKILL');
    await this.start(app);
  }
  async signalWorkers(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    for (const worker of this.#running.worker) await worker.kill(signal);
  }
  address(random: Random): string {
    const { api } = this.#running;
    return String(api[random.whole(0, api.length - 1)]?.details.address);
  }
  ruyi(...args: string[]): Promise<TestProcess> {
    return startProcess(entry('cli'), this.#env, { args, waitForReady: false });
  }
  async stop(): Promise<void> {
    const all = Object.values(this.#running).flat();
    for (const one of all) expect(await one.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  }
}

/** Posts until it is answered 200, over any API: the client_msg_no makes it safe to repeat. */
async function post<T>(processes: Processes, random: Random, path: string, body: object): Promise<T> {
  return waitFor<T>(
    async () => {
      const answer = await fetch(`${processes.address(random)}${path}`, { method: 'POST', body: JSON.stringify(body) });
      const text = await answer.text();
      if (answer.status === 200) return JSON.parse(text);
      if (answer.status !== 503) expect.fail(`${path} was answered ${answer.status}: ${text}`);
      return undefined;
    },
    { what: `${path} to be answered`, deadlineMs: 120_000, everyMs: 50 },
  );
}

/**
 * Sends one message after the other to each channel, and one batch after the other from each sender, until it is told to stop.
 * @returns how many each got, and how many batches each sender sent
 */
async function traffic(processes: Processes, random: Random, isOver: () => boolean) {
  const untilOver = async (least: number, send: (n: number) => Promise<unknown>) => {
    let n = 0;
    for (; n < least || !isOver(); n++) {
      await send(n);
      await pause(random.whole(0, PACE_MS));
    }
    return n;
  };
  const channel = (c: number) =>
    untilOver(MESSAGES, (n) => {
      const message = { channel_id: `room${c}`, channel_type: 2, from_uid: 'ann', payload: base64(String(n)) };
      return post(processes, random, '/message/send', { ...message, client_msg_no: `m${n}` });
    });
  const sender = (s: number) =>
    untilOver(BATCHES, (n) => {
      const batch = { from_uid: `sender${s}`, subscribers: UIDS, payload: base64(String(n)) };
      return post(processes, random, '/message/sendbatch', { ...batch, client_msg_no: `b${n}` });
    });
  const [messages, batches] = await Promise.all([
    Promise.all(Array.from({ length: CHANNELS }, (_, c) => channel(c))),
    Promise.all(Array.from({ length: SENDERS }, (_, s) => sender(s))),
  ]);
  return { messages, batches };
}

/** What is in a log, in the order of its seqs, which must have no gap. */
async function log(processes: Processes, random: Random, channel: object): Promise<string[]> {
  const { messages } = await post<{ messages: { message_seq: number; payload: string }[] }>(
    processes,
    random,
    '/channel/messagesync',
    { ...channel, limit: 10_000 },
  );
  expect(messages.map(({ message_seq }) => message_seq)).toEqual(messages.map((_, i) => i + 1));
  return messages.map(({ payload }) => Buffer.from(payload, 'base64').toString());
}

async function lanesAre(processes: Processes, wanted: number): Promise<void> {
  const command = await processes.ruyi('lanes', String(wanted));
  expect(await command.exit, command.output).toEqual({ code: 0, signal: null });
  expect(command.stdout).toMatch(new RegExp(`lanes of each kind: ${wanted}\\n$`));
}

test('from 4 to 16 lanes and back while messages flow and processes are killed: all in order, none missing, none twice', async () => {
  const random = seededRandom();
  const redis = await startRedis();
  const folder = tempDir('lanes');
  const env = { REDIS_URL: redis.url, DATA_DIR: folder.path, PORT: '0', LANES: '4', LOG_LEVEL: 'silent' };
  const processes = new Processes(env);
  for (const app of ['api', 'api', 'worker', 'worker'] as const) await processes.start(app);

  let isOver = false;
  const sent = traffic(processes, random, () => isOver);
  const changes = async () => {
    let wanted = 4;
    for (const what of ['worker', 'api', 'cli', 'freeze', 'cli', 'worker'] as const) {
      wanted = wanted === 4 ? 16 : 4;
      if (what === 'freeze') await processes.signalWorkers('SIGSTOP');
      const command = await processes.ruyi('lanes', String(wanted));
      if (what === 'cli' || what === 'freeze')
        await waitFor(() => command.stdout !== '', { what: 'the change to begin' });
      if (what === 'cli') await command.kill('SIGKILL');
      else if (what === 'freeze') await processes.signalWorkers('SIGCONT');
      else await processes.replace(what);
      await command.exit;
      await lanesAre(processes, wanted);
    }
  };
  await changes().finally(() => {
    isOver = true;
  });
  const { messages, batches } = await sent;

  const whole = (channel: object, count: number) =>
    waitFor(
      async () => {
        const found = await log(processes, random, channel);
        return found.length >= count ? found : undefined;
      },
      { what: `${count} messages`, deadlineMs: 60_000 },
    );
  for (const [c, count] of messages.entries()) {
    expect(await whole({ channel_id: `room${c}`, channel_type: 2 }, count)).toEqual(rising(count));
  }
  for (const [s, count] of batches.entries()) {
    for (const uid of UIDS) {
      const found = await whole({ login_uid: uid, channel_id: `sender${s}`, channel_type: 1 }, count);
      expect(found).toEqual(rising(count));
    }
  }
  await processes.stop();
  await redis.stop();
  folder.remove();
});
