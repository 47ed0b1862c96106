import type { RequestListener, ServerResponse } from 'node:http';
import type { Readiness } from './readiness.ts';

/** An answer to a probe, in the form of every other answer (docs/api.md §1). */
export interface ProbeAnswer {
  status: number;
  body: object;
  headers: Record<string, string>;
}

const OK: ProbeAnswer = { status: 200, body: { status: 200 }, headers: {} };

const refusal = (status: number, code: string, msg: string, headers = {}): ProbeAnswer => ({
  status,
  body: { msg, status, code, doc: `docs/errors.md#${code}` },
  headers,
});

/** /livez: the event loop turns, or nobody would get this answer. Redis is not asked: a restart would not heal it. */
export const answerLive = async (): Promise<ProbeAnswer> => OK;

/** /readyz: 200 if requests should be sent here, otherwise 503 and why not. */
export async function answerReady(readiness: Readiness): Promise<ProbeAnswer> {
  const reason = await readiness.reason();
  return reason === undefined ? OK : refusal(503, 'unavailable', reason, { 'Retry-After': '1' });
}

/** What a server does with requests that are no probes. */
export const NOTHING_ELSE = refusal(404, 'not_found', 'only /livez and /readyz are served here');
export const STILL_STARTING = refusal(503, 'unavailable', 'starting, try again', { 'Retry-After': '1' });

/** Answers GET and HEAD of /livez and /readyz, whoever asks, and `others` to everything else. */
export function probesOnly(readiness: Readiness, others: ProbeAnswer): RequestListener {
  return (request, response) => {
    // Nobody reads a body here.
    request.resume();
    void answerOf(readiness, others, request.method ?? '', request.url ?? '').then((answer) => send(response, answer));
  };
}

async function answerOf(readiness: Readiness, others: ProbeAnswer, method: string, url: string): Promise<ProbeAnswer> {
  const [path] = url.split('?');
  if (path !== '/livez' && path !== '/readyz') return others;
  if (method !== 'GET' && method !== 'HEAD') {
    return refusal(405, 'method_not_allowed', `${method} is not supported here`, { Allow: 'GET' });
  }
  return path === '/livez' ? answerLive() : answerReady(readiness);
}

function send(response: ServerResponse, { status, body, headers }: ProbeAnswer): void {
  const content = JSON.stringify(body);
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(content),
  });
  response.end(content);
}
