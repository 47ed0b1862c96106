import {
  addDeadLetter,
  Backlog,
  beginLaneChange,
  DeadLetters,
  LANE_KINDS,
  openDeadLetters,
  openQueues,
  Producer,
  type Queues,
} from '@ruyi/queue';
import { type LanePlan, LanePlans } from '@ruyi/store';
import { waitFor } from '@ruyi/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { closeToAdds } from '../src/bullmqInternals.ts';
import { acceptBatch, LANES, LIMITS, message, names, testLanes } from './harness.ts';

const lanes = testLanes();
const NEXT = 5;
const channels = names(12, '2:room');
let plans: LanePlans;
beforeEach(() => {
  plans = new LanePlans(lanes.client);
});

const present = async (): Promise<LanePlan> => (await plans.read()) ?? expect.fail('there is a plan');
/** As a command does that is killed right behind it. */
const begin = async (to = NEXT) => beginLaneChange(plans, await present(), to);
/** Until the previous lanes are closed and jobs go to the present ones. */
const close = async (to = NEXT) => {
  await begin(to);
  await other((_, queues) => queues.advance());
};
const isSettled = async () => {
  const plan = await present();
  return plan.next === undefined && plan.draining === undefined;
};
const untilSettled = () => waitFor(isSettled, { what: 'the change to end' });

/** Queues and a producer as another process has them, which knows the lanes of when it was started. */
async function other<T>(use: (producer: Producer, queues: Queues) => Promise<T>): Promise<T> {
  const queues = openQueues(lanes.connect(), LANES);
  try {
    return await use(new Producer(queues, LIMITS.shards.count), queues);
  } finally {
    await queues.close();
  }
}

let id = 0;
const sendToAll = async (producer: Producer) => {
  const items = channels.map((ch) => message(++id, { ch }));
  await Promise.all(items.map((item) => producer.send(item)));
};

/** Works everything, and notes what ran in the order in which it began: the lane, and the messages or the job. */
function workAndNote() {
  const ran: { name: string; ids: number[]; jobId: string }[] = [];
  lanes.work((_kind, _lane, name) => async (run, job) => {
    const { items = [] } = job.data as { items?: { id: number; ch: string }[] };
    ran.push({ name, ids: items.map((item) => item.id), jobId: run.jobId });
  });
  return ran;
}

/** A job at hand while this process stands still for longer than its lock runs again, right behind itself. */
const distinct = (ran: { ids: number[] }[]) => new Set(ran.flatMap(({ ids }) => ids));

const generationOf = (name: string) => Number(/\.g(\d+)$/.exec(name)?.[1] ?? 0);

test('jobs of the previous lanes are all worked before one of the present lanes of their kind begins', async () => {
  await sendToAll(lanes.producer);
  await close();
  // This producer meets closed lanes, and adds to their successors.
  await sendToAll(lanes.producer);
  await sendToAll(lanes.producer);
  expect(await present()).toMatchObject({ generation: 1, lanes: NEXT, draining: { lanes: LANES } });
  const ran = workAndNote();
  await waitFor(() => distinct(ran).size === 36, { what: 'all messages' });
  const generations = ran.map(({ name }) => generationOf(name));
  expect(generations).toEqual(generations.toSorted());
  for (const [c] of channels.entries()) {
    const own = ran.flatMap(({ ids }) => ids).filter((one) => one % channels.length === (c + 1) % channels.length);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
  await untilSettled();
  expect(await present()).toEqual({ generation: 1, lanes: NEXT, first: LANES });
});

test('each present lane is limited to one job at a time before it is worked', async () => {
  await close();
  await lanes.queues.advance();
  for (const kind of LANE_KINDS) {
    for (let lane = 0; lane < NEXT; lane++) {
      expect(await lanes.queues.lane(kind, lane, 1).getGlobalConcurrency()).toBe(1);
    }
  }
});

test('while broadcasts of the previous lanes wait, single messages are already worked on the present ones', async () => {
  await lanes.producer.broadcast(await acceptBatch(lanes.store, names(50)));
  await close();
  await sendToAll(lanes.producer);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const ran: string[] = [];
  lanes.work((kind, _lane, name) => async () => {
    ran.push(name);
    if (kind === 'fanout') await held;
  });
  await waitFor(() => ran.some((name) => /^send\.\d+\.g1$/.test(name)), { what: 'a message' });
  expect((await present()).draining?.kinds).toEqual(['fanout']);
  release();
  await untilSettled();
});

describe('a change whose beginner was killed', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['at once', async () => {}],
    ['while it closed the lanes', () => closeToAdds(lanes.client, lanes.queues.lane('send', 1))],
    ['after it closed them', () => other((_, queues) => queues.advance())],
  ])('%s is ended by a worker', async (_, before) => {
    await sendToAll(lanes.producer);
    await begin();
    await before();
    const ran = workAndNote();
    await untilSettled();
    await sendToAll(lanes.producer);
    await waitFor(() => distinct(ran).size === 24, { what: 'all messages' });
  });

  test('keeps no producer waiting: one that meets a closed lane ends the closing itself', async () => {
    await begin();
    for (let lane = 0; lane < LANES; lane++) await closeToAdds(lanes.client, lanes.queues.lane('send', lane));
    await sendToAll(lanes.producer);
    expect(await present()).toMatchObject({ generation: 1 });
  });
});

