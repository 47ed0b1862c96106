import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const OTHERS = new Set(['node_modules', 'dist', 'data', 'coverage', '.git', '.turbo', 'results', 'recorded']);

export interface TextFile {
  /** from the root of the repository */
  path: string;
  text: string;
}

/** The files of the repository in these folders whose name matches; `.` is the root without its folders. */
function filesIn(folders: string[], name: RegExp): TextFile[] {
  return folders.flatMap((folder) => walk(join(root, folder), folder !== '.', name));
}

function walk(folder: string, deep: boolean, name: RegExp): TextFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return deep && !OTHERS.has(entry.name) ? walk(path, deep, name) : [];
    return name.test(entry.name) ? [{ path: relative(root, path), text: readFileSync(path, 'utf8') }] : [];
  });
}

/** Everything that may cite a page. */
export const sources = (): TextFile[] =>
  filesIn(
    ['.', '.github', 'apps', 'packages', 'bench', 'deploy', 'torture', 'test', 'scripts'],
    /\.([cm]?[jt]s|lua|ya?ml)$|^Dockerfile$/,
  );
/** The sources of an installation, without tests and tools. */
export const runtimeSources = (): TextFile[] =>
  filesIn(['apps', 'packages'], /\.([cm]?ts|lua)$/).filter(({ path }) => path.includes('/src/'));
export const pages = (): TextFile[] =>
  filesIn(['.', '.github', 'docs', 'apps', 'packages', 'bench', 'torture', 'test', 'scripts'], /\.md$/);
export const page = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Everything that the first group of a pattern captures. */
export const captures = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, first]) => first ?? '');

/** One line `file: what` per match that is not allowed. */
export const findings = (files: TextFile[], find: (text: string, path: string) => string[]): string[] =>
  files.flatMap(({ path, text }) => find(text, path).map((what) => `${path}: ${what}`));
