import { beforeAll, describe, expect, test } from 'vitest';
import { base64, fresh, group, startApp, testSystem, unfinishedJobs } from './harness.ts';
import {
  type Ask,
  asker,
  expectGuarded,
  expectOnceEach,
  idOf,
  isReplayed,
  KINDS,
  type Outcome,
  otherRequests,
  type Sent,
  UNSTORED,
} from './repeatedKinds.ts';

const system = testSystem(['worker']);
/** without a worker: what is sent stays queued */
const paused = testSystem();

describe.each(KINDS)('%s', (_, make) => {
  test('sent again gets the first answer, another request 409; another channel, sender or endpoint is another key', async () => {
    const sent = await make(system);
    const ask = asker(system, sent, 'no');
    const first = await ask();
    expect([first.status, isReplayed(first)]).toEqual([200, null]);
    await expectGuarded(sent, ask, first);
    await system.settled();
    await expectGuarded(sent, ask, first);
    await expectOnceEach(system, sent);

    for (const changes of [sent.elsewhere, { from_uid: fresh('zoe') }]) {
      const other = await ask(changes);
      expect([other.status, isReplayed(other)]).toEqual([200, null]);
      expect(idOf(other)).not.toBe(idOf(first));
    }
    await system.settled();
  });

  test('50 times at once is one message, and one answer says that it is the first', async () => {
    const sent = await make(system);
    const ask = asker(system, sent, 'no');
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
    expect(answers.filter((answer) => isReplayed(answer) === null)).toHaveLength(1);
    await system.settled();
    await expectOnceEach(system, sent);
  });
});

describe('where the first try got its key and died before it had queued anything', () => {
  const begun: { sent: Sent; ask: Ask }[] = [];

  beforeAll(async () => {
    // No queue takes a job: each add fails in Redis, after the claim.
    const { client } = paused.redis;
    const facts = ['send.0', 'send.1', 'fanout.0', 'fanout.1'].map((name) => `{r.${name}}:${name}:meta`);
    for (const key of facts) await client.multi().rename(key, `${key}:aside`).set(key, 'broken').exec();
    for (const [, make] of KINDS) {
      const sent = await make(paused);
      const ask = asker(paused, sent, 'no');
      const first = await ask();
      if (sent.places.length > 0) expect(first.status).toBe(500);
      begun.push({ sent, ask });
    }
    expect(await unfinishedJobs(paused.redis)).toBe(0);
    for (const key of facts) await client.rename(`${key}:aside`, key);
  });

  test('another request is refused all the same, and the repeat completes it', async () => {
    for (const { sent, ask } of begun) {
      for (const changes of otherRequests(sent)) expect([changes, (await ask(changes)).status]).toEqual([changes, 409]);
    }
    expect(await unfinishedJobs(paused.redis)).toBe(0);
    const firsts: Outcome[] = [];
    for (const { sent, ask } of begun) {
      const first = await ask();
      expect([first.status, isReplayed(first)]).toEqual([200, 'true']);
      await expectGuarded(sent, ask, first);
      firsts.push(first);
    }
    const worker = await startApp('worker', paused.config);
    await paused.settled();
    for (const [i, { sent, ask }] of begun.entries()) {
      const first = firsts[i];
      if (first) await expectGuarded(sent, ask, first);
      await expectOnceEach(paused, sent);
    }
    expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

test('a repeat in another order answers in its own order', async () => {
  const ask = (subscribers: string[]) =>
    system.sendBatch({ from_uid: 'orderly', payload: 'YQ==', client_msg_no: 'no', subscribers });
  const uids = ['b@', fresh('u'), 'a@', 'c#', fresh('v')];
  expect((await ask(uids)).body.fail_uids).toEqual(['b@', 'a@', 'c#']);
  const again = await ask([...uids.toReversed(), 'a@']);
  expect([isReplayed(again), again.body.fail_uids]).toEqual(['true', ['c#', 'a@', 'b@']]);
});

test('what a batch refused takes no more room in Redis than the positions need', async () => {
  const from_uid = fresh('ann');
  const subscribers = Array.from({ length: 100_000 }, (_, i) =>
    i % 3 === 0 ? `user${i}` : `@${'long'.repeat(16)}${i}`,
  );
  const batch = { from_uid, header: UNSTORED, payload: 'YQ==', client_msg_no: 'no', subscribers };
  const { status, body } = await system.sendBatch(batch);
  expect([status, body.accepted, body.fail_uids.length]).toEqual([200, 33_334, 66_666]);
  const bytes = Number(await system.redis.client.memory('USAGE', `r:{b${body.batch_no}}:progress`));
  expect(bytes).toBeLessThan(20_000);
  const again = await system.sendBatch(batch);
  expect(again.body).toEqual(body);
});

test('with Prefer: wait the repeat of a message that is not stored yet waits for it', async () => {
  const late = { ...group(fresh('room')), payload: base64('hi'), client_msg_no: 'no' };
  const first = await paused.send(late);
  const waiting = paused.send(late, { prefer: 'wait=30' });
  const worker = await startApp('worker', paused.config);
  const again = await waiting;
  expect(again.body.data).toEqual({ ...first.body.data, message_seq: 1 });
  expect([again.headers.get('preference-applied'), again.headers.get('idempotent-replayed')]).toEqual([
    'wait=30',
    'true',
  ]);
  await paused.settled();
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});
