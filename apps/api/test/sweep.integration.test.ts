import { evenShards, keys, shardOf } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { base64, fresh, group, startApp, testSystem, upTo } from './harness.ts';

describe('an installation with expired messages', () => {
  const system = testSystem(['worker']);
  const logOf = (room: string) => keys.log(shardOf(`2:${room}`, evenShards(8)), `2:${room}`);

  test('300 expired messages are gone although nobody reads or appends, and seqs go on', async () => {
    const room = fresh('room');
    const send = (expire: number) => system.send({ ...group(room), payload: base64('x'), expire });
    for (const sent of await Promise.all(upTo(300).map(() => send(1)))) expect(sent.status).toBe(200);
    const { message_id } = await system.store({ ...group(room), payload: base64('y'), expire: 100_000 });
    await waitFor(async () => (await system.redis.client.zcard(logOf(room))) === 1, {
      what: 'the expired messages to be gone',
      deadlineMs: 60_000,
    });
    const [left] = await system.log(group(room));
    expect([left?.message_id, left?.message_seq]).toEqual([message_id, 301]);
    await waitFor(async () => /ruyi_swept_total\{kind="expired",[^}]*\} 300/.test(await metrics()), {
      what: 'the metric of the sweep',
    });
    expect(await metrics()).toMatch(/ruyi_sweep_seconds\{[^}]*\} \d+\.\d+/);
  }, 90_000);

  const metrics = async () => (await fetch(`${system.address}/metrics`)).text();

  test('another worker sweeps soon after the one that did was killed', async () => {
    const workers = await Promise.all([startApp('worker', system.config), startApp('worker', system.config)]);
    const sweeper = () => system.redis.client.get(keys.sweeper);
    const first = await sweeper();
    expect(first).toMatch(/^worker-/);
    // The third one is that of the system, which must be there at the end.
    await system.redis.client.set(keys.sweeper, String(workers[0].details.worker), 'PX', 4000);
    await waitFor(async () => (await sweeper()) === workers[0].details.worker, { what: 'the first to sweep' });
    await workers[0].kill('SIGKILL');
    await waitFor(async () => ![null, workers[0].details.worker].includes(await sweeper()), {
      what: 'another one to sweep',
    });
    expect(await workers[1].kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

describe('an installation that is full', () => {
  const system = testSystem();
  const rooms = upTo(20).map((n) => `full-${n}`);

  test('frees itself and takes writes again once LOG_RETENTION is set', async () => {
    const { client } = system.redis;
    const used = async () => Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
    const before = await used();
    const filler = await startApp('worker', system.config);
    const payload = base64('x'.repeat(10_000));
    for (const _ of upTo(100)) {
      await Promise.all(rooms.map((room) => system.send({ ...group(room), payload })));
    }
    await system.settled();
    // The last jobs of each lane are kept with what they held.
    for (const _ of upTo(4)) for (const room of rooms) await system.send({ ...group(room), payload: 'YQ==' });
    await system.settled();
    expect(await filler.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect((await used()) - before).toBeGreaterThan(20_000_000);

    const send = async () => (await system.send({ ...group(rooms[0] ?? ''), payload: 'YQ==' })).status;
    const allowed = Math.floor((await used()) / 0.84);
    await client.config('SET', 'maxmemory', allowed);
    await waitFor(async () => (await send()) === 429, { what: 'a full Redis' });

    const worker = await startApp('worker', { ...system.config, LOG_RETENTION: '1' });
    await waitFor(async () => (await send()) === 200, { what: 'a write to be taken', deadlineMs: 30_000 });
    expect((await used()) / allowed).toBeLessThan(0.8);
    await system.settled();
    await waitFor(async () => (await Promise.all(rooms.map((room) => system.log(group(room))))).flat().length === 20, {
      what: 'one message to be left per channel',
    });
    const [newest] = await system.log(group(rooms[1] ?? ''));
    expect(newest?.message_seq).toBe(104);
    expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  }, 120_000);
});
