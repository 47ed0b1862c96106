// The server gives the page this library from node_modules (page/pages.ts).
export { default } from 'uplot';
