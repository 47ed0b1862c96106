import { SearchUnavailableError } from './searchEngine.ts';

const ELSE = 'the indexer repairs its index from Redis; if it does not, its log says why';

/**
 * Why searches fail, in words.
 * @param check rejects if they do
 * @returns undefined if they do not
 */
export async function searchProblem(check: () => Promise<void>): Promise<{ message: string; fix: string } | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { message, fix: (error instanceof SearchUnavailableError ? error.fix : undefined) ?? ELSE };
  }
}
