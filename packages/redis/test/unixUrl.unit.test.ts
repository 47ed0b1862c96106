import { parseUnixUrl, unixUrl } from '@ruyi/redis';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test.each([
  ['redis+unix:///run/redis.sock', { path: '/run/redis.sock' }],
  ['redis+unix:///run/redis.sock#3', { path: '/run/redis.sock', db: 3 }],
  ['redis+unix://:p%40ss%2F@/a%20b', { path: '/a b', password: 'p@ss/' }],
  ['redis+unix://ann:w%3Ard@/r%23%3F#0', { path: '/r#?', username: 'ann', password: 'w:rd', db: 0 }],
  ['redis+unix:///a@b:c/s', { path: '/a@b:c/s' }],
  ['redis://host:1/2', undefined],
  ['rediss://ann:word@host', undefined],
])('%s is read as %j', (url, address) => {
  expect(parseUnixUrl(url)).toEqual(address);
});

test('every path comes back from its address', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('/'));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1 }), (names) => {
      const path = `/${names.join('/')}`;
      expect(parseUnixUrl(unixUrl(path))).toEqual({ path });
    }),
    { seed: 12 },
  );
});
