import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { NotFoundError } from '@ruyi/contracts';
import type { Answered } from '../http/route.ts';

const SWAGGER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** Addresses are relative, so the page also works behind a proxy that serves it under another path. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Ruyi API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/page.css">
</head>
<body>
<main id="api"></main>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/page.js"></script>
</body>
</html>
`;

const SCRIPT = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#api',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;

/** Nothing from another host, neither scripts nor styles in the page itself. */
const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

const TYPES: Record<string, string> = { js: 'text/javascript', css: 'text/css', html: 'text/html' };
const typed = (name: string) => ({ ...HEADERS, 'Content-Type': `${TYPES[name]}; charset=utf-8` });

/** The page itself. It asks for nothing that this API does not serve. */
export const docsPage = async (): Promise<Answered> => ({ body: PAGE, headers: typed('html') });

const OWN: Record<string, string> = { 'page.js': SCRIPT, 'page.css': 'body { margin: 0 }\n' };
const FROM_SWAGGER = ['swagger-ui.css', 'swagger-ui-bundle.js'];
export const DOCS_FILES = [...Object.keys(OWN), ...FROM_SWAGGER];

/** A file of the page. @throws NotFoundError */
export async function docsFile(name: string): Promise<Answered> {
  const headers = typed(name.endsWith('.css') ? 'css' : 'js');
  const own = OWN[name];
  if (own !== undefined) return { body: own, headers };
  if (!FROM_SWAGGER.includes(name)) throw new NotFoundError(`no such file: ${name}`);
  return { body: await readFile(join(SWAGGER, name)), headers };
}
