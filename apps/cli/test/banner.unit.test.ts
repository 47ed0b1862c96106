import { expect, test } from 'vitest';
import { withoutSecrets } from '../src/commands/up/banner.ts';

test.each([
  ['redis://host:6379/1', 'redis://host:6379/1'],
  ['redis://ann:hush@host', 'redis://…@host'],
  ['redis://:hush@host', 'redis://…@host'],
  ['redis://ann:hu@sh@host/1', 'redis://…@host/1'],
  ['redis+unix:///run/a@b/s#1', 'redis+unix:///run/a@b/s#1'],
  ['redis+unix://ann:hush@/run/a@b/s#1', 'redis+unix://…@/run/a@b/s#1'],
  ['https://key:hush@search.example/meili', 'https://…@search.example/meili'],
])('%s is shown as %s', (url, shown) => {
  expect(withoutSecrets(url)).toBe(shown);
});
