import { aptInstall, findAptGet, onPath } from '@ruyi/process';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of this machine, or undefined. */
export const findChromium = (): string | undefined =>
  NAMES.map((name) => onPath(name, process.env.PATH)).find((file) => file !== undefined);

/**
 * Finds a browser. As root on Debian and Ubuntu it installs a missing one. Without a browser the tests that need it are
 * skipped. Not every machine can have one, so this prints a line and is not an error.
 */
export function installChromium(say: (line: string) => void): string | undefined {
  const found = findChromium();
  if (found !== undefined) return found;
  const skipped = 'the browser tests are skipped: install Chromium to run them (Debian: apt-get install chromium)';
  const aptGet = findAptGet(process.env.PATH);
  if (aptGet === undefined) {
    say(`Chromium is not on PATH; ${skipped}`);
    return undefined;
  }
  say('Chromium, for the browser tests, is not installed: installing it with apt-get …');
  const reason = aptInstall(aptGet, 'chromium', process.env);
  const installed = findChromium();
  if (installed === undefined) say(`apt-get could not install Chromium (${reason ?? 'no reason given'}); ${skipped}`);
  return installed;
}
