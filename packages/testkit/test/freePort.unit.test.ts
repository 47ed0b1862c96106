import { spawnSync } from 'node:child_process';
import { freePort } from '@ruyi/testkit';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Lets freePort look at one port after the other, from the same one on. */
function inTurn(): void {
  let next = 0.5;
  vi.spyOn(Math, 'random').mockImplementation(() => {
    next += 1 / 10_000;
    return next % 1;
  });
}

test('a port that a test has is given to nobody else while its process lives, although nothing listens there', async () => {
  inTurn();
  const first = await freePort();
  inTurn();
  const second = await freePort();
  expect(second).toBeGreaterThan(first);

  const hold = `require('dgram').createSocket('udp4').on('error', ({ code }) => console.log(code)).bind(${first}, '127.0.0.1')`;
  const another = spawnSync(process.execPath, ['-e', hold], { encoding: 'utf8', timeout: 60_000 });
  expect(another.stdout).toBe('EADDRINUSE\n');
});
