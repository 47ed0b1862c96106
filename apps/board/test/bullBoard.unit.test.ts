import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ExpressAdapter } from '@bull-board/express';
import { expect, test } from 'vitest';
import { errorBody, JOBS_PER_PAGE, pagesOf } from '../src/bullBoard.ts';

const require = createRequire(import.meta.url);
const { getQueuesQuerySchema } = require('@bull-board/api/dist/schemas/requests.js');

test('its list of queues reads the number of jobs per page from the field that is bounded', () => {
  expect(getQueuesQuerySchema.entries).toHaveProperty(JOBS_PER_PAGE);
});

test.each(['QUEUE_READ_ONLY', 'INTERNAL_SERVER_ERROR'] as const)('its page has a text for ERRORS.%s', (key) => {
  const ui = dirname(createRequire(require.resolve('@bull-board/api')).resolve('@bull-board/ui/package.json'));
  const texts = JSON.parse(readFileSync(join(ui, 'dist/static/locales/en-US/messages.json'), 'utf8'));
  expect(errorBody(key, 'why')).toEqual({ error: { key: `ERRORS.${key}` }, message: 'why' });
  expect(texts.ERRORS).toHaveProperty(key);
});

test('its router is an Express application, which would otherwise send x-powered-by', () => {
  const adapter = new ExpressAdapter();
  expect(adapter.getRouter().enabled('x-powered-by')).toBe(true);
  expect(pagesOf(adapter).enabled('x-powered-by')).toBe(false);
});
