import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { whenGone, whenReady } from '@ruyi/process';
import { afterEach, expect, test } from 'vitest';

const CHILD = fileURLToPath(new URL('./fixtures/child.mjs', import.meta.url));
const LONG_MS = 30_000;

const started: ReturnType<typeof fork>[] = [];
/** Starts a child that performs these steps. */
function child(steps: object[], options = {}) {
  const args = steps.map((step) => JSON.stringify(step));
  const one = fork(CHILD, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], ...options });
  started.push(one);
  return one;
}
afterEach(async () => {
  for (const one of started.splice(0)) {
    if (one.pid === undefined || one.exitCode !== null || one.signalCode !== null) continue;
    one.kill('SIGKILL');
    await once(one, 'exit');
  }
});

test('a child that is ready: its details', async () => {
  const one = child([{ ready: true, address: 'here' }]);
  expect(await whenReady(one, LONG_MS)).toEqual({ outcome: 'ready', details: { ready: true, address: 'here' } });
});

test('other messages are not taken for a report', async () => {
  const one = child([{ progress: 1 }, { taken: 'ready' }, { ready: false, message: 'no' }]);
  expect(await whenReady(one, LONG_MS)).toEqual({ outcome: 'refused', message: 'no' });
});

test('a child that cannot start: its reason, not its exit', async () => {
  const one = child([{ ready: false, message: 'PORT=1: no' }, { exit: 1 }]);
  expect(await whenReady(one, LONG_MS)).toEqual({ outcome: 'refused', message: 'PORT=1: no' });
  expect(await whenGone(child([{ exit: 1 }]))).toBe('exit code 1');
});

test.each([
  ['exits', { exit: 3 }, 'exit code 3'],
  ['is killed', { kill: 'SIGKILL' }, 'SIGKILL'],
])('a child that %s before it is ready: how', async (_, step, reason) => {
  expect(await whenReady(child([step]), LONG_MS)).toEqual({ outcome: 'ended', reason });
});

test('a child that cannot be launched: ended, with the message of the system', async () => {
  const start = await whenReady(child([], { execPath: '/no/such/node' }), LONG_MS);
  expect(start).toMatchObject({ outcome: 'ended', reason: expect.stringContaining('ENOENT') });
});

test('a child that reports nothing before the deadline is late, and is killed', async () => {
  const one = child([]);
  const gone = whenGone(one);
  expect(await whenReady(one, 50)).toEqual({ outcome: 'late' });
  expect(await gone).toBe('SIGKILL');
});