test('a producer that was frozen meanwhile, for two changes, adds to the present lanes', async () => {
  await other(async (frozen) => {
    for (const to of [NEXT, 3]) {
      await close(to);
      lanes.work();
      await untilSettled();
      await lanes.rest();
    }
    await sendToAll(frozen);
    await frozen.groupCommand({ ref: 'r', ch: '2:room0' });
    const jobs = await Promise.all(
      LANE_KINDS.flatMap((kind) =>
        [0, 1, 2].map((lane) => lanes.queues.lane(kind, lane, 2).getJobs(['wait', 'prioritized'])),
      ),
    );
    const items = jobs.flat().flatMap(({ data }) => data.items ?? []);
    expect([items.length, jobs.flat().some(({ name }) => name === 'group-command')]).toEqual([channels.length, true]);
  });
});

test('of a batch that was half queued a repeat adds the same jobs to the present lanes, and says so if later ones may overtake', async () => {
  const plan = await acceptBatch(lanes.store, names(100));
  const half = { ...plan, jobs: plan.jobs.filter(({ lane }) => lane === 0) };
  expect(await lanes.producer.broadcast(half)).toBe(true);
  await close();
  // Lane 1 of two becomes several of five; so no lane of the present ones is that of all of its logs.
  expect(await lanes.producer.broadcast(plan)).toBe(false);
  const ran = workAndNote();
  await untilSettled();
  await waitFor(() => ran.length >= half.jobs.length + plan.jobs.length, { what: 'all jobs' });
  const ids = plan.jobs.map(({ id: job }) => job).toSorted();
  expect([...new Set(ran.map(({ jobId }) => jobId))].toSorted()).toEqual(ids);
});

test('if every previous lane becomes a part of one present lane, nothing can overtake a repeat', async () => {
  const plan = await acceptBatch(lanes.store, names(100));
  await close(1);
  expect(await lanes.producer.broadcast(plan)).toBe(true);
});

test('a dead letter of a previous lane is put back on a present one', async () => {
  await close();
  lanes.work();
  await untilSettled();
  await lanes.rest();
  const worker = openDeadLetters(lanes.connect());
  const letter = { queue: 'send.1', name: 'send', reason: 'refused', data: { items: [message(1)] } };
  await addDeadLetter(lanes.queues, 'old', letter);
  await waitFor(async () => (await lanes.letters()).length === 1, { what: 'the letter' });
  await new DeadLetters(lanes.queues, LIMITS.shards).retry('dead-old');
  const put = () => lanes.queues.lane('send', 1, 1).getWaitingCount();
  await waitFor(async () => (await put()) === 1, { what: 'the letter on its lane' });
  await worker.close();
});

test('the backlog counts what waits on the lanes of both generations', async () => {
  await sendToAll(lanes.producer);
  await close();
  await sendToAll(lanes.producer);
  const backlog = new Backlog(lanes.client, lanes.queues, (error) => {
    throw error;
  });
  await waitFor(() => backlog.waiting('send') === 24, { what: 'both to be counted' });
  await backlog.close();
});

test('a connection that was lost makes a producer read the plan again', async () => {
  const queues = lanes.queues;
  const lost = new Promise((resolve) => queues.redis.once('close', resolve));
  queues.redis.disconnect(true);
  await lost;
  await lanes.client.hset('r:{meta}', 'lane-plan', JSON.stringify({ generation: 7, lanes: 3 }));
  expect(await queues.present()).toEqual({ generation: 7, lanes: 3 });
});

test('a lane that is closed although no change is known gets a successor', async () => {
  await closeToAdds(lanes.client, lanes.queues.lane('send', 1));
  await sendToAll(lanes.producer);
  expect(await present()).toMatchObject({ generation: 1, lanes: LANES });
});
