import type { Route, Section } from '../http/route.ts';
import { docsFile, docsPage } from '../openapi/docsPage.ts';
import { openApiDocument } from '../openapi/document.ts';

/**
 * The API described by itself (docs/api.md §3): the document, and a page that shows it.
 * @param sections all routes by subject, known once they are all there
 */
export function docsRoutes(sections: () => Section[]): Route[] {
  let document: Buffer | undefined;
  return [
    {
      method: 'GET',
      path: '/openapi.json',
      operation: 'openApi',
      summary: 'This document',
      answer: 'OpenApi',
      handle: async ({ config }) => {
        document ??= Buffer.from(JSON.stringify(openApiDocument(sections(), config)));
        return { body: document };
      },
    },
    {
      method: 'GET',
      path: '/docs',
      operation: 'docs',
      summary: 'This document as a page',
      answer: { types: ['text/html'], about: 'Swagger UI' },
      handle: docsPage,
    },
    {
      method: 'GET',
      path: '/docs/:file',
      operation: 'docsFile',
      summary: 'What the page consists of',
      answer: { types: ['text/javascript', 'text/css'], about: 'a script or a stylesheet' },
      handle: (_context, _schemas, _input, { params }) => docsFile(params.file ?? ''),
    },
  ];
}
