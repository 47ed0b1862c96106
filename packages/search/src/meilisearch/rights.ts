import { unavailable } from './errors.ts';
import { servingIndex } from './meilisearchEngine.ts';

const ANSWER_MS = 2000;

/** A request that an allowed key gets an answer to, and that changes nothing: what it sends is no JSON. */
interface Probe {
  right: string;
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
}

const probesOf = (index: string): Probe[] => [
  { right: 'search', method: 'POST', path: `/indexes/${index}/search` },
  { right: 'documents.add', method: 'POST', path: `/indexes/${index}/documents` },
  { right: 'indexes.get', method: 'GET', path: `/indexes/${index}` },
  { right: 'indexes.create', method: 'POST', path: '/indexes' },
  { right: 'settings.update', method: 'PATCH', path: `/indexes/${index}/settings` },
  { right: 'tasks.get', method: 'GET', path: '/tasks?limit=1' },
];

/**
 * What the key of an indexer may not do on a Meilisearch, of all that it must. Nothing is written.
 * @throws SearchUnavailableError if the server does not answer
 */
export async function missingRights(settings: { meiliUrl: string; meiliApiKey: string }): Promise<string[]> {
  const probes = probesOf(servingIndex('messages'));
  const statuses = await Promise.all(probes.map((probe) => statusOf(settings, probe)));
  return probes.filter((_, i) => statuses[i] === 401 || statuses[i] === 403).map(({ right }) => right);
}

async function statusOf({ meiliUrl, meiliApiKey }: Parameters<typeof missingRights>[0], { method, path }: Probe) {
  const headers: Record<string, string> = meiliApiKey === '' ? {} : { authorization: `Bearer ${meiliApiKey}` };
  const body = method === 'GET' ? {} : { body: 'no JSON', headers: { ...headers, 'content-type': 'application/json' } };
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    const response = await fetch(meiliUrl.replace(/\/$/, '') + path, { method, headers, signal, ...body });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    throw unavailable(error);
  }
}

/** The version of a Meilisearch; undefined if the key may not ask. @throws SearchUnavailableError */
export async function serverVersion({ meiliUrl, meiliApiKey }: Parameters<typeof missingRights>[0]) {
  const headers: Record<string, string> = meiliApiKey === '' ? {} : { authorization: `Bearer ${meiliApiKey}` };
  try {
    const response = await fetch(`${meiliUrl.replace(/\/$/, '')}/version`, {
      headers,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const answer: unknown = await response.json();
    const version: unknown =
      typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'pkgVersion') : undefined;
    return typeof version === 'string' ? version : undefined;
  } catch (error) {
    throw unavailable(error);
  }
}
