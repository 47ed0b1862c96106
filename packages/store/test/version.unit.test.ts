import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '@ruyi/store';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const versionIn = (folder: string): string =>
  JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).version;

test('every package has the version that processes tell', () => {
  const folders = ['packages', 'apps'].flatMap((kind) => readdirSync(join(ROOT, kind)).map((name) => join(kind, name)));
  expect(folders.length).toBeGreaterThan(10);
  for (const folder of ['.', ...folders]) expect([folder, versionIn(folder)]).toEqual([folder, VERSION]);
});
