import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Tracing } from '@ruyi/telemetry';

interface Handled {
  request: IncomingMessage;
  response: ServerResponse;
  /** of the route, once that is known */
  pathOf(): string;
}

/** Handles a request in a trace, if there is tracing. Not one of GET: pages and probes ask again and again. */
export function traced(tracing: Tracing | undefined, { request, response, pathOf }: Handled, handle: () => void): void {
  const { method = 'GET', headers } = request;
  if (tracing === undefined || method === 'GET' || method === 'HEAD') {
    handle();
    return;
  }
  tracing.request({ method, headers }, (answered) => {
    // After the end of the answer, or of its connection.
    response.once('close', () => answered({ route: pathOf(), status: response.statusCode }));
    handle();
  });
}
