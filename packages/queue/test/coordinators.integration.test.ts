import { addCoordinator, openCoordinators } from '@ruyi/queue';
import { waitFor } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { testLanes } from './harness.ts';

const lanes = testLanes();

test("the progress of a coordinator's job is that of its broadcast", async () => {
  const { queues } = lanes;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let percent = 7;
  const coordinators = openCoordinators({
    name: 'worker-1',
    queues,
    store: lanes.store,
    coordinate: async () => {
      await ended;
      return {};
    },
    percentOf: async (no) => (no === 'a1' ? percent : 0),
    log: { warn: () => {} },
  });
  await addCoordinator(queues, { no: 'a1', run: 1 });
  const progress = async () => (await queues.broadcasts.getJob('a1.1'))?.progress;
  await waitFor(async () => (await progress()) === 7, { what: 'the first progress' });
  percent = 42;
  await waitFor(async () => (await progress()) === 42, { what: 'the next progress' });
  end();
  await waitFor(async () => (await queues.broadcasts.getJob('a1.1')) === undefined, { what: 'the job to end' });
  expect(await queues.broadcasts.getFailedCount()).toBe(0);
  await coordinators.close();
});
