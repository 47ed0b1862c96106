import { together } from '@ruyi/flow';
import { expect, test } from 'vitest';

test('an error of one of several pieces of work is thrown when the others have ended', async () => {
  const events: string[] = [];
  const failing = async () => {
    throw new Error('the first');
  };
  let end = () => {};
  const slow = async () => {
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    events.push('the slow one ended');
  };
  const both = together(failing(), slow()).catch((error: Error) => events.push(error.message));
  await new Promise<void>((resolve) => setImmediate(resolve));
  expect(events).toEqual([]);
  end();
  await both;
  expect(events).toEqual(['the slow one ended', 'the first']);
});
