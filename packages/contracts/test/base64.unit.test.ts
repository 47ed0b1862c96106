import { canonicalBase64 } from '@ruyi/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => Buffer.from(array));
const digit = fc.constantFrom(...'ABCDabcd0189+/'.split(''));
/** Standard base64: groups of four digits, the last one padded or not. */
const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)$/;

test('any bytes come back as they were, with padding or without', () => {
  fc.assert(
    fc.property(bytes, (data) => {
      const padded = data.toString('base64');
      const expected = { text: padded, bytes: data.length };
      expect(canonicalBase64(padded)).toEqual(expected);
      expect(canonicalBase64(padded.replaceAll('=', ''))).toEqual(expected);
    }),
  );
});

test('exactly the texts of the standard are taken, and all spellings of the same bytes give one', () => {
  const nearly = fc.string({
    unit: fc.oneof({ weight: 9, arbitrary: digit }, fc.constantFrom('=', '-', '_', ' ', '\n')),
  });
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string({ unit: digit, maxLength: 9 }), fc.string({ unit: 'binary' })), (text) => {
      const decoded = Buffer.from(text, 'base64');
      const expected = STANDARD.test(text) ? { text: decoded.toString('base64'), bytes: decoded.length } : undefined;
      expect(canonicalBase64(text)).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
});

test('what comes out is taken again and stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: digit, minLength: 2, maxLength: 9 }), (text) => {
      const once = canonicalBase64(text);
      fc.pre(once !== undefined);
      expect(canonicalBase64(once?.text ?? '')).toEqual(once);
    }),
  );
});

test.each([
  ['nothing', ''],
  ['padding alone', '='],
  ['four of it', '===='],
  ['a single digit', 'A'],
  ['one digit too many', 'AAAAA'],
  ['padding that is too short', 'AA='],
  ['padding that is too long', 'AAA=='],
  ['padding behind a full group', 'AAAA='],
  ['three of it', 'AAAAA==='],
  ['padding in the middle', 'AA==AAAA'],
  ['a minus of the URL-safe alphabet', 'ab-d'],
  ['an underscore of the URL-safe alphabet', 'ab_d'],
  ['a blank', 'AA AA'],
  ['a line break', 'AAAA\nAAAA'],
  ['a line break at the end', 'AAAA\n'],
  ['a blank in front', ' AAAA'],
  ['a letter of another alphabet', 'AAAа'],
  ['a zero byte', 'AAA\0'],
])('%s is refused', (_, text) => {
  expect(canonicalBase64(text)).toBeUndefined();
});

test.each([
  ['QQ', 'QQ==', 1],
  ['QR==', 'QQ==', 1],
  ['Q/', 'Qw==', 1],
  ['QUI', 'QUI=', 2],
  ['QUJ=', 'QUI=', 2],
  ['+/+/', '+/+/', 3],
])('%s is the same as %s', (text, canonical, size) => {
  expect(canonicalBase64(text)).toEqual({ text: canonical, bytes: size });
});

test('a large payload keeps its bytes', () => {
  const data = Buffer.alloc(256 * 1024 + 1, 0xa5);
  expect(canonicalBase64(data.toString('base64'))).toEqual({ text: data.toString('base64'), bytes: data.length });
});
