import { describe, test } from 'vitest';
import { cases } from './contract/cases.ts';
import { contractSuite } from './contract/suite.ts';
import { openMeilisearch } from './engines.ts';
import { server } from './meilisearchServer.ts';

if (server) {
  contractSuite('meilisearch', openMeilisearch);
} else {
  const count = Object.values(cases).flat().length;
  console.log(`skipped: the ${count} cases of the search contract on Meilisearch; set MEILI_URL (and MEILI_API_KEY)`);
  describe.skip('the search contract on the meilisearch engine', () => {
    test('needs MEILI_URL', () => {});
  });
}
