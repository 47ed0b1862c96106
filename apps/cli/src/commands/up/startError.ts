/** A reason not to start; its message is the one line that the operator sees. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The message of whatever was thrown, on one line. */
export const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? '';
