import { aptInstall, findAptGet, onPath, stopService } from './onPath.ts';
import { StartError } from './startError.ts';

const MISSING =
  'redis-server is not on PATH: install it (Debian/Ubuntu: apt-get install redis-server, macOS: brew install redis) or set REDIS_URL';

/**
 * Finds redis-server on PATH. As root on Debian and Ubuntu it installs a missing one.
 * @throws StartError that says what to install
 */
export function findRedis(env: NodeJS.ProcessEnv, say: (line: string) => void): string {
  const found = onPath('redis-server', env.PATH);
  if (found !== undefined) return found;
  const aptGet = findAptGet(env.PATH);
  if (aptGet === undefined) throw new StartError(MISSING);
  say('redis-server is not installed: installing it with apt-get …');
  const reason = aptInstall(aptGet, 'redis-server', env);
  if (reason !== undefined) {
    throw new StartError(`apt-get could not install redis-server (${reason}): install it or set REDIS_URL`);
  }
  stopService('redis-server', env);
  const installed = onPath('redis-server', env.PATH);
  if (installed === undefined) throw new StartError(MISSING);
  return installed;
}
