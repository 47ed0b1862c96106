/** A reason not to start; its message is the one line that the operator sees. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The first line of the message of whatever was thrown. */
export const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? '';

export type ErrorClass = new (...args: never[]) => Error;

/**
 * The line that the operator sees: the message of a StartError or an expected error, else the prefix and the first
 * line.
 */
export function lineFor(error: unknown, expected: ErrorClass[], prefix: string): string {
  const speaksForItself = [StartError, ...expected].some((type) => error instanceof type);
  return speaksForItself && error instanceof Error ? error.message : `${prefix}: ${oneLine(error)}`;
}
