import { Gate } from '@ruyi/flow';
import { expect, test } from 'vitest';

/** Calls that end when they are told to; `inside` are those that have begun and not ended. */
function calls(gate: Gate) {
  const inside: string[] = [];
  const ends = new Map<string, () => void>();
  const call = (name: string, weight?: number) =>
    gate.run(async () => {
      inside.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      inside.splice(inside.indexOf(name), 1);
    }, weight);
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const end = async (name: string) => {
    ends.get(name)?.();
    await turn();
  };
  return { inside, call, end, turn };
}

test('as much goes at once as the gate bears, in the order in which it came', async () => {
  const { inside, call, end, turn } = calls(new Gate(10));
  const all = [call('a', 6), call('b', 4), call('c', 7), call('d', 1), call('e', 3)];
  await turn();
  expect(inside).toEqual(['a', 'b']);
  // c needs more than b frees; d would fit and must not overtake it.
  await end('b');
  expect(inside).toEqual(['a']);
  await end('a');
  expect(inside).toEqual(['c', 'd']);
  await end('c');
  expect(inside).toEqual(['d', 'e']);
  await end('d');
  await end('e');
  await Promise.all(all);
});

test('what is heavier than the gate bears goes alone', async () => {
  const { inside, call, end, turn } = calls(new Gate(2));
  const all = [call('light'), call('heavy', 5), call('last')];
  await turn();
  expect(inside).toEqual(['light']);
  await end('light');
  expect(inside).toEqual(['heavy']);
  await end('heavy');
  expect(inside).toEqual(['last']);
  await end('last');
  await Promise.all(all);
});

test('a call that fails makes room for the next', async () => {
  const gate = new Gate(1);
  const failing = gate.run(async () => {
    throw new Error('refused');
  });
  const next = gate.run(async () => 'served');
  await expect(failing).rejects.toThrow('refused');
  expect(await next).toBe('served');
});
