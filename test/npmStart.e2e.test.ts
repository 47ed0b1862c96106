import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, processesOf, tempDir, waitFor } from '@ruyi/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** How long everything may take to end. */
const GONE_MS = 15_000;

let folder: ReturnType<typeof tempDir>;
let env: Record<string, string>;

beforeEach(async () => {
  folder = tempDir('npm start');
  env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    DATA_DIR: folder.path,
    PORT: String(await freePort()),
    BOARD_PORT: String(await freePort()),
    REDIS_MAXMEMORY: String(64 * 1024 * 1024),
  };
});
afterEach(async () => {
  for (const { pid } of running()) process.kill(pid, 'SIGKILL');
  await nothingRuns();
  folder.remove();
});

const running = () => processesOf(folder.path);
const nothingRuns = () => waitFor(() => running().length === 0, { what: 'everything to end', deadlineMs: GONE_MS });
const npmRuns = () => running().find(({ command }) => command.startsWith('npm start'));

interface Started {
  child: ChildProcess;
  output(): string;
  exit: Promise<number | NodeJS.Signals | null>;
}

/** Runs a command as a supervisor does: with pipes, and in a new session. */
function start(command: string, args: string[], cwd = ROOT): Started {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  return { child, output: () => output, exit };
}

const said = (started: Started, line: string) =>
  waitFor(() => started.output().includes(line), { what: `"${line}" in ${started.output()}`, deadlineMs: 200_000 });
const answers = async () => (await fetch(`http://127.0.0.1:${env.PORT}/health`).catch(() => undefined))?.status === 200;

describe('npm start', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s to npm alone stops everything, exit 0', async (signal) => {
    const npm = start('npm', ['start']);
    await said(npm, 'Ruyi is running');
    npm.child.kill(signal);
    await nothingRuns();
    expect(await npm.exit).toBe(0);
    expect(npm.output()).toMatch(/stopping …\n.*stopped\n/s);
  });

  test.each(['SIGHUP', 'SIGKILL'] as const)('%s, which npm cannot pass on, stops everything too', async (signal) => {
    const npm = start('npm', ['start']);
    await said(npm, 'Ruyi is running');
    npm.child.kill(signal);
    expect(await npm.exit).toBe(signal);
    await nothingRuns();
  });

  test.each([
    ['nohup npm start', true],
    ['node scripts/start.mjs', false],
  ])('`%s &` keeps running when its shell has ended', async (command, byNpm) => {
    const shell = start('sh', ['-c', `${command} > "$DATA_DIR/output" 2>&1 &`]);
    expect(await shell.exit).toBe(0);
    await waitFor(answers, { what: 'the API to serve', deadlineMs: 200_000 });
    expect(npmRuns() !== undefined).toBe(byNpm);
    // Wait longer than it takes to notice that npm is gone.
    const later = performance.now() + 2_000;
    await waitFor(() => performance.now() > later);
    expect(await answers()).toBe(true);
    process.kill(npmRuns()?.pid ?? supervisor(), 'SIGTERM');
    await nothingRuns();
  });
});

const supervisor = () => running().find(({ command }) => command.includes('start.mjs'))?.pid ?? 0;

describe('while it is building', () => {
  /** A project whose build never ends and, like a compiler, has a grandchild. */
  function slowProject(): string {
    const project = join(folder.path, 'project');
    for (const name of ['start', 'prepare']) {
      cpSync(join(ROOT, 'scripts', `${name}.mjs`), join(project, 'scripts', `${name}.mjs`));
    }
    for (const name of ['packages', 'apps']) mkdirSync(join(project, name));
    const manifest = {
      name: 'slow',
      version: '1.0.0',
      scripts: { start: 'exec node scripts/start.mjs', build: 'node build.mjs; true' },
    };
    writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
    const lock = { name: 'slow', version: '1.0.0', lockfileVersion: 3, requires: true };
    writeFileSync(
      join(project, 'package-lock.json'),
      JSON.stringify({ ...lock, packages: { '': { name: 'slow', version: '1.0.0' } } }),
    );
    mkdirSync(join(project, 'node_modules'));
    writeFileSync(join(project, 'build.mjs'), 'setInterval(() => {}, 1000);');
    return project;
  }

  test.each(['SIGTERM', 'SIGKILL'] as const)('%s to npm leaves nothing running', async (signal) => {
    const npm = start('npm', ['start'], slowProject());
    await waitFor(() => running().some(({ command }) => command.includes('build.mjs') && !command.startsWith('sh')), {
      what: 'the build to run',
      deadlineMs: 60_000,
    });
    npm.child.kill(signal);
    await nothingRuns();
    expect(await npm.exit).toBe(signal === 'SIGKILL' ? signal : 0);
  });
});
