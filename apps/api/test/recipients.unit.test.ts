import type { MessageHeader } from '@ruyi/contracts';
import { atOnce, SLICE } from '@ruyi/flow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { positionsOf, type Recipients, refusedBefore, sortInSlices } from '../src/ingress/recipients.ts';
import { batchDigest, messageDigest, type RepeatedFields } from '../src/ingress/requestDigest.ts';

const SEED = 20_260_602;
/** Any strings, lone surrogates and control characters included. */
const strings = fc.uniqueArray(
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('\ud800', '\ud801', '', 'a\nb', 'a', 'b', '","'),
  ),
  { maxLength: 40 },
);
const header: MessageHeader = { no_persist: 0, red_dot: 0, sync_once: 0 };
const message: RepeatedFields = { header, setting: 0, topic: '', expire: 0, stream_no: '', payload: 'YQ==' };
const digestOf = (uids: string[]) => atOnce(batchDigest(message, atOnce(sortInSlices(uids))));

test('strings are sorted in slices as they are at once', () => {
  fc.assert(
    fc.property(strings, (uids) => {
      expect(atOnce(sortInSlices(uids))).toEqual([...uids].sort());
    }),
    { seed: SEED, numRuns: 300 },
  );
  for (const count of [SLICE - 1, SLICE, SLICE + 1, 5 * SLICE + 7]) {
    const many = Array.from({ length: count }, (_, i) => `u${Math.imul(i, 0x9e3779b1) >>> 0}`);
    expect(atOnce(sortInSlices(many))).toEqual([...many].sort());
  }
});

test('a long list never computes for more than one slice at a stretch', () => {
  const long = Array.from({ length: 40_000 }, (_, i) => `${'x'.repeat(240)}${Math.imul(i, 0x9e3779b1) >>> 0}`);
  let sorted: string[] = [];
  let steps = 0;
  for (const work = sortInSlices(long); ; steps++) {
    const step = work.next();
    if (step.done) {
      sorted = step.value;
      break;
    }
  }
  // Sorted once in slices, and merged in as many rounds as it takes to make one of them: each is a pause a slice.
  expect(steps).toBeGreaterThan((long.length / SLICE) * Math.log2(long.length / SLICE));
  expect(sorted).toEqual([...long].sort());
});

test('the digest of a batch is that of its recipients, whatever their order, and of no others', () => {
  fc.assert(
    fc.property(strings, strings, fc.infiniteStream(fc.nat()), (one, other, random) => {
      const shuffled = one
        .map((uid) => ({ uid, at: random.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ uid }) => uid);
      expect(digestOf(shuffled)).toBe(digestOf(one));
      const isSame = JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
      expect(digestOf(other) === digestOf(one)).toBe(isSame);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test('the digest of a message covers each field that a repeat must say again', () => {
  const others: RepeatedFields[] = [
    ...(['no_persist', 'red_dot', 'sync_once'] as const).map((flag) => ({
      ...message,
      header: { ...header, [flag]: 1 },
    })),
    { ...message, setting: 1 },
    { ...message, topic: 'a' },
    { ...message, stream_no: 'a' },
    { ...message, expire: 1 },
    { ...message, payload: 'Yg==' },
  ];
  const digests = [message, ...others].map(messageDigest);
  expect(new Set(digests).size).toBe(digests.length);
  expect(new Set([message, ...others].map((each) => atOnce(batchDigest(each, ['a'])))).size).toBe(digests.length);
  for (const digest of digests) expect(digest).toMatch(/^[\w-]{22}$/);
  const { stream_no: _, ...without } = message;
  expect(messageDigest(without)).toBe(messageDigest(message));
});

test('who was refused comes back from the positions, in the order of the repeat', () => {
  fc.assert(
    fc.property(strings, fc.infiniteStream(fc.nat({ max: 2 })), (uids, random) => {
      const refused: Recipients['refused'] = new Map();
      for (const uid of uids) {
        const kind = random.next().value;
        if (kind !== 0) refused.set(uid, kind === 1 ? 'invalid' : 'unknown');
      }
      const sorted = atOnce(sortInSlices(uids));
      const kept = atOnce(positionsOf(sorted, refused));
      const repeat = uids.toReversed();
      const found = atOnce(refusedBefore(new Set(repeat), sorted, kept));
      expect([...found]).toEqual([...refused].toReversed());
    }),
    { seed: SEED, numRuns: 300 },
  );
});
