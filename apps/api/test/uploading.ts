import { type ClientRequest, request as httpRequest } from 'node:http';
import { waitFor } from '@ruyi/testkit';
import { expect } from 'vitest';
import { broadcasting } from './broadcasting.ts';
import { names, type testSystem } from './harness.ts';

type System = ReturnType<typeof testSystem>;

/** Begins an upload whose end does not come by itself. */
export function begin(address: string, no: string, body: string) {
  const sent: ClientRequest = httpRequest(`${address}/broadcasts/${no}/recipients/0`, { method: 'PUT' });
  const answered = new Promise<{ status: number; code?: string }>((resolve, reject) => {
    sent.on('error', reject).on('response', async (response) => {
      const { code } = JSON.parse((await response.toArray()).join(''));
      resolve({ status: response.statusCode ?? 0, ...(code === undefined ? {} : { code }) });
    });
  });
  answered.catch(() => {});
  sent.write(body);
  return {
    answered,
    write: (text: string) => sent.write(text),
    cut: () => sent.destroy(),
    end: () => sent.end(),
  };
}

/** Lines of 60,000 uids: more than is held until the part is complete. */
export const MANY = `${names(60_000, 'many').join('\n')}\n`;

export const isStaged = (system: System, no: string) =>
  waitFor(async () => (await system.redis.client.keys(`r:*:bs:${no}:*`)).length > 0, {
    what: 'something to be staged',
  });

/** Nothing of any part is in Redis. */
export async function leavesNothing(system: System, no: string): Promise<void> {
  await waitFor(
    async () => {
      const keys = await system.redis.client.keys('r:*');
      return !keys.some((key) => key.includes(`:bs:${no}`) || key.includes(`:bl:${no}`) || key.includes(':upload:'));
    },
    { what: 'the upload to leave nothing' },
  );
  expect(await broadcasting(system).show(no)).toMatchObject({ accepted: 0, duplicates: 0, invalid: 0 });
}
