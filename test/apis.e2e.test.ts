import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expectNoLeaks, processesOf, type TestProcess, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ask } from '../apps/api/test/rawHttp.ts';
import { type Installation, newInstallation } from './installation.ts';

/** Several APIs on one port (APIS). */

let installation: Installation;
let up: TestProcess;
let address: string;
beforeEach(async () => {
  installation = await newInstallation({ APIS: '2', PORT: '0' });
  up = await installation.start();
  ({ address } = up.details.api as { address: string });
});
afterEach(async () => {
  await installation.remove();
});
afterAll(expectNoLeaks);

const pids = () =>
  processesOf(installation.dataDir)
    .filter(({ command }) => command.includes('apps/api/dist/main.js'))
    .map(({ pid }) => pid);

/**
 * Asks on a new connection for what there is not, which needs no Redis. One that only starts refuses that, too, with another status.
 * @returns the process that answered, from its x-request-id, or why nobody did
 */
const askOnce = async (): Promise<string> => {
  try {
    const { status, headers } = await ask(address, 'GET', '/nothing', { connection: 'close' });
    return status === 404 ? (headers['x-request-id'] ?? '').replace(/-\d+$/, '') : String(status);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
};
const askMany = async (count: number) => new Set(await Promise.all(Array.from({ length: count }, askOnce)));

interface Status {
  role: string;
  name: string;
}
const members = async (): Promise<string[]> => {
  const { output } = await installation.ruyi('status', '--json');
  const { processes } = JSON.parse(output) as { processes: Status[] };
  return processes.filter(({ role }) => role === 'api').map(({ name }) => name);
};

describe('two APIs on one port', () => {
  test('both serve and are members, each with a log and names of requests of its own', async () => {
    const names = await members();
    expect(new Set(names).size).toBe(2);
    // The page for operators finds them, although the port was free to choose.
    expect((await fetch(`${installation.board}/data/broadcasts`)).status).toBe(200);
    const answered = new Set<string>();
    await waitFor(
      async () => {
        for (const name of await askMany(20)) answered.add(name);
        return answered.size >= 2;
      },
      { what: 'answers of both' },
    );
    expect([...answered].sort()).toEqual(names.sort());
    for (const name of ['api-1', 'api-2']) {
      expect(existsSync(join(installation.dataDir, 'logs', `${name}.log`))).toBe(true);
    }
  });

  test('while one is killed the other serves, and it comes back to the same port', async () => {
    const before = pids();
    expect(before).toHaveLength(2);
    for (const victim of before) {
      process.kill(victim, 'SIGKILL');
      const again = () => pids().length === 2 && !pids().includes(victim);
      const seen = new Set<string>();
      await waitFor(
        async () => {
          for (const answer of await askMany(5)) seen.add(answer);
          return again();
        },
        { what: 'it to be started again' },
      );
      // Only a connection that the victim had may break; the port is never shut, and nobody answers before it is ready.
      expect([...seen].filter((answer) => !/^(api-\w+|ECONNRESET)$/.test(answer))).toEqual([]);
      await waitFor(async () => (await askMany(20)).size === 2, { what: 'answers of both' });
    }
    await waitFor(() => up.stdout.includes('ended (SIGKILL); starting it again'), { what: 'it to be said' });
  });
});
