// `npm start`: installs and builds what is missing, then runs everything in this very process (apps/cli, `ruyi up`), so
// that signals and the exit code need no forwarding. package.json starts it with `exec`: npm passes SIGTERM and SIGINT on
// to its child, which would otherwise be a shell that dies of them alone.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

const LOOK_EVERY_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Stops everything when npm is gone without having said so: kill -9, and SIGHUP, which it does not pass on. Only npm is
 * watched: a shell that put this into the background may end.
 */
function stopWithNpm() {
  const { npm_lifecycle_event: event, npm_package_json: manifest } = process.env;
  if (event !== 'start' || manifest !== join(root, 'package.json')) return;
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS);
  timer.unref();
}

async function prepareUntilSignal() {
  const stop = new AbortController();
  const abort = () => stop.abort();
  for (const signal of SIGNALS) process.on(signal, abort);
  try {
    await prepare((line) => console.log(line), stop.signal);
  } catch (error) {
    if (stop.signal.aborted) process.exit(0);
    console.error(error.message);
    process.exit(1);
  }
  if (stop.signal.aborted) process.exit(0);
  // From here on they are `ruyi up`'s.
  for (const signal of SIGNALS) process.off(signal, abort);
}

stopWithNpm();
await prepareUntilSignal();
const cli = join(root, 'apps', 'cli', 'dist', 'main.js');
process.argv.splice(1, process.argv.length, cli, 'up');
await import(pathToFileURL(cli).href);
