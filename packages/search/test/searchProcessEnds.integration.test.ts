import { fileURLToPath } from 'node:url';
import { createEmbeddedEngine } from '@ruyi/search';
import { expectNoLeaks, startProcess, type TempDir, tempDir, waitFor } from '@ruyi/testkit';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRunning } from './isRunning.ts';

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

let folder: TempDir;
beforeEach(async () => {
  folder = tempDir('searching');
  const writer = createEmbeddedEngine({ directory: folder.path, role: 'writer' });
  await writer.prepare();
  await writer.close();
});
afterEach(() => folder.remove());
afterAll(expectNoLeaks);

describe('search processes end with a parent', () => {
  test('that is killed', async () => {
    const parent = await startProcess(fixture('searcher.mjs'), {}, { args: [folder.path] });
    const [pid] = Array.isArray(parent.details.pids) ? parent.details.pids : [];
    expect(isRunning(Number(pid))).toBe(true);
    await parent.kill('SIGKILL');
    await waitFor(() => !isRunning(Number(pid)), { what: 'the search process to end' });
  });

  test('that is killed while they are busy and read no messages', async () => {
    const parent = await startProcess(fixture('spinner.mjs'), {}, { args: ['parent', 'spin'] });
    const pid = Number(parent.details.pid);
    expect(isRunning(pid)).toBe(true);
    await parent.kill('SIGKILL');
    await waitFor(() => !isRunning(pid), { what: 'the busy process to end' });
  });

  test('that only waits for them to close', async () => {
    const parent = await startProcess(fixture('searcher.mjs'), {}, { args: [folder.path, 'close'] });
    // If nothing kept the process running during the await, Node would exit with 13.
    expect(await parent.exit).toEqual({ code: 0, signal: null });
  });

  test('that has nothing else to do: they do not keep it running', async () => {
    const parent = await startProcess(fixture('searcher.mjs'), {}, { args: [folder.path, 'end'] });
    expect(await parent.exit).toEqual({ code: 0, signal: null });
    const [pid] = Array.isArray(parent.details.pids) ? parent.details.pids : [];
    await waitFor(() => !isRunning(Number(pid)), { what: 'the search process to end' });
  });
});
