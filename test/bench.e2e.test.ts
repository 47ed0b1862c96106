import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../bench/dist/main.js', import.meta.url));

test('every bench case works; what it measures is another matter', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, '--tiny'], { timeout: 580_000 });
  for (const line of [
    'fan-out',
    'memory',
    'single send',
    'readable',
    'p99 during',
    'batch of 10',
    'workers 1',
    '429',
  ]) {
    expect(stdout).toContain(line);
  }
});
