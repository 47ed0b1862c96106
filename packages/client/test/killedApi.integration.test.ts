import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '@ruyi/testkit';
import { beforeAll, expect, test } from 'vitest';
import { createClient, type RuyiClient, textPayload } from '../src/index.ts';
import { testInstallation } from './installation.ts';

/** CLIENT_SENDS=1000000 sends a million, as before a release. */
const SENDS = Number(process.env.CLIENT_SENDS ?? 5_000);
const ROOMS = 20;
const AT_ONCE = 100;
const LIVES_MS = 2000;
const LEAST_KILLS = 3;

const installation = testInstallation();
beforeAll(async () => {
  await installation.start('worker');
});

/** Kills the API every 2 s until told to stop, at least three times; then it lives on. @returns how often it died */
async function killAgainAndAgain(isOver: () => boolean): Promise<number> {
  for (let kills = 0; ; kills++) {
    const api = await installation.start('api');
    if (isOver() && kills >= LEAST_KILLS) return kills;
    await pause(LIVES_MS);
    await api.kill('SIGKILL');
  }
}

test(`${SENDS} messages are each stored once although the API is killed -9 every 2 s`, {
  timeout: 7_200_000,
}, async () => {
  const ruyi = createClient({ url: installation.url, retrySeconds: 300 });
  let isOver = false;
  const killing = killAgainAndAgain(() => isOver);
  let next = 0;
  const sendOn = async () => {
    while (next < SENDS) {
      const n = next++;
      await ruyi.send({ channel_id: `room-${n % ROOMS}`, channel_type: 2, payload: textPayload(String(n)) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendOn));
  isOver = true;
  expect(await killing).toBeGreaterThanOrEqual(LEAST_KILLS);
  await waitFor(async () => (await storedMessages(ruyi)) >= SENDS, { what: 'all to be stored', deadlineMs: 600_000 });

  const times = new Uint8Array(SENDS);
  for (let room = 0; room < ROOMS; room++) {
    for await (const n of numbersIn(ruyi, `room-${room}`)) times[n] = (times[n] ?? 0) + 1;
  }
  expect({
    lost: times.filter((count) => count === 0).length,
    doubled: times.filter((count) => count > 1).length,
  }).toEqual({
    lost: 0,
    doubled: 0,
  });
});

async function storedMessages(ruyi: RuyiClient): Promise<number> {
  let sum = 0;
  for (let room = 0; room < ROOMS; room++) {
    sum += (await ruyi.maxMessageSeq({ channel_id: `room-${room}`, channel_type: 2 })).message_seq;
  }
  return sum;
}

async function* numbersIn(ruyi: RuyiClient, channel_id: string) {
  for (let start = 1; ; ) {
    const page = { channel_id, channel_type: 2, start_message_seq: start, limit: 10_000, pull_mode: 1 } as const;
    const { messages, more } = await ruyi.messageSync(page);
    for (const { payload } of messages) yield Number(atob(payload));
    if (more === 0) return;
    start = (messages.at(-1)?.message_seq ?? start) + 1;
  }
}
