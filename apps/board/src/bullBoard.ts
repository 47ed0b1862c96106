import type { UIConfig } from '@bull-board/api/typings/app';
import type { ExpressAdapter } from '@bull-board/express';
import type { Config } from '@ruyi/config';
import type { Express } from 'express';

// What the board relies on in Bull Board beyond its documented interface. Each of these is checked in
// test/bullBoard.unit.test.ts, so that an upgrade fails there.

/** The query field with the number of jobs per page. */
export const JOBS_PER_PAGE = 'jobsPerPage';

/** A body whose `message` the page shows. @param key of one of the page's texts, which is the title */
export const errorBody = (key: 'QUEUE_READ_ONLY' | 'INTERNAL_SERVER_ERROR', message: string) => ({
  error: { key: `ERRORS.${key}` },
  message,
});

/** The pages as an Express application, which `getRouter` does not type. */
export function pagesOf(adapter: ExpressAdapter): Express {
  const pages: Express = adapter.getRouter();
  pages.disable('x-powered-by');
  return pages;
}

const FONTS = {
  'font-sans': "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', sans-serif",
  'font-mono': 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
};
const BANNER = { color: '#8a1f11', textColor: '#ffffff' };

/** What is the same on every page: fonts of the machine, no link elsewhere, the environment's name. */
export const uiConfig = ({ boardEnvironment }: Pick<Config, 'boardEnvironment'>): UIConfig => ({
  boardTitle: 'Ruyi',
  hideDocsLink: true,
  overview: { groupByDelimiter: true },
  theme: { light: FONTS, dark: FONTS },
  ...(boardEnvironment === '' ? {} : { environment: { label: boardEnvironment, ...BANNER } }),
});
