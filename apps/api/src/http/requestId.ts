import type { IncomingMessage } from 'node:http';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

/** Names requests (`x-request-id`, docs/api.md §1). */
export interface RequestIds {
  /** the client's own id if it is usable, otherwise a new one */
  of(request: IncomingMessage): string;
  next(): string;
}

/** @param process a name that is unique in the installation */
export function requestIds(process: string): RequestIds {
  let requests = 0;
  const next = () => `${process}-${++requests}`;
  return {
    next,
    of({ headers: { 'x-request-id': given } }) {
      return typeof given === 'string' && VISIBLE_ASCII.test(given) ? given : next();
    },
  };
}
