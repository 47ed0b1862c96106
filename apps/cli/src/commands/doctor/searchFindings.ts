import type { Config } from '@ruyi/config';
import { indexFolder, missingRights, readIndexId, type SearchEngine, searchProblem, serverVersion } from '@ruyi/search';
import { type Finding, fail, ok, warn } from './finding.ts';

const OLDEST = [1, 50] as const;

/** The search engine, and what its key may do. */
export async function searchFindings(config: Config, engine: SearchEngine): Promise<Finding[]> {
  // Without an answer to the second there is nothing else to ask. A server that hangs is waited for once.
  const rights = config.meiliUrl === '' ? undefined : missingRights(config).catch(() => undefined);
  const [problem, missing] = await Promise.all([searchProblem(() => engine.check()), rights]);
  if (config.meiliUrl === '') {
    return [
      problem ? fail('search', problem) : ok('search', `the embedded index in ${indexFolder(config)} can be read`),
    ];
  }
  if (missing === undefined) return problem ? [fail('search', problem)] : [];
  if (missing.length > 0) {
    const message = `Meilisearch refuses MEILI_API_KEY ${missing.join(', ')}`;
    return [fail('search', { message, fix: 'set a key with the rights of docs/configuration.md' })];
  }
  if (problem) return [fail('search', problem)];
  return [
    ok('search', 'Meilisearch answers, and its key may do all that Ruyi needs'),
    versionFinding(await serverVersion(config)),
  ];
}

export function versionFinding(version: string | undefined): Finding {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  const isKnown = major === OLDEST[0] && minor >= OLDEST[1];
  if (version === undefined) {
    const message = 'the key may not ask Meilisearch for its version';
    return warn('search_version', { message, fix: `make sure that it is ${OLDEST.join('.')} or newer` });
  }
  if (isKnown) return ok('search_version', `Meilisearch ${version}`);
  const message = `Meilisearch ${version} was not tested with this version of Ruyi`;
  return warn('search_version', { message, fix: `use Meilisearch ${OLDEST.join('.')} or a later 1.x` });
}

/** Whether the embedded index of this machine is the one that the indexer writes. @param id of that one */
export const isOwnIndex = (config: Config, id: string | undefined): boolean =>
  config.meiliUrl !== '' || id === undefined || id === readIndexId(indexFolder(config));
