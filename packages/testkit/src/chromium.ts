import { onPath } from '@ruyi/process';
import { installTool } from './installTool.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of this machine, or undefined. */
export const findChromium = (): string | undefined =>
  NAMES.map((name) => onPath(name, process.env.PATH)).find((file) => file !== undefined);

/** Finds a browser, or installs one (installTool). */
export const installChromium = (say: (line: string) => void): string | undefined =>
  installTool(
    { name: 'Chromium', package: 'chromium', skipped: 'the browser tests are skipped', find: findChromium },
    say,
  );
