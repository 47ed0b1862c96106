import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { StartError } from './startError.ts';

/** The first executable file of that name on PATH. */
export function onPath(name: string, path: string | undefined): string | undefined {
  return (path ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

const MISSING =
  'redis-server is not on PATH: install it (Debian/Ubuntu: apt-get install redis-server, macOS: brew install redis) or set REDIS_URL';

/**
 * Finds redis-server on PATH; as root on Debian and Ubuntu installs it when it is not there.
 * @throws StartError with the line that says what to install
 */
export function findRedis(env: NodeJS.ProcessEnv, say: (line: string) => void): string {
  const found = onPath('redis-server', env.PATH);
  if (found !== undefined) return found;
  const aptGet = onPath('apt-get', env.PATH);
  if (aptGet === undefined || process.getuid?.() !== 0) throw new StartError(MISSING);
  say('redis-server is not installed: installing it with apt-get …');
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  // Lists that cannot be renewed may still be good enough.
  spawnSync(aptGet, ['update', '-qq'], { env: quiet, stdio: 'ignore' });
  const install = spawnSync(aptGet, ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], {
    env: quiet,
    encoding: 'utf8',
  });
  if (install.status !== 0) {
    const [reason = ''] = install.stderr.split('\n').filter((line) => line.startsWith('E:'));
    throw new StartError(`apt-get could not install redis-server (${reason.trim()}): install it or set REDIS_URL`);
  }
  stopService(env);
  const installed = onPath('redis-server', env.PATH);
  if (installed === undefined) throw new StartError(MISSING);
  return installed;
}

/** The package starts a service of its own, which nobody asked for here: stop it, and keep it from starting at boot. */
function stopService(env: NodeJS.ProcessEnv): void {
  const run = (name: string, args: string[]) => {
    const command = onPath(name, env.PATH);
    if (command !== undefined) spawnSync(command, args, { env, stdio: 'ignore' });
  };
  if (existsSync('/run/systemd/system')) {
    run('systemctl', ['disable', '--now', 'redis-server']);
  } else {
    run('service', ['redis-server', 'stop']);
    run('update-rc.d', ['redis-server', 'disable']);
  }
}
