import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NEEDED_COMMANDS } from '../src/neededCommands.ts';

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url));
const BULLMQ = join(dirname(createRequire(import.meta.url).resolve('bullmq')), '..', 'cjs', 'scripts');

const asked = new Set(NEEDED_COMMANDS.map((command) => command.split(' ')[0]));
const filesIn = (folder: string, end: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
const calledIn = (texts: string[]) =>
  new Set(texts.flatMap((text) => [...text.matchAll(CALL)].map(([, name = '']) => name.toLowerCase())));
const CALL = /\b(?:rcall|redis\.p?call)\(\s*["'](\w+)["']/g;

test('the probe asks for every command that a script of Ruyi calls', () => {
  const folders = ['store', 'queue'].map((name) => join(PACKAGES, name, 'src'));
  const called = calledIn(folders.flatMap((folder) => filesIn(folder, '.lua')));
  expect(called.size).toBeGreaterThan(25);
  expect([...called].filter((name) => !asked.has(name))).toEqual([]);
});

test('and for every command that a script of BullMQ calls', () => {
  const called = calledIn(filesIn(BULLMQ, '.js'));
  expect(called.size).toBeGreaterThan(40);
  expect([...called].filter((name) => !asked.has(name))).toEqual([]);
});
