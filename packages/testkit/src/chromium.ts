import { aptInstall, findAptGet, onPath } from '@ruyi/process';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of this machine for tests of what web pages can do, or undefined. */
export const findChromium = (): string | undefined =>
  NAMES.map((name) => onPath(name, process.env.PATH)).find((file) => file !== undefined);

/**
 * Finds a browser; as root on Debian and Ubuntu installs it when there is none. Tests that need one are skipped without
 * it: a browser is more than one can ask of every machine, so that is a line to say and not an error.
 */
export function installChromium(say: (line: string) => void): string | undefined {
  const found = findChromium();
  if (found !== undefined) return found;
  const skipped = 'the browser tests are skipped: install Chromium to run them (Debian: apt-get install chromium)';
  const aptGet = findAptGet(process.env.PATH);
  if (aptGet === undefined) {
    say(`there is no Chromium on PATH; ${skipped}`);
    return undefined;
  }
  say('Chromium, for the browser tests, is not installed: installing it with apt-get …');
  const reason = aptInstall(aptGet, 'chromium', process.env);
  const installed = findChromium();
  if (installed === undefined) say(`apt-get could not install Chromium (${reason ?? 'no reason given'}); ${skipped}`);
  return installed;
}
