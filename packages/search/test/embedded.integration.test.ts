import { createEmbeddedEngine } from '@ruyi/search';
import { tempDir } from '@ruyi/testkit';
import { contractSuite } from './contract/suite.ts';

contractSuite('embedded', async () => {
  const folder = tempDir('search');
  const writer = createEmbeddedEngine({ directory: folder.path, role: 'writer' });
  const reader = createEmbeddedEngine({ directory: folder.path, role: 'reader' });
  await writer.prepare();
  return {
    writer,
    reader,
    refused: { audience: [] },
    async close() {
      await Promise.all([writer.close(), reader.close()]);
      folder.remove();
    },
  };
});
