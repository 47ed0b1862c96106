import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const sources = ['packages', 'apps'].flatMap((kind) =>
  readdirSync(join(ROOT, kind)).flatMap((name) => filesIn(join(ROOT, kind, name, 'src'))),
);
const scripts = sources.filter((file) => file.endsWith('.lua') && basename(dirname(file)) !== 'include');
const callers = sources
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('there are scripts', () => {
  expect(scripts.length).toBeGreaterThan(15);
});

test.each(scripts.map((file) => [file.slice(ROOT.length + 1), file]))(
  '%s says what it takes, returns and costs, and what a replay does',
  (_, file) => {
    const lines = readFileSync(file, 'utf8').split('\n');
    // Redis takes a script's flags from its very first line.
    const [first = '', ...rest] = lines[0]?.startsWith('#!lua ') ? lines.slice(1) : lines;
    const header = rest.slice(
      0,
      rest.findIndex((line) => !line.startsWith('--')),
    );
    expect(first).toMatch(new RegExp(`^-- ${basename(file)}: .`));
    for (const word of ['KEYS', 'returns', 'cost', 'replay']) {
      expect(header.filter((line) => line.startsWith(`-- ${word} `))).toHaveLength(1);
    }
    const usesArguments = /\bARGV\b/.test(rest.slice(header.length).join('\n'));
    expect(header.some((line) => line.startsWith('-- ARGV '))).toBe(usesArguments);
  },
);

test.each(scripts.map((file) => [file.slice(ROOT.length + 1), file]))('%s lies beside its one caller', (_, file) => {
  const name = basename(file, '.lua');
  const loads = callers.filter(({ text }) => text.includes(`loadScript(import.meta.url, '${name}')`));
  expect(loads.map((caller) => dirname(caller.file))).toEqual([dirname(file)]);
});

test('no Lua is written inside TypeScript, and nobody calls a script another way', () => {
  const found = callers
    .filter(({ file }) => !file.endsWith('packages/redis/src/loadScript.ts'))
    .filter(({ text }) => /redis\.call\(|\.eval(sha)?\(|defineCommand/.test(text));
  expect(found.map(({ file }) => file)).toEqual([]);
});
