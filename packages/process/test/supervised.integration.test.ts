import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Launched, launchChild, Supervised } from '@ruyi/process';
import { type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const APP = fileURLToPath(new URL('./fixtures/app.mjs', import.meta.url));

let folder: TempDir;
let said: string[];
let launched: Launched[];
let supervised: Supervised | undefined;
beforeEach(() => {
  folder = tempDir('supervised');
  said = [];
  launched = [];
});
afterEach(async () => {
  await supervised?.stop();
  supervised = undefined;
  folder.remove();
});

const logFile = () => join(folder.path, 'app.log');
/** Launches the app with the next of these environments each time, and with the last one from then on. */
function supervise(entry: string, ...launches: (() => NodeJS.ProcessEnv)[]): Supervised {
  return superviseDraining(0, entry, ...launches);
}
/** The same for a process that serves on for some seconds after SIGTERM. */
function superviseDraining(drainSeconds: number, entry: string, ...launches: (() => NodeJS.ProcessEnv)[]): Supervised {
  const launch = () => {
    const env = (launches.length > 1 ? launches.shift() : launches[0])?.() ?? {};
    const plan = { name: 'app', entry, env, logFile: logFile(), logToTerminal: false };
    const one = launchChild(plan);
    launched.push(one);
    return one;
  };
  supervised = new Supervised('app', launch, (line) => said.push(line), drainSeconds);
  return supervised;
}
const runsAgain = (times: number) =>
  waitFor(() => said.filter((line) => line === 'app runs again').length === times, { what: `start ${times + 1}` });

test('a process is started again whenever it ends, each time after a longer pause', async () => {
  const one = supervise(APP);
  await one.start();
  expect(one.details).toEqual({ ready: true, address: 'here' });
  for (let times = 1; times <= 2; times++) {
    launched.at(-1)?.signal('SIGKILL');
    await runsAgain(times);
  }
  expect(said).toEqual([
    'app ended (SIGKILL); starting it again in 0.2 s',
    'app runs again',
    'app ended (SIGKILL); starting it again in 0.4 s',
    'app runs again',
  ]);
  await one.stop();
  expect(await launched.at(-1)?.gone).toBe('exit code 0');
  expect(launched).toHaveLength(3);
});

test('a failed first start rejects with its reason and is not tried again', async () => {
  const one = supervise(join(folder.path, 'missing.mjs'));
  await expect(one.start()).rejects.toThrow(
    `app ended before it was ready (exit code 1): Error: Cannot find module '${join(folder.path, 'missing.mjs')}'; see ${logFile()}`,
  );
  expect(readFileSync(logFile(), 'utf8')).toContain('Cannot find module');
  expect([said, launched.length]).toEqual([[], 1]);
});

test('a later launch that throws is tried again', async () => {
  const fails = () => {
    throw new Error('no memory');
  };
  const one = supervise(
    APP,
    () => ({}),
    fails,
    () => ({}),
  );
  await one.start();
  launched[0]?.signal('SIGKILL');
  await runsAgain(1);
  expect(said).toEqual([
    'app ended (SIGKILL); starting it again in 0.2 s',
    'app: no memory',
    'app ended (could not be started); starting it again in 0.4 s',
    'app runs again',
  ]);
});

test('a process that is being stopped is not started again, even in the pause before its next start', async () => {
  const one = supervise(APP);
  await one.start();
  launched[0]?.signal('SIGKILL');
  await waitFor(() => said.length === 1, { what: 'its end to be noticed' });
  await one.stop();
  expect(launched).toHaveLength(1);
});

describe('a drain', () => {
  const startDraining = async () => {
    const one = superviseDraining(600, APP, () => ({ HOW: 'drains', MESSAGE: '600' }));
    await one.start();
    return one;
  };

  test('ends if that was asked for before it began', async () => {
    const one = await startDraining();
    await one.stop(AbortSignal.abort());
    expect(await launched.at(-1)?.gone).toBe('exit code 0');
    expect(said).toEqual([]);
  });

  test('ends although its process hears of its stop late', async () => {
    const one = await startDraining();
    const hurry = new AbortController();
    launched.at(-1)?.signal('SIGSTOP');
    const stopped = one.stop(hurry.signal);
    hurry.abort();
    // From now on the first signal is a new one for the process, and what follows within a second is the same.
    launched.at(-1)?.signal('SIGCONT');
    await stopped;
    expect(await launched.at(-1)?.gone).toBe('exit code 0');
    expect(said).toEqual([]);
  });
});
