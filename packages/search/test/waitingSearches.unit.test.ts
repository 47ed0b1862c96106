import { SearchUnavailableError, WaitingSearches } from '@ruyi/search';
import { expect, test } from 'vitest';

const BOUNDS = { most: 4, mostOfOne: 2, waitMs: 60_000 };

/** Waiting searches, and the users who got a turn, in order. */
function open() {
  const waiting = new WaitingSearches<number>(BOUNDS);
  const given: string[] = [];
  const refused: string[] = [];
  const wait = (user: string) =>
    waiting.wait(user).then(
      () => void given.push(user),
      (error: unknown) => {
        expect(error).toBeInstanceOf(SearchUnavailableError);
        refused.push(user);
      },
    );
  /** Gives as many turns as possible. */
  const giveAll = async () => {
    while (waiting.give(0));
    await Promise.resolve();
    await Promise.resolve();
    return given.splice(0);
  };
  return { waiting, wait, giveAll, refused };
}

test('turns are given in the order of the searches, one at a time per user', async () => {
  const { waiting, wait, giveAll } = open();
  for (const user of ['ann', 'bob', 'ann', 'carl']) void wait(user);
  expect(await giveAll()).toEqual(['ann', 'bob', 'carl']);
  expect(await giveAll()).toEqual([]);
  waiting.finish('ann', 1);
  expect(await giveAll()).toEqual(['ann']);
});

test('searches of nobody in particular do not wait for each other', async () => {
  const { wait, giveAll } = open();
  for (const user of ['', '', '']) void wait(user);
  expect(await giveAll()).toEqual(['', '', '']);
});

test('the user who has recently taken less time comes first', async () => {
  const { waiting, wait, giveAll } = open();
  for (const [user, ms] of [
    ['heavy', 2_000_000],
    ['light', 1000],
  ] as const) {
    void wait(user);
    await giveAll();
    waiting.finish(user, ms);
  }
  for (const user of ['heavy', 'light', 'new']) void wait(user);
  waiting.give(0);
  waiting.give(0);
  expect(await giveAll()).toEqual(['new', 'light', 'heavy']);
});

test('if too many wait, of one user or in all, further searches are refused at once', async () => {
  const { waiting, wait, giveAll, refused } = open();
  for (const user of ['ann', 'ann', 'ann', 'bob', 'carl', 'dan']) void wait(user);
  await Promise.resolve();
  await Promise.resolve();
  expect(refused).toEqual(['ann', 'dan']);
  expect(await giveAll()).toEqual(['ann', 'bob', 'carl']);
  waiting.refuseAll(new SearchUnavailableError('closed'));
  await giveAll();
  expect(refused).toEqual(['ann', 'dan', 'ann']);
});
