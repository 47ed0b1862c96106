import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The first executable file of one of these names on PATH. */
function onPath(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const isExecutable = (file: string) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** The browser of this machine for tests of what web pages can do, or undefined. */
export const findChromium = (): string | undefined => onPath(...NAMES);

/**
 * Finds a browser; as root on Debian and Ubuntu installs it when there is none. Tests that need one are skipped without
 * it: a browser is more than one can ask of every machine, so that is a line to say and not an error.
 */
export function installChromium(say: (line: string) => void): string | undefined {
  const found = findChromium();
  if (found !== undefined) return found;
  const skipped = 'the browser tests are skipped: install Chromium to run them (Debian: apt-get install chromium)';
  const aptGet = onPath('apt-get');
  if (aptGet === undefined || process.getuid?.() !== 0) {
    say(`there is no Chromium on PATH; ${skipped}`);
    return undefined;
  }
  say('Chromium, for the browser tests, is not installed: installing it with apt-get …');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Lists that cannot be renewed may still be good enough.
  spawnSync(aptGet, ['update', '-qq'], { env, stdio: 'ignore' });
  const install = spawnSync(aptGet, ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], {
    env,
    encoding: 'utf8',
  });
  const installed = install.status === 0 ? findChromium() : undefined;
  if (installed === undefined) {
    const [reason = 'no reason given'] = (install.stderr ?? '').split('\n').filter((line) => line.startsWith('E:'));
    say(`apt-get could not install Chromium (${reason.trim()}); ${skipped}`);
  }
  return installed;
}
