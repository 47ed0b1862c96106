import { Batcher } from '@ruyi/flow';
import { expect, test } from 'vitest';

/** A batcher whose calls end when the test says so. */
function held(most: { items: number; size: number }) {
  const calls: { items: number[]; end(): void; fail(error: Error): void }[] = [];
  let arrived: () => void = () => {};
  let arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const batcher = new Batcher<number, number>(
    most,
    (items) =>
      new Promise((resolve, reject) => {
        calls.push({ items, end: () => resolve(calls.length), fail: reject });
        arrived();
        arrival = new Promise<void>((next) => {
          arrived = next;
        });
      }),
  );
  const call = async (n: number) => {
    while (calls.length <= n) await arrival;
    return calls[n] ?? expect.fail('no such call');
  };
  return { batcher, calls, call };
}

test('what arrives while a call is in flight goes with the next one, in order', async () => {
  const { batcher, calls, call } = held({ items: 100, size: 1000 });
  const results = [batcher.add(1, 1)];
  const first = await call(0);
  results.push(batcher.add(2, 1), batcher.add(3, 1), batcher.add(4, 1));
  first.end();
  (await call(1)).end();
  expect(await Promise.all(results)).toEqual([1, 2, 2, 2]);
  expect(calls.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
});

test('what arrives in one turn goes together', async () => {
  const { batcher, call } = held({ items: 100, size: 1000 });
  const all = Promise.all([batcher.add(1, 1), batcher.add(2, 1)]);
  const first = await call(0);
  expect(first.items).toEqual([1, 2]);
  first.end();
  await all;
});

test('a call is bounded in items and in size, and an item above the bound goes alone', async () => {
  const sent: number[][] = [];
  const batcher = new Batcher<number, void>({ items: 3, size: 10 }, async (items) => {
    sent.push(items);
  });
  await Promise.all([1, 1, 1, 1, 4, 4, 4, 99, 1, 10].map((size) => batcher.add(size, size)));
  expect(sent).toEqual([[1, 1, 1], [1, 4, 4], [4], [99], [1], [10]]);
});

test('an error rejects the items of its call and no others', async () => {
  const { batcher, call } = held({ items: 2, size: 1000 });
  const results = Promise.allSettled([batcher.add(1, 1), batcher.add(2, 1), batcher.add(3, 1)]);
  (await call(0)).fail(new Error('refused'));
  (await call(1)).end();
  expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});

test('a caller who adds again as soon as its call has ended is served', async () => {
  const sent: number[][] = [];
  const batcher = new Batcher<number, void>({ items: 100, size: 1000 }, async (items) => {
    sent.push(items);
    if (items.includes(2)) throw new Error('refused');
  });
  await batcher.add(1, 1);
  await batcher.add(2, 1).catch(() => batcher.add(3, 1));
  await batcher.add(4, 1);
  expect(sent).toEqual([[1], [2], [3], [4]]);
});

test('drained resolves when everything added so far was sent', async () => {
  const { batcher, calls, call } = held({ items: 1, size: 1000 });
  await batcher.drained();
  const added = Promise.all([batcher.add(1, 1), batcher.add(2, 1)]);
  let drained = false;
  const end = batcher.drained().then(() => {
    drained = true;
  });
  (await call(0)).end();
  const second = await call(1);
  expect(drained).toBe(false);
  second.end();
  await Promise.all([end, added]);
  expect(calls).toHaveLength(2);
});
