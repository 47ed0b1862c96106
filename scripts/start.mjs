// `npm start`: installs and builds what is missing, then runs `ruyi up` (apps/cli) in this process, so that signals and
// the exit code need no forwarding. package.json starts it with `exec`, because npm forwards SIGTERM and SIGINT to its
// child. Without `exec` the child is a shell, which dies and leaves everything running.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

const LOOK_EVERY_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Stops everything if npm has gone without a signal: after kill -9, or after SIGHUP, which npm does not forward. Only
 * npm is watched: a shell that put this into the background may end.
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
  // Until `ruyi up` is loaded and handles the signals.
  for (const signal of SIGNALS) process.off(signal, abort).on(signal, () => process.exit(0));
}

stopWithNpm();
await prepareUntilSignal();
const cli = join(root, 'apps', 'cli', 'dist', 'main.js');
process.argv.splice(1, process.argv.length, cli, 'up');
await import(pathToFileURL(cli).href);
