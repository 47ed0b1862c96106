// Compiles the package in the current folder (src -> dist) and copies what is no TypeScript, such as its Lua scripts, beside the
// compiled callers. Sources for a browser have a configuration of their own.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
rmSync('dist', { recursive: true, force: true });
// A package without sources.
if (!existsSync('src') || readdirSync('src').length === 0) process.exit(0);
for (const project of ['tsconfig.build.json', 'tsconfig.web.json'].filter((file) => existsSync(file))) {
  const { status } = spawnSync(process.execPath, [join(typescript, 'bin', 'tsc'), '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
cpSync('src', 'dist', { recursive: true, filter: (path) => !/\.[cm]?tsx?$/.test(path) });
