import { parseRedisAddress } from '@ruyi/config';
import { unixUrl } from '@ruyi/redis';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('every path comes back from its address', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }).filter((text) => !/[/\p{Cc}]/u.test(text));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
      const path = `/${names.join('/')}`;
      fc.pre(Buffer.byteLength(path) <= 107);
      expect(parseRedisAddress(unixUrl(path))).toEqual({ kind: 'unix', path, db: 0 });
    }),
    { seed: 12 },
  );
});
