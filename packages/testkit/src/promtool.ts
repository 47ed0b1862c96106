import { aptInstall, findAptGet, onPath } from '@ruyi/process';

/** Prometheus' own checker of rules and metrics, or undefined. */
export const findPromtool = (): string | undefined => onPath('promtool', process.env.PATH);

/**
 * Finds promtool. As root on Debian and Ubuntu it installs a missing one, which is part of their package prometheus. Without it
 * the tests that need it are skipped, and this prints a line.
 */
export function installPromtool(say: (line: string) => void): string | undefined {
  const found = findPromtool();
  if (found !== undefined) return found;
  const skipped = 'tests of alerts are skipped: install Prometheus to run them (Debian: apt-get install prometheus)';
  const aptGet = findAptGet(process.env.PATH);
  if (aptGet === undefined) {
    say(`promtool is not on PATH; ${skipped}`);
    return undefined;
  }
  say('promtool, for the tests of alerts, is not installed: installing it with apt-get …');
  const reason = aptInstall(aptGet, 'prometheus', process.env);
  const installed = findPromtool();
  if (installed === undefined) say(`apt-get could not install prometheus (${reason ?? 'no reason given'}); ${skipped}`);
  return installed;
}
