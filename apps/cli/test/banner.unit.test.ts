import { expect, test } from 'vitest';
import { withoutSecrets } from '../src/commands/up/banner.ts';

test.each([
  ['https://search.example/meili', 'https://search.example/meili'],
  ['https://key:hush@search.example/meili', 'https://…@search.example/meili'],
])('%s is shown as %s', (url, shown) => {
  expect(withoutSecrets(url)).toBe(shown);
});
