import { ERROR_CODES, type ErrorCode } from '@ruyi/contracts';
import { isExempt, isWithoutToken } from '../http/openPaths.ts';
import type { Route } from '../http/route.ts';

/** What any request may be answered. */
const ANY: ErrorCode[] = ['invalid_request', 'timeout', 'headers_too_large', 'internal', 'unavailable'];
/** What any request with a JSON body may be answered. */
const WITH_BODY: ErrorCode[] = ['invalid_json', 'payload_too_large', 'overloaded'];

/** The codes that a route may answer (docs/api.md §1); of those with another method in its place none. */
function codesOf(route: Route): ErrorCode[] {
  const hasBody = route.method === 'POST' && route.request !== undefined;
  return [
    ...ANY,
    ...(isWithoutToken(route.path) ? [] : (['unauthorized', 'corrupt'] as const)),
    ...(isExempt(route.path) ? [] : (['forbidden'] as const)),
    ...(route.path.includes(':') ? (['not_found'] as const) : []),
    ...(hasBody ? WITH_BODY : []),
    ...(route.errors ?? []),
  ];
}

/** The responses to an error, by status. `x-codes` lists the codes that come with it. */
export function errorResponses(route: Route, schema: object): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(route)) {
    for (const status of ERROR_CODES[code].statuses) byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].meaning}`).join('; '),
        content: { 'application/json': { schema } },
        'x-codes': codes,
      },
    ]),
  );
}
