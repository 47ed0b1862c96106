import { setImmediate as nextTurn } from 'node:timers/promises';
import { inputTaken } from '@ruyi/flow';
import { expect, test } from 'vitest';

/** How many turns of the event loop end before it resolves, if so many ask in the first turn and in each of those after it. */
async function turnsUntilTaken(first: number, inEach: number): Promise<number> {
  let turns = 0;
  let isTaken = false;
  const promises = Array.from({ length: first }, inputTaken);
  promises[0]?.then(() => {
    isTaken = true;
  });
  for (; !isTaken; turns++) {
    await nextTurn();
    if (!isTaken) for (let i = 0; i < inEach; i++) promises.push(inputTaken());
  }
  expect(new Set(promises).size).toBe(1);
  await nextTurn();
  return turns;
}

test('one request alone waits for the end of its turn only', async () => {
  expect(await turnsUntilTaken(1, 0)).toBe(1);
});

test('if several come in a turn, it waits while each turn brings more, for four turns at most', async () => {
  expect(await turnsUntilTaken(2, 0)).toBe(2);
  expect(await turnsUntilTaken(2, 1)).toBe(4);
});

test('it waits no longer once 64 are there', async () => {
  expect(await turnsUntilTaken(64, 1)).toBe(1);
  expect(await turnsUntilTaken(32, 32)).toBe(2);
});

test('what comes later gathers anew', async () => {
  const before = inputTaken();
  await before;
  const after = inputTaken();
  expect(after).not.toBe(before);
  await after;
});
