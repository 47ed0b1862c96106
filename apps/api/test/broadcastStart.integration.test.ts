import type { BroadcastAnswer } from '@ruyi/contracts';
import { expect, test } from 'vitest';
import { BEGUN, broadcasting } from './broadcasting.ts';
import { fresh, names, testSystem } from './harness.ts';

/** When a broadcast begins can be said, and changed, when it is started. */

const system = testSystem(['worker']);
const { create, upload, act, show, ended } = broadcasting(system);
const now = async () => Number((await system.redis.client.time())[0]);

async function draft(fields: Record<string, unknown> = {}): Promise<string> {
  const no = await create(fields);
  await upload(no, 0, names(10, fresh('s')).join('\n'));
  return no;
}
const start = (no: string, body: unknown) => system.post<BroadcastAnswer>(`/broadcasts/${no}/start`, body);

test('a start may say when; what its creation said counts no more', async () => {
  const later = (await now()) + 86_400;
  const no = await draft({ rate: 7000 });
  expect(await show(no)).toMatchObject({ state: 'open', start_at: 0, rate: 7000 });
  expect((await start(no, { start_at: later })).body).toMatchObject({ state: 'scheduled', start_at: later });
  const soon = await draft({ start_at: later });
  expect(await show(soon)).toMatchObject({ start_at: later, rate: 0 });
  expect((await start(soon, { start_at: 0 })).body).toMatchObject({
    state: expect.stringMatching(BEGUN),
    start_at: 0,
  });
  expect(await ended(soon)).toMatchObject({ state: 'done', stored: 10 });
  expect((await start(no, { start_at: later })).body.state).toBe('scheduled');
});

test('without a time, without a body, and repeated, a start changes nothing that is scheduled', async () => {
  const later = (await now()) + 86_400;
  const no = await draft({ start_at: later });
  for (const again of [() => act(no, 'start'), () => start(no, {}), () => start(no, { start_at: null })]) {
    expect((await again()).body).toMatchObject({ state: 'scheduled', start_at: later });
  }
});

test('a scheduled one is moved, earlier or later, and begins once', async () => {
  const later = (await now()) + 86_400;
  const no = await draft({ start_at: later });
  await start(no, {});
  expect((await start(no, { start_at: later + 60 })).body).toMatchObject({ state: 'scheduled', start_at: later + 60 });
  const soon = (await now()) + 2;
  expect((await start(no, { start_at: soon })).body).toMatchObject({ start_at: soon });
  const end = await ended(no);
  expect(end).toMatchObject({ state: 'done', stored: 10, start_at: soon });
  expect(end.started_at).toBeGreaterThanOrEqual(soon);
  expect((await start(no, { start_at: soon })).body.state).toBe('done');
  expect((await start(no, { start_at: later })).body).toMatchObject({ code: 'wrong_state' });
});

test('a time that makes no sense is refused, and nothing is started', async () => {
  const no = await draft();
  for (const start_at of [-1, 1.5, '5', true, (await now()) * 1000]) {
    const { status, body } = await system.post<{ errors: { path: string }[] }>(`/broadcasts/${no}/start`, { start_at });
    expect([start_at, status, body.errors.map(({ path }) => path)]).toEqual([start_at, 400, ['start_at']]);
  }
  expect(await show(no)).toMatchObject({ state: 'open', start_at: 0 });
});
