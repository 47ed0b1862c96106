import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, Router } from 'express';

const WEB = fileURLToPath(new URL('../web/', import.meta.url));
const fileOf = (specifier: string) => fileURLToPath(import.meta.resolve(specifier));

/** The libraries of the page, from node_modules: nothing is fetched from elsewhere. */
const LIBRARIES: Record<string, string> = {
  'preact.mjs': fileOf('preact'),
  'uPlot.mjs': fileOf('uplot/dist/uPlot.esm.js'),
  'uPlot.css': fileOf('uplot/dist/uPlot.min.css'),
};

/** Where the page has addresses. Its script shows what belongs to each. */
const ADDRESSES = ['/', '/broadcasts', '/broadcasts/new', '/broadcasts/:no', '/dead'];

/** Scripts and styles. They know nothing, so the login page has them too. */
export function assets(): Router {
  const router = Router();
  for (const [name, file] of Object.entries(LIBRARIES)) router.get(`/vendor/${name}`, sends(file));
  router.use(express.static(WEB, { index: false, redirect: false, cacheControl: false }));
  return router;
}

/** The page, which is the same text at every address. */
export function pages(): Router {
  const router = Router();
  router.get(ADDRESSES, sends(`${WEB}page.html`));
  return router;
}

const sends =
  (file: string): RequestHandler =>
  (_, response) =>
    response.sendFile(file, { cacheControl: false });
