import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../bench/dist/main.js', import.meta.url));
const CAPACITY = fileURLToPath(new URL('../bench/dist/capacity/main.js', import.meta.url));

test('every bench case runs, whatever it measures', async () => {
  const options = { timeout: 580_000 };
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, '--tiny'], options).catch((error) => {
    throw new Error(`the bench ended with ${error.code ?? error.signal}:\n${error.stdout}${error.stderr}`);
  });
  for (const line of [
    'fan-out',
    'broadcast, start to stored',
    'during an upload',
    'memory',
    'single send',
    'readable',
    'p99 during',
    'during a sweep',
    'batch of 10',
    'workers 1',
    '429',
  ]) {
    expect(stdout).toContain(line);
  }
});

test('the capacity plan comes from measured costs, and is compared with 1, 2 and 4 masters', async () => {
  const args = [CAPACITY, '--tiny', '--json', '--recipients-per-hour', '100000000'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 580_000 });
  const { costs, checks, plans } = JSON.parse(stdout);
  expect(costs.broadcast.aofBytes).toBeGreaterThan(10);
  expect(checks.map(({ masters }: { masters: number }) => masters)).toEqual([1, 2, 4]);
  for (const { measuredCpu } of checks) expect(measuredCpu).toBeGreaterThan(0);
  expect(plans).toHaveLength(1);
  expect(plans[0].masters).toBeGreaterThanOrEqual(1);
});
