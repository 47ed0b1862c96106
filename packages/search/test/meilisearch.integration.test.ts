import { createMeilisearchEngine } from '@ruyi/search';
import { describe, test } from 'vitest';
import { cases } from './contract/cases.ts';
import { contractSuite } from './contract/suite.ts';
import { newIndexName, removeIndex, server } from './meilisearchServer.ts';

const given = server;
if (given) {
  contractSuite('meilisearch', async () => {
    const options = { ...given, indexName: newIndexName() };
    const writer = createMeilisearchEngine({ ...options, role: 'writer' });
    const reader = createMeilisearchEngine({ ...options, role: 'reader' });
    await writer.prepare();
    return {
      writer,
      reader,
      refused: { id: 'no id!' },
      async close() {
        await Promise.all([writer.close(), reader.close()]);
        await removeIndex(options);
      },
    };
  });
} else {
  const count = Object.values(cases).flat().length;
  console.log(`not run: the ${count} cases of the search contract on Meilisearch; set MEILI_URL (and MEILI_API_KEY)`);
  describe.skip('the search contract on the meilisearch engine', () => {
    test('needs MEILI_URL', () => {});
  });
}
