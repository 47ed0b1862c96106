import type { BroadcastAnswer, BroadcastFailure, ErrorBody, PartAnswer } from '@ruyi/contracts';
import { type TestRedis, waitFor } from '@ruyi/testkit';
import { expect } from 'vitest';
import { sizes } from './broadcastSizes.ts';
import type { Answer, ApiClient } from './harness.ts';

/** What tests do with broadcasts (docs/api.md §4). */
export interface Broadcasting {
  create(fields?: object): Promise<string>;
  upload<T = PartAnswer & ErrorBody>(
    no: string,
    part: number | string,
    body: string | Uint8Array,
    headers?: Record<string, string>,
  ): Promise<Answer<T>>;
  act(no: string, action: string): Promise<Answer<BroadcastAnswer & ErrorBody>>;
  show(no: string): Promise<BroadcastAnswer>;
  failures(no: string): Promise<BroadcastFailure[]>;
  /** Creates one with these recipients and starts it. */
  started(uids: string[], fields?: object): Promise<string>;
  /** Resolves when it has ended. */
  ended(no: string): Promise<BroadcastAnswer>;
  until(no: string, what: string, isSo: (broadcast: BroadcastAnswer) => boolean): Promise<BroadcastAnswer>;
}

export function broadcasting(client: ApiClient): Broadcasting {
  const self: Broadcasting = {
    async create(fields = {}) {
      const message = { from_uid: 'news', payload: 'YQ==', ...fields };
      const answer = await client.post<{ broadcast_no: string }>('/broadcasts', message);
      expect([answer.status, answer.body]).toEqual([200, { broadcast_no: expect.any(String), state: 'open' }]);
      return answer.body.broadcast_no;
    },
    upload: (no, part, body, headers) => client.request('PUT', `/broadcasts/${no}/recipients/${part}`, body, headers),
    act: (no, action) => client.request('POST', `/broadcasts/${no}/${action}`),
    async show(no) {
      const answer = await client.get<BroadcastAnswer>(`/broadcasts/${no}`);
      expect([answer.status, answer.body]).toEqual([200, answer.body]);
      return answer.body;
    },
    async failures(no) {
      const answer = await fetch(`${client.address}/broadcasts/${no}/failures`);
      const lines = (await answer.text()).split('\n').filter((line) => line !== '');
      return lines.map((line): BroadcastFailure => JSON.parse(line));
    },
    async started(uids, fields) {
      const no = await self.create(fields);
      expect((await self.upload(no, 0, uids.join('\n'))).status).toBe(200);
      expect((await self.act(no, 'start')).status).toBe(200);
      return no;
    },
    ended: (no) => self.until(no, 'to end', ({ finished_at }) => finished_at > 0),
    until: (no, what, isSo) =>
      waitFor(
        async () => {
          const broadcast = await self.show(no);
          return isSo(broadcast) ? broadcast : undefined;
        },
        { what: `broadcast ${no} ${what}`, deadlineMs: sizes.deadlineMs },
      ),
  };
  return self;
}

const COUNTED_AT_ONCE = 10_000;

/** How long the logs of a sender are: `1 → 200` if 200 have one message each. */
export async function logLengths(client: TestRedis['client'], sender: string): Promise<Map<number, number>> {
  const isTheirs = (key: string) => key.includes(`:${sender}@`) || key.endsWith(`@${sender}`);
  const logs = (await client.keys('r:*:log:1:*')).filter(isTheirs);
  const lengths = new Map<number, number>();
  for (let from = 0; from < logs.length; from += COUNTED_AT_ONCE) {
    const counts = await Promise.all(logs.slice(from, from + COUNTED_AT_ONCE).map((log) => client.zcard(log)));
    for (const count of counts) lengths.set(count, (lengths.get(count) ?? 0) + 1);
  }
  return lengths;
}

/** The state of what was just told to begin: workers may be done before it is read. */
export const BEGUN = /^(running|done)$/;

/** What must hold at the end (invariant 13). */
export function expectEquation({ accepted, duplicates, stored, failed, cancelled, total }: BroadcastAnswer): void {
  expect(duplicates + stored + failed + cancelled).toBe(accepted);
  expect(total).toBe(accepted - duplicates);
}
