import { decodeEntry, encodeEntry, firstIdOf, isExpired, isRef, refOf } from '@ruyi/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const body = fc.record({
  id: fc.maxSafeNat(),
  ts: fc.nat(),
  from: text,
  no: text,
  payload: text,
  red: fc.constantFrom(0, 1),
  set: fc.nat(255),
  exp: fc.nat(),
  topic: text,
  stream: text,
});

test('an entry is read back as it was written', () => {
  fc.assert(
    fc.property(body, fc.option(text, { nil: undefined }), (message, to) => {
      const decoded = decodeEntry(encodeEntry(message, to));
      // An empty recipient is no recipient: no uid is empty.
      expect(decoded).toEqual({ kind: 'inline', body: message, ...(to ? { to } : {}) });
    }),
  );
});

test('what a message does not have takes no room', () => {
  const entry = encodeEntry({ id: 1, ts: 2, from: 'ann', no: 'n', payload: 'eA==', red: 0, topic: '' });
  expect(entry).toBe('[1,2,"ann","n","eA=="]');
});

test('a reference names a body and a position', () => {
  expect(decodeEntry('1z141z3.99')).toEqual({ kind: 'reference', ref: '1z141z3', position: 99 });
});

test('every message id has a ref, and a ref gives the id back', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (id) => {
      expect(firstIdOf(refOf(id))).toBe(id);
      expect(isRef(refOf(id))).toBe(true);
    }),
  );
  expect(['', 'ABC', 'a.b', 'a'.repeat(12), 'a\n'].filter(isRef)).toEqual([]);
});

test.each([
  [0, 0, false],
  [100, 50, true],
  [100, 100, true],
  [100, 101, false],
])('%i seconds old with expire %i: expired is %s', (age, exp, expected) => {
  const message = { id: 1, ts: 1000, from: '', no: '', payload: '', exp };
  expect(isExpired(message, 1000 + age)).toBe(expected);
});
