import type { BroadcastAnswer, BroadcastListAnswer, PartAnswer } from '@ruyi/contracts';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { type Answer, fresh, names, personal, testSystem } from './harness.ts';

const system = testSystem(['worker']);

const create = async (fields: object = {}): Promise<string> => {
  const answer = await system.post<{ broadcast_no: string }>('/broadcasts', {
    from_uid: 'news',
    payload: 'YQ==',
    ...fields,
  });
  expect([answer.status, answer.body]).toEqual([200, { broadcast_no: expect.any(String), state: 'open' }]);
  return answer.body.broadcast_no;
};
const upload = <T = PartAnswer>(
  no: string,
  part: number,
  body: string | Uint8Array,
  headers = {},
): Promise<Answer<T>> => system.request<T>('PUT', `/broadcasts/${no}/recipients/${part}`, body, headers);
const act = (no: string, action: string) => system.request<BroadcastAnswer>('POST', `/broadcasts/${no}/${action}`);
const show = async (no: string) => (await system.get<BroadcastAnswer>(`/broadcasts/${no}`)).body;
const ended = (no: string) =>
  waitFor(
    async () => {
      const broadcast = await show(no);
      return broadcast.finished_at > 0 ? broadcast : undefined;
    },
    { what: 'the broadcast to end' },
  );

test('recipients of several parts get one message each, whatever is in several of them', async () => {
  const prefix = fresh('u');
  const uids = names(3000, prefix);
  const no = await create({ name: 'first' });
  const first = await upload(no, 7, `${uids.slice(0, 2000).join('\n')}\n${uids[0]}\nno@body\n\n`);
  expect(first.body).toEqual({
    part: 7,
    accepted: 2001,
    duplicates: 1,
    invalid: [{ line: 2002, uid: 'no@body', reason: '用户ID不合法' }],
    invalid_count: 1,
  });
  const second = await upload(no, 0, uids.slice(1500).join('\r\n'));
  expect(second.body).toMatchObject({ part: 0, accepted: 1500, duplicates: 0, invalid_count: 0 });
  expect(await show(no)).toMatchObject({ state: 'open', accepted: 3501, duplicates: 1, invalid: 1, stored: 0 });
  expect((await act(no, 'start')).body.state).toBe('running');
  expect(await ended(no)).toMatchObject({
    broadcast_no: no,
    name: 'first',
    from_uid: 'news',
    state: 'done',
    accepted: 3501,
    duplicates: 501,
    invalid: 1,
    total: 3000,
    stored: 3000,
    failed: 0,
    cancelled: 0,
    eta_seconds: 0,
  });
  for (const uid of [uids[0], uids[1700], uids[2999]]) {
    const log = await system.log(personal(uid ?? '', 'news'));
    expect(log.map(({ message_seq }) => message_seq)).toEqual([1]);
  }
  const { body } = await system.get<BroadcastListAnswer>('/broadcasts');
  expect(body.broadcasts.map(({ broadcast_no }) => broadcast_no)).toEqual([no]);
});
