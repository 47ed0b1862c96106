import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@ruyi/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Runs Biome on files that break the rules of biome.json, and checks what it reports. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Attempt {
  what: string;
  /** each in a separate folder, so that attempts do not affect each other; `src/` and `test/` keep their meaning */
  file: string;
  text: string;
  /** absent if the file is allowed */
  rule?: string;
}

const IMPORTS = 'lint/style/noRestrictedImports';

const ATTEMPTS: Attempt[] = [
  { what: 'a package below', file: 'packages/queue/src/a.ts', text: "export { a } from '@ruyi/store';" },
  { what: 'Node', file: 'packages/store/src/a.ts', text: "export { readFileSync } from 'node:fs';" },
  { what: 'zod', file: 'packages/contracts/src/a.ts', text: "export { z } from 'zod';" },
  { what: 'what config may', file: 'packages/config/src/a.ts', text: "export { totalmem } from 'node:os';" },
  { what: 'a neighbour', file: 'apps/api/src/b/a.ts', text: "export { a } from '../c/other.ts';" },
  { what: 'a package, by an app', file: 'apps/worker/src/a.ts', text: "export type { A } from '@ruyi/queue';" },
  { what: 'the environment, by a main', file: 'apps/api/src/main.ts', text: 'export const env = process.env;' },
  { what: 'testkit, by bench', file: 'bench/src/a.ts', text: "export { a } from '@ruyi/testkit';" },
  { what: 'testkit, by a test', file: 'apps/cli/test/a.ts', text: "export { a } from '@ruyi/testkit';" },
  { what: 'sources, by a test', file: 'apps/cli/test/b/c.ts', text: "export { a } from '../../src/a.ts';" },
  { what: '300 lines', file: 'torture/src/lines.ts', text: 'a();\n'.repeat(300) },

  {
    what: 'a circle',
    file: 'packages/store/src/circle.ts',
    text: "import { b } from './circleBack.ts';\nexport const a = b;",
    rule: 'lint/suspicious/noImportCycles',
  },
  {
    what: 'a circle, back',
    file: 'packages/store/src/circleBack.ts',
    text: "import { a } from './circle.ts';\nexport const b = a;",
    rule: 'lint/suspicious/noImportCycles',
  },
  { what: 'a package above', file: 'packages/store/src/b.ts', text: "export { a } from '@ruyi/queue';", rule: IMPORTS },
  { what: 'its type', file: 'packages/store/src/c.ts', text: "export type { A } from '@ruyi/config';", rule: IMPORTS },
  {
    what: 'adding what is awaited',
    file: 'apps/api/src/sum.ts',
    text: 'export const sum = { of: 0 };\nsum.of += await Promise.resolve(1);',
    rule: 'plugin',
  },
  {
    what: 'adding after waiting',
    file: 'apps/api/src/sumOf.ts',
    text: 'export const sum = { of: 0 };\nconst one = await Promise.resolve(1);\nsum.of += one;',
  },
  {
    what: 'as an import() type',
    file: 'packages/store/src/d.ts',
    text: "export type A = import('@ruyi/queue').A;",
    rule: 'plugin',
  },
  { what: 'dynamically', file: 'packages/store/src/e.ts', text: "await import('@ruyi/search');", rule: IMPORTS },
  { what: 'for its effects', file: 'packages/store/src/f.ts', text: "import '@ruyi/telemetry';", rule: IMPORTS },
  {
    what: 'the old way',
    file: 'packages/store/src/g.ts',
    text: "export const a = require('@ruyi/queue');",
    rule: 'lint/style/noCommonJs',
  },
  { what: 'an app', file: 'apps/api/src/a.ts', text: "export { a } from '@ruyi/worker';", rule: IMPORTS },
  {
    what: 'an app, by a package',
    file: 'packages/queue/src/b.ts',
    text: "export { a } from '@ruyi/api';",
    rule: IMPORTS,
  },
  { what: 'an app, by bench', file: 'bench/src/b.ts', text: "export { a } from '@ruyi/api';", rule: IMPORTS },
  { what: 'testkit, by an app', file: 'apps/api/src/b.ts', text: "export { a } from '@ruyi/testkit';", rule: IMPORTS },
  {
    what: 'the inside',
    file: 'apps/api/src/c.ts',
    text: "export { a } from '@ruyi/store/src/keys.ts';",
    rule: IMPORTS,
  },
  {
    what: 'the inside, by a test',
    file: 'apps/api/test/a.ts',
    text: "export { a } from '@ruyi/store/dist/keys.js';",
    rule: IMPORTS,
  },
  {
    what: 'a file elsewhere',
    file: 'apps/api/src/d.ts',
    text: "export { a } from '../../cli/src/a.ts';",
    rule: IMPORTS,
  },
  {
    what: 'a file elsewhere, by a test',
    file: 'apps/api/test/b.ts',
    text: "export { a } from '../../worker/src/a.ts';",
    rule: IMPORTS,
  },
  {
    what: 'a test, by the source',
    file: 'apps/api/src/e.ts',
    text: "export { a } from '../test/a.ts';",
    rule: IMPORTS,
  },
  {
    what: 'Node, by contracts',
    file: 'packages/contracts/src/b.ts',
    text: "export { a } from 'node:fs';",
    rule: IMPORTS,
  },
  { what: 'others, by config', file: 'packages/config/src/b.ts', text: "export { a } from 'node:net';", rule: IMPORTS },
  {
    what: 'anything, by a new one',
    file: 'packages/new/src/a.ts',
    text: "export { a } from '@ruyi/store';",
    rule: IMPORTS,
  },
  {
    what: 'what is not declared',
    file: 'packages/store/src/h.ts',
    text: "export { default } from 'express';",
    rule: 'lint/correctness/noUndeclaredDependencies',
  },
  {
    what: 'the environment',
    file: 'packages/store/src/i.ts',
    text: 'export const url = process.env.REDIS_URL;',
    rule: 'lint/style/noProcessEnv',
  },
  {
    what: '301 lines',
    file: 'packages/store/test/lines.ts',
    text: 'a();\n'.repeat(301),
    rule: 'lint/style/noExcessiveLinesPerFile',
  },
  {
    what: 'a function of more than 60 lines',
    file: 'packages/store/src/j.ts',
    text: `export function a() {\n${'  a();\n'.repeat(61)}}`,
    rule: 'lint/complexity/noExcessiveLinesPerFunction',
  },
];

