import { createEmbeddedEngine, createMeilisearchEngine } from '@ruyi/search';
import { tempDir } from '@ruyi/testkit';
import type { EnginePair } from './contract/suite.ts';
import { newIndexName, removeIndex, server } from './meilisearchServer.ts';
import { patientBounds } from './patientBounds.ts';

/** An embedded engine in a new folder. */
export async function openEmbedded(): Promise<EnginePair> {
  const folder = tempDir('search');
  const options = { directory: folder.path, bounds: patientBounds };
  const writer = createEmbeddedEngine({ ...options, role: 'writer' });
  const reader = createEmbeddedEngine({ ...options, role: 'reader' });
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
}

/** A new index on the Meilisearch that MEILI_URL names. */
export async function openMeilisearch(): Promise<EnginePair> {
  if (!server) throw new Error('MEILI_URL is not set');
  const options = { ...server, indexName: newIndexName() };
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
}

/** The engines that can be tested here. */
export const engines: [name: string, open: () => Promise<EnginePair>][] = [
  ['embedded', openEmbedded],
  ...(server ? [['meilisearch', openMeilisearch] as [string, () => Promise<EnginePair>]] : []),
];
