import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { captures, findings, page, pages, root, sources } from './files.ts';

/** A reader who has only the repository can follow every reference in the source and every link between the pages. */

const numbered = (path: string) => new Set(captures(page(path), /^## (\d+)\. /gm));

test('every § in the source names docs/api.md and one of its sections', () => {
  const sections = numbered('docs/api.md');
  const dangling = findings(sources(), (text) =>
    [...text.matchAll(/(\S+\s+(?:(?:\*|\/\/|--)\s+)?)?(§\d+(?:(?:, | and | to )§\d+)*)/g)]
      .filter(([, before = '', list = '']) => {
        const numbers = captures(list, /§(\d+)/g);
        return !/docs\/api\.md\s/.test(before) || numbers.some((number) => !sections.has(number));
      })
      .map(([whole]) => whole),
  );
  expect(dangling).toEqual([]);
  expect(sections.size).toBeGreaterThan(2);
});

test.each([
  ['invariant', /\binvariants? (\d+)/gi, () => numbered('docs/invariants.md')],
  ['decision', /\bdecisions? (\d+)/gi, () => new Set(captures(page('docs/decisions/README.md'), /\[0*(\d+)\]/g))],
])('every %s that the source or a page cites exists', (_, pattern, known) => {
  const numbers = known();
  const dangling = findings([...sources(), ...pages()], (text) =>
    [...text.matchAll(pattern)].filter(([, number = '']) => !numbers.has(number)).map(([whole]) => whole),
  );
  expect(dangling).toEqual([]);
  expect(numbers.size).toBeGreaterThan(2);
});

test('every page that the source names exists', () => {
  const missing = findings(sources(), (text, path) =>
    captures(text, /(?<![\w.}/-])([\w./-]+\.md)\b/g).filter(
      // A name that begins with // is part of an address.
      (name) =>
        !name.startsWith('//') && ![root, join(root, dirname(path))].some((from) => existsSync(join(from, name))),
    ),
  );
  expect(missing).toEqual([]);
});

const withoutExamples = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '');

/** The anchors that a page's headings get. */
const anchors = (text: string): Set<string> =>
  new Set(
    captures(withoutExamples(text), /^#+ (.+)$/gm).map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

test('every relative link leads to a file, and its anchor to a heading', () => {
  const dead = findings(pages(), (text, path) =>
    captures(withoutExamples(text), /\]\(([^)\s]+)\)/g)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? path : join(dirname(path), file);
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !anchors(page(target)).has(anchor);
      }),
  );
  expect(dead).toEqual([]);
});

test('every file of the repository that a page names exists', () => {
  const missing = findings(pages(), (text) =>
    captures(withoutExamples(text), /`((?:apps|packages|docs|scripts|bench|torture|test)\/[\w./-]+)`/g).filter(
      (name) => !existsSync(join(root, name)),
    ),
  );
  expect(missing).toEqual([]);
});
