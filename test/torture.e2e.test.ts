import { fileURLToPath } from 'node:url';
import { startProcess } from '@ruyi/testkit';
import { expect, test } from 'vitest';

const TORTURE = fileURLToPath(new URL('../torture/dist/main.js', import.meta.url));
// Leaves out rolling-restart, which measures how fast processes end. `npm run torture` includes it.
const FAULTS = 'kill-all,freeze-worker,redis-kill,cut-redis';

/** A short run of `npm run torture`, with a new seed each time, which it prints. */
test('nothing is lost, duplicated or out of order while processes and connections die', async () => {
  const args = ['--minutes', '0.6', '--faults', FAULTS];
  const torture = await startProcess(TORTURE, {}, { args, waitForReady: false });
  const { code } = await torture.exit;
  console.log(torture.output);
  expect(torture.output).toContain('passed');
  expect(code).toBe(0);
});
