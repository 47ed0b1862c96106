import type { Logger } from './log.ts';

/**
 * For work that is repeated: logs the first of several failures in a row. While Redis is away everything that is measured
 * or reported several times a second fails, and one line says it.
 */
export const firstFailure =
  (log: Logger, text: string) =>
  (err: unknown, inARow: number): void => {
    if (inARow === 1) log.warn({ err }, text);
  };