/** The files that Biome reads besides those that it checks. */
const NEEDED = [
  ...['biome.json', '.gitignore', 'package.json', 'scripts/noImportTypes.grit', 'scripts/noAddAwaited.grit'],
  ...['bench', 'torture', ...members('packages'), ...members('apps')].map((member) => `${member}/package.json`),
];

function members(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`);
}

let copy: ReturnType<typeof tempDir>;
let found: Map<string, string[]>;

beforeAll(() => {
  copy = tempDir('structure');
  for (const name of NEEDED) {
    const from = join(ROOT, name);
    // A folder without a package.json is left over from another branch.
    if (existsSync(from)) cpSync(from, join(copy.path, name));
  }
  for (const { file, text } of ATTEMPTS) {
    mkdirSync(dirname(join(copy.path, file)), { recursive: true });
    writeFileSync(join(copy.path, file), text);
  }
  found = lint(copy.path);
});

afterAll(() => copy.remove());

/** The rules that Biome reports per file. */
function lint(cwd: string): Map<string, string[]> {
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const args = ['lint', '--reporter=github', '--max-diagnostics=none', '.'];
  const { stdout, stderr } = spawnSync(biome, args, { cwd, encoding: 'utf8' });
  expect(stderr).toMatch(/Some errors were emitted/);
  const rules = new Map<string, string[]>();
  for (const [, rule = '', file = ''] of stdout.matchAll(/^::\w+ title=([^,]+),file=([^,]+)/gm)) {
    const name = file.replace(`${cwd}/`, '');
    rules.set(name, [...(rules.get(name) ?? []), rule]);
  }
  return rules;
}

test.each(ATTEMPTS.filter(({ rule }) => rule === undefined))('$what: $file is allowed', ({ file }) => {
  expect(found.get(file) ?? []).toEqual([]);
});

test.each(ATTEMPTS.filter(({ rule }) => rule !== undefined))('$what: $file is refused', ({ file, rule }) => {
  expect(found.get(file)).toContain(rule);
});
