import { atOnce } from '@ruyi/flow';
import { type Random, seededRandom } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { withoutRepeats } from '../src/broadcasts/withoutRepeats.ts';

const packedOf = (uids: Iterable<string>) => Buffer.from([...uids].map((uid) => `${uid}\n`).join(''));

/** Uids that are often equal, often begin alike, and have one to four bytes a character. */
function randomUids(random: Random, count: number, kinds: number): string[] {
  const letters = ['a', 'b', 'é', '你', '😀'];
  const kindOf = (number: number) => number.toString(letters.length).replace(/\d/g, (digit) => letters[+digit] ?? '');
  return Array.from({ length: count }, () => kindOf(random.whole(0, kinds)));
}

// With few probes nearly all lines find no place in the table.
test.each([64, 2, 1, 0])('each uid is left once, in order, with %i probes', (probes) => {
  const random = seededRandom();
  for (let round = 0; round < 200; round++) {
    const uids = randomUids(random, random.whole(0, 400), random.whole(0, 600));
    const list = packedOf(uids);
    const once = new Set(uids);
    const { packed, count, repeats } = atOnce(withoutRepeats(list, probes));
    expect([packed.toString(), count, repeats]).toEqual([
      packedOf(once).toString(),
      once.size,
      uids.length - once.size,
    ]);
  }
});

test('a list without repeats is not copied', () => {
  const list = packedOf(['a', 'b', 'ab']);
  expect(atOnce(withoutRepeats(list)).packed).toBe(list);
  expect(atOnce(withoutRepeats(Buffer.alloc(0)))).toMatchObject({ count: 0, repeats: 0 });
});
