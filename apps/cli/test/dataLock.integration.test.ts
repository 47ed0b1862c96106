import { fileURLToPath } from 'node:url';
import { startProcess, tempDir } from '@ruyi/testkit';
import { expect, test } from 'vitest';

const LOCK = fileURLToPath(new URL('./fixtures/lock.mjs', import.meta.url));

test('if many processes find a dead lock at once, exactly one gets the folder', async () => {
  const folder = tempDir('lock');
  const start = () => startProcess(LOCK, {}, { args: [folder.path] });
  const dead = await start();
  expect(dead.details.held).toBe(true);
  await dead.kill('SIGKILL');

  const all = await Promise.all(Array.from({ length: 8 }, start));
  const holders = all.filter(({ details }) => details.held);
  expect(holders).toHaveLength(1);
  for (const { details } of all) {
    if (!details.held) expect(details.message).toContain(`(process ${holders[0]?.pid})`);
  }
  await Promise.all(all.map((process) => process.kill('SIGKILL')));
  folder.remove();
});
