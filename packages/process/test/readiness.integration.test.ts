import { connect } from 'node:net';
import { waitFor } from '@ruyi/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listenForProbes } from '../src/healthListener.ts';
import { Readiness } from '../src/readiness.ts';

describe('Readiness', () => {
  test('starts, is ready as long as its check finds nothing, and drains', async () => {
    const readiness = new Readiness();
    expect(await readiness.reason()).toBe('starting');
    readiness.begin();
    expect(await readiness.reason()).toBeUndefined();
    readiness.drain();
    expect(await readiness.reason()).toBe('draining');
    readiness.begin();
    expect(await readiness.reason()).toBe('draining');
  });

  test('many probes are one check, and the next comes half a second later', async () => {
    const readiness = new Readiness();
    let checks = 0;
    const began = performance.now();
    readiness.begin(async () => {
      checks++;
      return 'wrong lanes';
    });
    const ask = () => Promise.all(Array.from({ length: 50 }, () => readiness.reason()));
    expect(new Set(await ask())).toEqual(new Set(['wrong lanes']));
    await ask();
    expect(checks).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 500));
    const before = checks;
    await waitFor(async () => (await ask()) && checks > before, { what: 'another check', everyMs: 5 });
  });

  test('a check that fails says that Redis does not answer, not where it is', async () => {
    const readiness = new Readiness();
    readiness.begin(() => Promise.reject(new Error('connect ECONNREFUSED 10.1.2.3:6379')));
    expect(await readiness.reason()).toBe('Redis does not answer');
  });

  test('a check that hangs is answered for, and stays the only one until it ends', async () => {
    const readiness = new Readiness();
    let checks = 0;
    let end = () => {};
    readiness.begin(() => {
      checks++;
      return new Promise((resolve) => {
        end = () => resolve(undefined);
      });
    });
    expect(await readiness.reason()).toBe('Redis does not answer');
    expect(await readiness.reason()).toBe('Redis does not answer');
    expect(checks).toBe(1);
    end();
    await waitFor(async () => (await readiness.reason()) === undefined, { what: 'it to be ready' });
    expect(checks).toBe(1);
  });
});

describe('the port for probes', () => {
  const settings = { healthHost: '127.0.0.1', healthPort: 0 };
  let health: Awaited<ReturnType<typeof listenForProbes>>;
  let readiness: Readiness;
  beforeEach(async () => {
    readiness = new Readiness();
    health = await listenForProbes(settings, readiness);
  });
  afterEach(async () => {
    for (const { close } of health.opened) await close();
  });

  const ask = async (method: string, path: string) => {
    const response = await fetch(`${health.details.health}${path}`, { method });
    return [response.status, await response.text()];
  };

  test('answers probes, and nothing else', async () => {
    expect(await ask('GET', '/livez')).toEqual([200, '{"status":200}']);
    const refused = '{"msg":"starting","status":503,"code":"unavailable","doc":"docs/errors.md#unavailable"}';
    expect(await ask('GET', '/readyz')).toEqual([503, refused]);
    expect(await ask('HEAD', '/readyz')).toEqual([503, '']);
    readiness.begin();
    expect(await ask('GET', '/readyz?verbose')).toEqual([200, '{"status":200}']);
    expect(await ask('HEAD', '/livez')).toEqual([200, '']);
    expect((await ask('POST', '/livez'))[0]).toBe(405);
    for (const path of ['/', '/health', '/metrics', '/livez/']) expect((await ask('GET', path))[0]).toBe(404);
  });

  test('is closed even if a client keeps its connection', async () => {
    const { port } = new URL(health.details.health ?? '');
    const socket = connect(Number(port), '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    for (const { close } of health.opened) await close();
    await closed;
    health = { opened: [], details: {} };
  });

  test('is off by default, and one line says why it cannot be used', async () => {
    expect(await listenForProbes({ healthHost: '127.0.0.1' }, readiness)).toEqual({ opened: [], details: {} });
    const port = Number(new URL(health.details.health ?? '').port);
    await expect(listenForProbes({ ...settings, healthPort: port }, readiness)).rejects.toThrow(
      new RegExp(`^HEALTH_PORT=${port}: something else listens on 127.0.0.1:${port}`),
    );
    await expect(listenForProbes({ healthHost: '192.0.2.1', healthPort: 0 }, readiness)).rejects.toThrow(
      'HEALTH_HOST=192.0.2.1, HEALTH_PORT=0: cannot listen (EADDRNOTAVAIL)',
    );
  });
});
