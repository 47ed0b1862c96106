import { SLOTS, slotOf } from '@ruyi/redis';
import { decimalShards, evenShards, keys } from '@ruyi/store';
import { describe, expect, test } from 'vitest';

/** The master of a slot, as `redis-cli --cluster create` cuts them: one stretch each. */
const masterOf = (slot: number, masters: number): number => {
  const share = SLOTS / masters;
  let master = 0;
  while (master < masters - 1 && slot > Math.round(master * share + share - 1)) master++;
  return master;
};

/** What the busiest master has, as a multiple of the mean. */
function busiest(slots: number[], masters: number): number {
  const counts = new Array<number>(masters).fill(0);
  for (const slot of slots) counts[masterOf(slot, masters)] = (counts[masterOf(slot, masters)] ?? 0) + 1;
  return Math.max(...counts) / (slots.length / masters);
}

describe.each([3, 6, 12, 16])('on %i masters', (masters) => {
  test.each([64, 128, 256])('none has more than 1.15 times the mean of %i shards', (count) => {
    expect(busiest(evenShards(count).tags.map(slotOf), masters)).toBeLessThanOrEqual(1.15);
  });

  test('none has more than 1.15 times the mean of the bodies of 10,000 broadcasts', () => {
    const first = 2048 * Date.UTC(2026, 0, 1);
    const slots = Array.from({ length: 10_000 }, (_, i) => slotOf(keys.body((first + 1000 * i).toString(36))));
    expect(busiest(slots, masters)).toBeLessThanOrEqual(1.15);
  });
});

// Fixed for ever: every stored key depends on them.
test('the tags of 8 and of 64 shards are what they were', () => {
  expect(evenShards(8).tags.join(' ')).toBe('3 b 2 c 1 d 0 a');
  expect(evenShards(64).tags.join(' ')).toBe(
    '10 18 6h 03 29 21 3 4s 0j 0b 1a 0s b j s 2d 11 19 6i 02 28 20 2 4r 0k 0c 0z 0r c k r z 12 6s 09 01 4h 23 1 9 0h 0d 0y 0q d h q y 13 6r 08 00 4i 22 0 8 0i 0a 0x 0p a i p x',
  );
  expect(decimalShards(3).tags).toEqual(['0', '1', '2']);
});

test.each([1, 7, 64, 1000, 1024])('%i shards have as many tags', (count) => {
  expect(new Set(evenShards(count).tags).size).toBe(count);
  expect(evenShards(count).tags).not.toContain('');
});
