import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@ruyi/testkit';
import { expect, test } from 'vitest';
import { textPayload } from '../src/payload.ts';

/** Looks at the package as npm would publish it. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TSC = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));

interface Packed {
  name: string;
  files: { path: string }[];
}

function packed(): Packed {
  const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--offline'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  // With one line of npm's before it where a script prints.
  const answer: Packed[] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  if (!answer[0]) throw new Error(stderr);
  return answer[0];
}

test('npm pack takes what is compiled, the types and the README, and nothing else', () => {
  const { name, files } = packed();
  const paths = files.map(({ path }) => path);
  expect(name).toBe('@ruyi/client');
  expect(paths).toEqual(expect.arrayContaining(['README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']));
  expect(paths.filter((path) => !/^(README\.md|package\.json|dist\/.*\.(js|d\.ts))$/.test(path))).toEqual([]);
});

test('it needs no other package, neither to run nor to compile against', () => {
  const manifest: Record<string, unknown> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(manifest.dependencies).toBeUndefined();
  expect(manifest.private).toBeUndefined();
  const specifiers = packed()
    .files.filter(({ path }) => /\.(js|d\.ts)$/.test(path))
    .flatMap(({ path }) => [...readFileSync(join(ROOT, path), 'utf8').matchAll(/(?:from|import) ?\(?'([^']+)'/g)])
    .map(([, specifier = '']) => specifier);
  expect(specifiers.length).toBeGreaterThan(10);
  expect(specifiers.filter((specifier) => !specifier.startsWith('./'))).toEqual([]);
});

const CONSUMER = `
import { createClient, RuyiError, textPayload, type BroadcastAnswer } from '@ruyi/client';
const ruyi = createClient({ url: 'http://127.0.0.1:2', retrySeconds: 0 });
export async function report(no: string): Promise<BroadcastAnswer> {
  return ruyi.broadcast(['a'], { message: { payload: textPayload('x') }, onProgress: (p) => console.log(p.broadcast_no, no) });
}
// @ts-expect-error a payload is needed
export const incomplete = () => ruyi.send({ channel_id: 'a', channel_type: 2 });
try {
  const { messages } = await ruyi.messageSync({ channel_id: 'a', channel_type: 2 });
  console.log(messages[0]?.message_seq.toFixed());
} catch (error) {
  console.log(error instanceof RuyiError && error.code === 'unreachable' ? textPayload('it runs') : error);
}
`;

test.each([
  ['Node', { module: 'NodeNext', lib: ['ES2023', 'DOM'] }],
  ['a browser', { module: 'ESNext', moduleResolution: 'bundler', lib: ['ES2023', 'DOM', 'DOM.AsyncIterable'] }],
])('a strict program for %s compiles against it, and runs', (_, options) => {
  const folder = tempDir('consumer');
  const installed = join(folder.path, 'node_modules/@ruyi/client');
  for (const { path } of packed().files) {
    mkdirSync(dirname(join(installed, path)), { recursive: true });
    cpSync(join(ROOT, path), join(installed, path));
  }
  const compilerOptions = { target: 'ES2023', strict: true, types: [], exactOptionalPropertyTypes: true, ...options };
  writeFileSync(join(folder.path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
  writeFileSync(join(folder.path, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder.path, 'main.ts'), CONSUMER);
  const compiled = spawnSync(process.execPath, [TSC, '-p', '.'], { cwd: folder.path, encoding: 'utf8' });
  expect([compiled.status, compiled.stdout]).toEqual([0, '']);
  const ran = spawnSync(process.execPath, ['main.js'], { cwd: folder.path, encoding: 'utf8' });
  expect([ran.stdout, ran.stderr]).toEqual([`${textPayload('it runs')}\n`, '']);
  folder.remove();
});
