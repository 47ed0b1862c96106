import { spawnSync } from 'node:child_process';
import { onPath } from '@ruyi/process';
import { installTool } from './installTool.ts';

/** Runs programs with another clock; or undefined. */
export const findFaketime = (): string | undefined => onPath('faketime', process.env.PATH);

/** Finds faketime, or installs it (installTool). */
export const installFaketime = (say: (line: string) => void): string | undefined =>
  installTool(
    { name: 'faketime', package: 'faketime', skipped: 'tests of a wrong clock are skipped', find: findFaketime },
    say,
  );

/**
 * The environment in which the wall clock of a process is wrong by so many seconds. Its monotonic clock, which measures, is
 * right, as on a machine whose clock is wrong.
 * @param faketime what findFaketime has found
 */
export function wrongClockEnv(faketime: string, seconds: number): Record<string, string> {
  const shift = `${seconds < 0 ? '' : '+'}${seconds}s`;
  const { stdout } = spawnSync(faketime, ['-f', shift, 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' });
  const preloaded = stdout?.trim();
  if (!preloaded) throw new Error(`${faketime} does not say what it loads`);
  return { LD_PRELOAD: preloaded, FAKETIME: shift, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' };
}
