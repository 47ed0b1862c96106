import { parseRedisAddress, shownAddress } from '@ruyi/config';
import { expect, test } from 'vitest';

const nodes = [
  { host: 'a', port: 1 },
  { host: 'b', port: 6379 },
];
const sentinels = [
  { host: 'a', port: 26_379 },
  { host: '::1', port: 5 },
];

test.each([
  ['redis://host', { kind: 'tcp', tls: false, host: 'host', port: 6379, db: 0 }],
  ['redis://host:1/2', { kind: 'tcp', tls: false, host: 'host', port: 1, db: 2 }],
  ['redis://[::1]:1/', { kind: 'tcp', tls: false, host: '::1', port: 1, db: 0 }],
  [
    'rediss://ann:w%2Cd@host',
    { kind: 'tcp', tls: true, host: 'host', port: 6379, db: 0, username: 'ann', password: 'w,d' },
  ],
  ['redis://:hu@sh:%2F@host', { kind: 'tcp', tls: false, host: 'host', port: 6379, db: 0, password: 'hu@sh:/' }],
  ['redis+unix:///run/redis.sock', { kind: 'unix', path: '/run/redis.sock', db: 0 }],
  ['redis+unix:///run/redis.sock#3', { kind: 'unix', path: '/run/redis.sock', db: 3 }],
  ['redis+unix://:p%40ss%2F@/a%20b', { kind: 'unix', path: '/a b', db: 0, password: 'p@ss/' }],
  ['redis+unix://ann:w%3Ard@/r%23%3F#0', { kind: 'unix', path: '/r#?', db: 0, username: 'ann', password: 'w:rd' }],
  ['redis+unix:///a@b:c/s', { kind: 'unix', path: '/a@b:c/s', db: 0 }],
  ['redis+sentinel://a,[::1]:5/main', { kind: 'sentinel', sentinels, name: 'main', db: 0 }],
  ['redis+sentinel://:word@a,[::1]:5/main/7', { kind: 'sentinel', sentinels, name: 'main', db: 7, password: 'word' }],
  ['redis+cluster://a:1,b', { kind: 'cluster', tls: false, nodes }],
  ['rediss+cluster://ann:word@a:1,b', { kind: 'cluster', tls: true, nodes, username: 'ann', password: 'word' }],
  [
    'redis://ann:word@a:1,redis://bob:other@b',
    { kind: 'cluster', tls: false, nodes, username: 'ann', password: 'word' },
  ],
])('%s is read as %j', (url, address) => {
  expect(parseRedisAddress(url)).toEqual(address);
});

test.each([
  ['redis://ann:hush@host', 'redis://host:6379'],
  ['rediss://:hu@sh@[::1]:1/2', 'rediss://[::1]:1/2'],
  ['redis+unix://ann:hush@/run/a@b/s#1', 'redis+unix:///run/a@b/s#1'],
  ['redis+sentinel://ann:hush@a:1,b/main/2', 'redis+sentinel://a:1,b:26379/main/2'],
  ['rediss+cluster://ann:hush@a:1,b', 'rediss+cluster://a:1,b:6379'],
  ['redis://ann:hush@a,redis://ann:hush@b', 'redis+cluster://a:6379,b:6379'],
])('%s is shown as %s, without user and password', (url, shown) => {
  expect(shownAddress(parseRedisAddress(url))).toBe(shown);
});
