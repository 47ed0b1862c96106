// Provides what everything else needs: a recent Node, the dependencies of the lock file, and compiled code. It needs
// nothing but Node itself, because it runs in a fresh clone.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const OLDEST_NODE = [20, 11];
const INSTALLED = join(root, 'node_modules', '.ruyi-installed');
const BUILT = join(root, 'node_modules', '.ruyi-built');

/** A reason to stop; its message is one line for the person who typed the command. */
export class PrepareError extends Error {}

/**
 * Makes sure that everything is there. Prints one line before each step that takes a while, and nothing otherwise.
 * @param signal when it aborts, the running step and everything it has started are ended, and the promise rejects
 */
export async function prepare(say, signal) {
  checkNode();
  await installIfNeeded(say, signal);
  await buildIfStale(say, signal);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new PrepareError(`Node.js ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.versions.node}`);
}

/** Runs `npm ci` unless node_modules has what the lock file says, built for this Node. */
async function installIfNeeded(say, signal) {
  const lock = join(root, 'package-lock.json');
  // Native modules fit only one ABI.
  const wanted = `${process.versions.modules} ${process.arch} ${hash([lock])}`;
  const stamp = read(INSTALLED);
  const sameNode = stamp === '' || stamp.startsWith(`${process.versions.modules} ${process.arch} `);
  // npm writes this file at the end of every install. If it is newer than the lock file, somebody ran `npm install`.
  const npmsOwn = join(root, 'node_modules', '.package-lock.json');
  const installedByHand = sameNode && modified(npmsOwn) >= modified(lock) && modified(npmsOwn) > 0;
  if (stamp !== wanted && !installedByHand) {
    say('installing dependencies (npm ci) …');
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    await npm(args, 'the dependencies could not be installed', signal);
  }
  if (stamp !== wanted) writeFileSync(INSTALLED, wanted);
}

/** Runs `npm run build` unless the compiled code is that of the present sources. */
async function buildIfStale(say, signal) {
  const members = ['packages', 'apps'].flatMap((folder) => subfolders(join(root, folder)));
  const inputs = [
    join(root, 'package-lock.json'),
    join(root, 'tsconfig.base.json'),
    join(root, 'scripts', 'build-package.mjs'),
    ...members.flatMap((member) => [
      join(member, 'package.json'),
      join(member, 'tsconfig.build.json'),
      join(member, 'tsconfig.web.json'),
      ...filesIn(join(member, 'src')),
    ]),
  ];
  const wanted = hash(inputs.filter((file) => existsSync(file)));
  const compiled = members.every(
    (member) => filesIn(join(member, 'src')).length === 0 || existsSync(join(member, 'dist')),
  );
  if (compiled && read(BUILT) === wanted) return;
  say('building …');
  await npm(['run', 'build', '--silent'], 'the build failed', signal);
  mkdirSync(dirname(BUILT), { recursive: true });
  writeFileSync(BUILT, wanted);
}

/** Runs npm quietly; its output is shown only if it fails. */
async function npm(args, problem, signal) {
  const { npm_execpath: script } = process.env;
  const [command, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []];
  const { failure, output } = await run(command, [...first, ...args], signal);
  if (failure === undefined) return;
  if (signal?.aborted) throw new PrepareError('stopped');
  process.stderr.write(output);
  const step = args.slice(0, args[0] === 'run' ? 2 : 1).join(' ');
  throw new PrepareError(`${problem} (npm ${step}${failure === '' ? '' : `: ${failure}`})`);
}

/** How long a step may take to end after SIGTERM. */
const GRACE_MS = 5_000;

/** Runs a step in a new process group, so that a signal reaches compilers and everything else that the step started. */
function run(command, args, signal) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    let timer;
    const stop = () => {
      signalGroup(child, 'SIGTERM');
      timer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS);
    };
    const settle = (failure) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) signalGroup(child, 'SIGKILL');
      resolve({ failure, output });
    };
    child.once('error', (error) => settle(error.message));
    child.once('close', (code) => settle(code === 0 ? undefined : ''));
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

function signalGroup(child, name) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    // The whole group has ended.
    if (error.code !== 'ESRCH') throw error;
  }
}

const subfolders = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [join(folder, entry.name)] : [],
  );

const filesIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
        // Node renamed `path` to `parentPath` in 20.12.
        entry.isFile() ? [join(entry.parentPath ?? entry.path, entry.name)] : [],
      )
    : [];

function hash(files) {
  const sum = createHash('sha256');
  for (const file of [...files].sort()) {
    const content = readFileSync(file);
    sum.update(`${relative(root, file)} ${content.length}\n`).update(content);
  }
  return sum.digest('hex');
}

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
const modified = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);
