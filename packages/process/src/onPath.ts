import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first executable file with this name on PATH. */
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

/** apt-get if this process may use it, which is as root on Debian and Ubuntu. */
export function findAptGet(path: string | undefined): string | undefined {
  return process.getuid?.() === 0 ? onPath('apt-get', path) : undefined;
}

/** @returns apt-get's reason if the package could not be installed, else undefined */
export function aptInstall(aptGet: string, name: string, env: NodeJS.ProcessEnv): string | undefined {
  const quiet = { ...env, DEBIAN_FRONTEND: 'noninteractive' };
  // If the lists cannot be updated, the present ones may be good enough.
  spawnSync(aptGet, ['update', '-qq'], { env: quiet, stdio: 'ignore' });
  const { status, stderr } = spawnSync(aptGet, ['install', '-y', '-qq', '--no-install-recommends', name], {
    env: quiet,
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  return (
    (stderr ?? '')
      .split('\n')
      .find((line) => line.startsWith('E:'))
      ?.trim() ?? 'no reason given'
  );
}

/** Stops the service that a package starts, and keeps it from starting at boot: nobody asked for it. */
export function stopService(name: string, env: NodeJS.ProcessEnv): void {
  const run = (command: string, args: string[]) => {
    const file = onPath(command, env.PATH);
    if (file !== undefined) spawnSync(file, args, { env, stdio: 'ignore' });
  };
  if (existsSync('/run/systemd/system')) {
    run('systemctl', ['disable', '--now', name]);
  } else {
    run('service', [name, 'stop']);
    run('update-rc.d', [name, 'disable']);
  }
}
