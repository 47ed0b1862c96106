import { expect, test } from 'vitest';
import { readLocator, writeLocator } from '../src/documents/locator.ts';

test('a locator that was written is read', () => {
  for (const locator of [
    { ch: '2:room', seq: 7, id: 9_000_000 },
    { ref: 'k3x', start: 1000, from: 'ann' },
  ]) {
    expect(readLocator(writeLocator(locator))).toEqual(locator);
  }
});

test.each(['', 'x', 'null', '7', '[]', '{}', '{"ch":"2:room","seq":"7","id":1}', '{"ref":"k3x","start":0}'])(
  'what is no locator is none: %s',
  (text) => {
    expect(readLocator(text)).toBeUndefined();
  },
);
