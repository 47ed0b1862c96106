import { hasForeignOrigin, isLoopbackHost, reasonToForbid } from '@ruyi/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const LOOPBACK = [
  '127.0.0.1',
  '127.0.0.1:5001',
  '127.0.0.1:1',
  '127.255.255.254:5001',
  '127.0.0.1.:5001',
  'localhost',
  'localhost:5001',
  'LocalHost:5001',
  'localhost.',
  'LOCALHOST.:80',
  '[::1]',
  '[::1]:5001',
  '[0:0:0:0:0:0:0:1]:5001',
  '[::ffff:127.0.0.1]:5001',
  '[::FFFF:127.9.9.9]',
  '[::ffff:7f00:1]',
];
const FOREIGN = [
  '',
  ' ',
  'evil.example',
  'evil.example:5001',
  '127.0.0.1.evil.example',
  'localhost.evil.example:5001',
  'evil-localhost',
  'localhost..',
  'notlocalhost',
  '128.0.0.1',
  '126.255.255.255:5001',
  '0.0.0.0:5001',
  '10.0.0.1',
  '192.168.0.1:5001',
  '127.0.0.256',
  '[::]',
  '[::2]:5001',
  '[::ffff:128.0.0.1]',
  '[::ffff:10.0.0.1]:5001',
  '[::127.0.0.1]',
  '::1',
  '[::1',
  '[::1]evil.example',
  'evil.example@127.0.0.1',
  '127.0.0.1@evil.example',
  '127.0.0.1/evil',
  '127.0.0.1#evil',
  '127.0.0.1, evil.example',
  'evil.example 127.0.0.1',
  '127.0.0.1:5001:5001',
  '127.0.0.1:x',
  'http://127.0.0.1',
];

test.each(LOOPBACK)('%j is a loopback host', (host) => expect(isLoopbackHost(host)).toBe(true));
test.each(FOREIGN)('%j is not', (host) => expect(isLoopbackHost(host)).toBe(false));

test('no name of a domain is a loopback host, whatever it is made of', () => {
  const part = fc.constantFrom('127', '0', '1', 'localhost', 'a', '::1', '[::1]', '7f', 'x');
  const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
  fc.assert(
    fc.property(name, (host) => {
      expect(isLoopbackHost(`${host}.example:5001`)).toBe(false);
    }),
  );
});

describe('a foreign origin', () => {
  test.each([
    ['none', undefined, '127.0.0.1:5001', false],
    ['the own one', 'http://127.0.0.1:5001', '127.0.0.1:5001', false],
    ['the own one, with another case in Host', 'http://localhost:5001', 'LocalHost:5001', false],
    ['the own one on port 80', 'http://localhost', 'localhost', false],
    ['the own one on port 80, which is named', 'http://localhost', 'localhost:80', false],
    ['the own one over IPv6', 'http://[::1]:5001', '[::1]:5001', false],
    ['another port', 'http://127.0.0.1:3000', '127.0.0.1:5001', true],
    ['another name of the same machine', 'http://localhost:5001', '127.0.0.1:5001', true],
    ['another scheme', 'https://127.0.0.1:5001', '127.0.0.1:5001', true],
    ['null', 'null', '127.0.0.1:5001', true],
    ['nothing', '', '127.0.0.1:5001', true],
    ['two of them', 'http://127.0.0.1:5001, http://evil.example', '127.0.0.1:5001', true],
    ['another site', 'http://evil.example', '127.0.0.1:5001', true],
    ['the own one without a Host', 'http://127.0.0.1:5001', undefined, true],
    ['undefined, as it were', 'undefined', undefined, true],
  ])('%s', (_, origin, host, foreign) => {
    expect(hasForeignOrigin({ headers: { origin, host } })).toBe(foreign);
  });

  test('behind a proxy that ends TLS the own one is https', () => {
    const headers = { host: 'board.example', 'x-forwarded-proto': 'https' };
    expect(hasForeignOrigin({ headers: { ...headers, origin: 'https://board.example' } })).toBe(false);
    expect(hasForeignOrigin({ headers: { ...headers, origin: 'http://board.example' } })).toBe(true);
    expect(hasForeignOrigin({ headers: { ...headers, origin: 'https://other.example' } })).toBe(true);
  });
});

test('what is forbidden is said with what to do about it', () => {
  const headers = { host: 'evil.example' };
  expect(reasonToForbid({ method: 'POST', headers }, 'set API_TOKEN')).toMatch(/loopback.* set API_TOKEN$/);
  const page = { host: '127.0.0.1:5001', origin: 'http://evil.example' };
  expect(reasonToForbid({ method: 'POST', headers: page }, 'set API_TOKEN')).toMatch(/web page.* set API_TOKEN$/);
  expect(reasonToForbid({ method: 'POST', headers: { host: 'localhost' } }, 'set API_TOKEN')).toBeUndefined();
});
