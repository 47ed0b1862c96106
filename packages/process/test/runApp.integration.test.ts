import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expectNoLeaks, startProcess, type TestProcess, waitFor } from '@ruyi/testkit';
import { afterAll, describe, expect, test } from 'vitest';

const APP = fileURLToPath(new URL('./fixtures/app.mjs', import.meta.url));
const [WARN, ERROR, FATAL] = [40, 50, 60];

afterAll(expectNoLeaks);

const start = (...args: string[]) => startProcess(APP, {}, { args });
const startInVain = (...args: string[]) => startProcess(APP, {}, { args, waitForReady: false });

/** The lines of its log. The last ones before its exit may be in another order, because pino writes in a thread. */
const logOf = ({ stdout }: TestProcess): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const lineOf = (app: TestProcess, msg: string) => logOf(app).filter((line) => line.msg === msg);
const CLOSED_IN_ORDER = 'closed second\nclosed first\n';

test('reports to its parent and its log that it is ready, and where it serves', async () => {
  const app = await start();
  expect(app.details).toEqual({ ready: true, address: 'here' });
  await waitFor(() => app.stdout.includes('"ready"'), { what: 'the line of its log' });
  expect(logOf(app)).toMatchObject([{ msg: 'ready', name: 'app', address: 'here' }]);
  await app.kill();
});

describe('a signal', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s closes what was opened, the last first, and ends with 0',
    async (signal) => {
      const app = await start();
      expect(await app.kill(signal)).toEqual({ code: 0, signal: null });
      expect(app.stderr).toBe(CLOSED_IN_ORDER);
      expect(lineOf(app, 'stopping')).toMatchObject([{ reason: signal }]);
      expect(lineOf(app, 'stopped')).toHaveLength(1);
    },
  );

  test('a second one changes nothing', async () => {
    const app = await start('waits');
    app.child.kill('SIGTERM');
    await waitFor(() => app.stdout.includes('stopping'), { what: 'it to stop' });
    app.child.kill('SIGTERM');
    app.child.kill('SIGINT');
    app.child.send('go on');
    expect(await app.exit).toEqual({ code: 0, signal: null });
    expect(app.stderr).toBe(CLOSED_IN_ORDER);
    expect(lineOf(app, 'stopping')).toMatchObject([{ reason: 'SIGTERM' }]);
    expect(lineOf(app, 'stopped')).toHaveLength(1);
  });

  test('a resource that cannot be closed is logged, the rest is closed, and it exits with 0', async () => {
    const app = await start('throws');
    expect(await app.kill()).toEqual({ code: 0, signal: null });
    expect(app.stderr).toBe('closed first\n');
    expect(lineOf(app, 'close failed')).toMatchObject([
      { level: WARN, name: 'second', err: { message: 'it is stuck' } },
    ]);
    expect(lineOf(app, 'stopped')).toHaveLength(1);
  });

  test('a resource that hangs while it closes is logged, and it exits with 1', async () => {
    const app = await start('hangs');
    expect(await app.kill()).toEqual({ code: 1, signal: null });
    expect(app.stderr).toBe('');
    expect(lineOf(app, 'did not close in time')).toMatchObject([{ level: ERROR, waitingFor: 'second' }]);
    expect(lineOf(app, 'stopped')).toEqual([]);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s before it is ready ends it at once, with 0', async (signal) => {
    const app = await startInVain('never');
    await once(app.child, 'message');
    expect(await app.kill(signal)).toEqual({ code: 0, signal: null });
    expect(app.output).toBe('');
  });
});

describe('a drain', () => {
  /** So long that a test would fail if it was waited for. */
  const LONG = '600';
  const drains = async (seconds: string) => {
    const app = await start('drains', seconds);
    const ready = async () => {
      const response = await fetch(`${app.details.health}/readyz`);
      return [response.status, ((await response.json()) as { msg?: string }).msg];
    };
    return { app, ready };
  };

  test('serves on after the signal while /readyz refuses, then closes and ends with 0', async () => {
    const { app, ready } = await drains('3');
    expect(await ready()).toEqual([200, undefined]);
    const before = performance.now();
    app.child.kill('SIGTERM');
    const refusal = await waitFor(
      async () => {
        const answer = await ready();
        return answer[0] === 503 && answer;
      },
      { what: 'it to drain' },
    );
    expect(refusal).toEqual([503, 'draining']);
    expect(app.stderr).toBe('');
    expect(await app.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeGreaterThan(3000);
    expect(app.stderr).toBe(CLOSED_IN_ORDER);
  });

  test('ends with another signal, if that is not the same one, passed on by a supervisor', async () => {
    const { app, ready } = await drains(LONG);
    const since = performance.now();
    app.child.kill('SIGTERM');
    await waitFor(async () => (await ready())[0] === 503, { what: 'it to drain' });
    let ended = 0;
    void app.exit.then(() => {
      ended = performance.now() - since;
    });
    const again = () => {
      app.child.kill('SIGTERM');
      return ended > 0;
    };
    await waitFor(again, { what: 'the drain to end' });
    expect(ended).toBeGreaterThan(1000);
    expect(await app.exit).toEqual({ code: 0, signal: null });
    expect(app.stderr).toBe(CLOSED_IN_ORDER);
    expect(lineOf(app, 'stopping')).toMatchObject([{ reason: 'SIGTERM', drainSeconds: 600 }]);
  });

  test('is left out, or ends, when the parent is gone', async () => {
    const { app } = await drains(LONG);
    app.child.disconnect();
    expect(await app.exit).toEqual({ code: 0, signal: null });
    const { app: draining, ready } = await drains(LONG);
    draining.child.kill('SIGTERM');
    await waitFor(async () => (await ready())[0] === 503, { what: 'it to drain' });
    draining.child.disconnect();
    expect(await draining.exit).toEqual({ code: 0, signal: null });
  });
});

test('it stops when its parent is gone, as after a signal', async () => {
  const app = await start();
  app.child.disconnect();
  expect(await app.exit).toEqual({ code: 0, signal: null });
  expect(app.stderr).toBe(CLOSED_IN_ORDER);
  expect(lineOf(app, 'stopping')).toMatchObject([{ reason: 'supervisor gone' }]);
});

test.each([
  ['rejects', 'unhandled rejection'],
  ['throws', 'uncaught exception'],
])('a defect that %s is logged and ends it with 1', async (how, event) => {
  const app = await startInVain('defect', how);
  expect(await app.exit).toEqual({ code: 1, signal: null });
  expect(lineOf(app, event)).toMatchObject([{ level: FATAL, err: { message: 'nobody catches this' } }]);
});

test.each([
  ['refuses', 'PORT=1: no', 'PORT=1: no'],
  ['refuses as known', 'PORT=2: no', 'PORT=2: no'],
  ['fails', 'broken\n  in many\n  ways', 'app cannot start: broken'],
  ['fails with a text', 'broken', 'app cannot start: broken'],
])('a start that %s is one line for the operator and for the parent, and exit 1', async (how, message, line) => {
  const app = await startInVain(how, message);
  const reports: unknown[] = [];
  app.child.on('message', (report) => reports.push(report));
  expect(await app.exit).toEqual({ code: 1, signal: null });
  expect(app.output).toBe(`${line}\n`);
  expect(reports).toEqual(['starting', { ready: false, message: line }]);
});
