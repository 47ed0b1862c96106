import { fileURLToPath } from 'node:url';
import { startProcess } from '@ruyi/testkit';
import { expect, test } from 'vitest';

const TORTURE = fileURLToPath(new URL('../torture/dist/main.js', import.meta.url));
// Without rolling-restart, which times how fast processes end: `npm run torture` does that.
const FAULTS = 'kill-all,freeze-worker,redis-kill,cut-redis';

/** The short form of `npm run torture`; a seed of its own each time, printed by it. */
test('nothing is lost, doubled or out of order while processes and connections die', async () => {
  const args = ['--minutes', '0.6', '--faults', FAULTS];
  const torture = await startProcess(TORTURE, {}, { args, waitForReady: false });
  const { code } = await torture.exit;
  console.log(torture.output);
  expect(torture.output).toContain('passed');
  expect(code).toBe(0);
});
