import { setMaxListeners } from 'node:events';

/** An AbortController for many tasks at once: of more than ten Node would warn as of a leak. */
export function sharedAbort(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
