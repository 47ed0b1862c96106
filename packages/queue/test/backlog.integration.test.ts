import { Backlog, type LaneHandler, type LaneKind, waitingRecipients } from '@ruyi/queue';
import { waitFor } from '@ruyi/testkit';
import { describe, expect, test } from 'vitest';
import { acceptBatch, LANES, message, names, testLanes } from './harness.ts';

const lanes = testLanes();
const FAR = Number.MAX_SAFE_INTEGER;

/** Recipients that wait on all lanes of a kind. */
async function waiting(kind: LaneKind): Promise<number> {
  const counts = await Promise.all(
    Array.from({ length: LANES }, (_, lane) => waitingRecipients(lanes.client, lanes.queues.lane(kind, lane))),
  );
  return counts.reduce((sum, n) => sum + n, 0);
}

/** Whether so many may be queued; they then never are. */
function fits(backlog: Backlog, kind: LaneKind, recipients: number, most: number): boolean {
  const isAdmitted = backlog.admit(kind, recipients, most);
  if (isAdmitted) backlog.settle(kind, recipients);
  return isAdmitted;
}

/** Whether the backlog holds exactly this much: nothing more fits under such a bound, and what waits does. */
const holds = (backlog: Backlog, kind: LaneKind, held: number) =>
  !fits(backlog, kind, 1, held) && fits(backlog, kind, 0, held);

const measured = (backlog: Backlog, kind: LaneKind, held: number) =>
  waitFor(() => holds(backlog, kind, held), { what: `${held} recipients on ${kind} lanes to be measured` });

describe('recipients that wait', () => {
  test('are counted exactly where jobs are alike, and are none once all is done', async () => {
    await lanes.queues
      .lane('send', 0)
      .addBulk(Array.from({ length: 500 }, (_, n) => ({ name: 'any', data: {}, opts: { jobId: `x.${n}.7` } })));
    expect(await waiting('send')).toBe(3500);
    expect(await waiting('fanout')).toBe(0);
    lanes.work(() => async () => {});
    await lanes.settled();
    expect(await waiting('send')).toBe(0);
  });

  test('are those of the batches and of the messages, each on the lanes of its kind', async () => {
    const plan = await acceptBatch(lanes.store, names(10_000));
    await lanes.producer.broadcast(plan);
    await Promise.all(Array.from({ length: 150 }, (_, i) => lanes.producer.send(message(i + 1, { ch: `2:room${i}` }))));
    expect(await waiting('fanout')).toBe(10_000);
    expect(await waiting('send')).toBe(150);
    lanes.work();
    await lanes.settled();
    expect([await waiting('fanout'), await waiting('send')]).toEqual([0, 0]);
  });

  test('are estimated from the oldest and the newest jobs where there are many kinds', async () => {
    const jobs = Array.from({ length: 1000 }, (_, n) => ({
      name: 'any',
      data: {},
      opts: { jobId: `x.${n}.${n % 10}` },
    }));
    await lanes.queues.lane('send', 1).addBulk(jobs);
    expect(await waiting('send')).toBe(4500);
  });
});

describe('what may still be queued', () => {
  async function withBacklog(use: (backlog: Backlog) => Promise<void>): Promise<void> {
    const backlog = new Backlog(lanes.connect(), lanes.queues, (error) => {
      throw error;
    });
    try {
      await use(backlog);
    } finally {
      await backlog.close();
    }
  }

  test('is the bound less what waits; a full fan-out refuses no single send, and the other way round', async () => {
    await lanes.producer.broadcast(await acceptBatch(lanes.store, names(3000)));
    await Promise.all(Array.from({ length: 40 }, (_, i) => lanes.producer.send(message(i + 1))));
    await withBacklog(async (backlog) => {
      await measured(backlog, 'fanout', 3000);
      await measured(backlog, 'send', 40);
      expect(backlog.admit('fanout', 1, 3000)).toBe(false);
      expect(fits(backlog, 'send', 1, 3000)).toBe(true);
      await measured(backlog, 'send', 40);
      expect(backlog.admit('send', 1, 40)).toBe(false);
      expect(backlog.admit('fanout', 1, 3001)).toBe(true);
    });
  });

  test('falls at once with what is admitted, before it is measured, and not with what is refused', async () => {
    await withBacklog(async (backlog) => {
      await measured(backlog, 'send', 0);
      // In one turn of the event loop: no measurement comes in between.
      const answers = [60, 41, 40, 1, 0].map((n) => backlog.admit('send', n, 100));
      expect(answers).toEqual([true, false, true, false, true]);
      expect(backlog.admit('fanout', 100, 100)).toBe(true);
    });
  });

  test('is all of the bound again when all is stored', async () => {
    await withBacklog(async (backlog) => {
      const plan = await acceptBatch(lanes.store, names(2500));
      expect(backlog.admit('fanout', 2500, 2500)).toBe(true);
      await lanes.producer.broadcast(plan);
      backlog.settle('fanout', 2500);
      await measured(backlog, 'fanout', 2500);
      expect(backlog.admit('fanout', 1, 2500)).toBe(false);
      lanes.work();
      await lanes.settled();
      await measured(backlog, 'fanout', 0);
      expect(backlog.admit('fanout', 2500, 2500)).toBe(true);
    });
  });

  test('is given back where what was admitted was never queued', async () => {
    await withBacklog(async (backlog) => {
      await measured(backlog, 'send', 0);
      expect(backlog.admit('send', 100, 100)).toBe(true);
      backlog.settle('send', 100);
      await measured(backlog, 'send', 0);
    });
  });

  test('does not come back while what was admitted is on its way, however often is measured', async () => {
    await withBacklog(async (backlog) => {
      await measured(backlog, 'send', 0);
      expect(backlog.admit('send', 100, 100)).toBe(true);
      // A measurement that sees this broadcast has looked at the send lanes before.
      for (const recipients of [300, 600]) {
        await lanes.producer.broadcast(await acceptBatch(lanes.store, names(300)));
        await measured(backlog, 'fanout', recipients);
        expect(holds(backlog, 'send', 100)).toBe(true);
      }
    });
  });

  test('is not forgotten while Redis does not answer', async () => {
    const handler = (): LaneHandler => async () => {};
    await lanes.producer.broadcast(await acceptBatch(lanes.store, names(500)));
    await withBacklog(async (backlog) => {
      await measured(backlog, 'fanout', 500);
      await lanes.redis.kill('SIGSTOP');
      expect(backlog.admit('fanout', 1, 500)).toBe(false);
      expect(backlog.admit('fanout', 10, 510)).toBe(true);
      backlog.settle('fanout', 10);
      expect(backlog.admit('fanout', 1, 510)).toBe(false);
      await lanes.redis.kill('SIGCONT');
      lanes.work(handler);
      await lanes.settled();
      await measured(backlog, 'fanout', 0);
      expect(backlog.admit('fanout', FAR, FAR)).toBe(true);
    });
  });
});
