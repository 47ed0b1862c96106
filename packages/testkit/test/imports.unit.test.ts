import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@ruyi/testkit';
import { expect, test } from 'vitest';

const CHECK = fileURLToPath(new URL('../../../scripts/check-imports.mjs', import.meta.url));

/** Runs the check on a workspace of one store and one app that hold the given files. */
function check(files: Record<string, string>): { status: number | null; lines: string[] } {
  const root = tempDir('imports');
  const all = {
    'packages/store/package.json': '{"dependencies":{"@ruyi/contracts":"*","ioredis":"*"}}',
    'apps/api/package.json': '{"dependencies":{"@ruyi/store":"*"},"devDependencies":{"@ruyi/testkit":"*"}}',
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root.path, name)), { recursive: true });
    writeFileSync(join(root.path, name), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [CHECK, root.path], { encoding: 'utf8' });
  root.remove();
  return { status, lines: stderr.trim().split('\n') };
}

test('imports along the table are fine', () => {
  const { status, lines } = check({
    'packages/store/src/log.ts': [
      "import { readFileSync } from 'node:fs';",
      "import type { Message } from '@ruyi/contracts';",
      "import {\n  Redis,\n} from 'ioredis';",
      "export * from './keys.ts';",
      '// process.env is for others',
    ].join('\n'),
    'apps/api/src/main.ts': "import { createStore } from '@ruyi/store';\ncreateStore(process.env.REDIS_URL);",
    'apps/api/test/api.test.ts': "import { startRedis } from '@ruyi/testkit';\nimport '../src/main.ts';",
  });
  expect(lines).toEqual(['']);
  expect(status).toBe(0);
});

test.each([
  [
    'a package that the table forbids',
    'packages/store/src/a.ts',
    "import '@ruyi/queue';",
    'store may not import @ruyi/queue',
  ],
  ['an app', 'apps/api/src/a.ts', "import { x } from '@ruyi/worker';", 'api may not import @ruyi/worker'],
  ['in a type', 'packages/store/src/a.ts', "type X = import('@ruyi/config').Config;", 'may not import @ruyi/config'],
  ['dynamically', 'packages/store/src/a.ts', "await import('@ruyi/search');", 'may not import @ruyi/search'],
  ['over several lines', 'packages/store/src/a.ts', "import {\n  a,\n  b,\n} from '@ruyi/client';", '@ruyi/client'],
  ['re-exported', 'packages/store/src/a.ts', "export { a } from '@ruyi/telemetry';", '@ruyi/telemetry'],
  ['testkit outside tests', 'apps/api/src/a.ts', "import '@ruyi/testkit';", '@ruyi/testkit is for tests only'],
  [
    'the inside of a package',
    'apps/api/src/a.ts',
    "import '@ruyi/store/src/keys.ts';",
    'the inside of another package',
  ],
  [
    'the inside, by a test',
    'apps/api/test/a.test.ts',
    "import '@ruyi/store/dist/keys.js';",
    'the inside of another package',
  ],
  [
    'a file elsewhere',
    'apps/api/src/a.ts',
    "import '../../worker/src/main.ts';",
    '../../worker/src/main.ts leaves src',
  ],
  ['a file elsewhere, by a test', 'apps/api/test/a.test.ts', "import '../../worker/src/x.ts';", 'leaves the package'],
  ['a test, by the source', 'apps/api/src/a.ts', "import '../test/a.ts';", 'leaves src'],
  ['what is not declared', 'apps/api/src/a.ts', "import express from 'express';", 'express is not in the dependencies'],
  ['the environment', 'packages/store/src/a.ts', 'const url = process.env.REDIS_URL;', 'reads process.env'],
  [
    'a dependency',
    'packages/store/package.json',
    '{"dependencies":{"@ruyi/queue":"*"}}',
    'may not depend on @ruyi/queue',
  ],
  ['an unknown package', 'packages/new/package.json', '{}', 'is not in the import table'],
])('%s is a violation, named in one line', (_, file, text, reason) => {
  const { status, lines } = check({ [file]: text });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`${file.replace('/package.json', '')}`);
  expect(lines[0]).toContain(reason);
  expect(status).toBe(1);
});
