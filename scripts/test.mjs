// `npm test`: runs every check, the cheap ones first, and stops at the first step that fails. The last line is always
// `N passed, N failed, N skipped`. It counts the tests of all vitest runs; any other step that fails counts as one. What was skipped
// said why in a line of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';
import { lastLine, nothingRun, withFailure, withReport } from './testCounts.mjs';

const reports = mkdtempSync(join(tmpdir(), 'ruyi-reports-'));
const say = (line) => console.log(line);
let counts = nothingRun;

const bin = (name) => join(root, 'node_modules', '.bin', name);
const run = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0;

/** Tests run on a real redis-server, which is found or installed as `npm start` does it. */
async function redis() {
  const { findRedis } = await import(pathToFileURL(join(root, 'packages/process/dist/index.js')).href);
  findRedis(process.env, say);
  return true;
}

/** What some tests need besides. Without it they are skipped, and a line says so. */
async function tools() {
  const testkit = await import(pathToFileURL(join(root, 'packages/testkit/dist/index.js')).href);
  for (const install of [testkit.installChromium, testkit.installPrometheus, testkit.installFaketime]) install(say);
  return true;
}

function vitest(...projects) {
  const file = join(reports, `${projects[0]}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const chosen = projects.map((project) => `--project=${project}`);
  const ok = run(bin('vitest'), ['run', ...chosen, '--passWithNoTests', ...reporters]);
  counts = withReport(counts, readReport(file), ok);
  return ok;
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

const countingOne = (check) => async () => {
  const ok = await check();
  if (!ok) counts = withFailure(counts);
  return ok;
};

const steps = {
  'install and build': countingOne(async () => {
    await prepare(say);
    return true;
  }),
  'redis-server': countingOne(redis),
  'tools of tests': countingOne(tools),
  lint: countingOne(() => run(bin('biome'), ['check', '--error-on-warnings', '.'])),
  typecheck: countingOne(() => run(bin('tsc'), ['--noEmit', '-p', 'tsconfig.json'])),
  unused: countingOne(() => run(bin('knip'), ['--no-config-hints'])),
  'unit tests': () => vitest('unit'),
  'integration tests, many of them also on a Redis Cluster': () => vitest('integration', 'cluster'),
  'end-to-end tests': () => vitest('e2e', 'timed'),
};

let failed;
for (const [name, step] of Object.entries(steps)) {
  say(`── ${name}`);
  let ok = false;
  try {
    ok = await step();
  } catch (error) {
    console.error(error.message);
    counts = withFailure(counts);
  }
  if (!ok) {
    failed = name;
    break;
  }
}
rmSync(reports, { recursive: true, force: true });
if (failed !== undefined) say(`\nfailed: ${failed}`);
say(lastLine(counts));
process.exitCode = failed === undefined ? 0 : 1;
