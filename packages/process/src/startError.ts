/** A reason not to start; its message is the one line that the operator sees. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The message of whatever was thrown, on one line. */
export const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? '';

export type ErrorClass = new (...args: never[]) => Error;

/** The operator's line about an error: its message if it is a StartError or expected, else the prefix and its first line. */
export function lineFor(error: unknown, expected: ErrorClass[], prefix: string): string {
  const speaksForItself = [StartError, ...expected].some((type) => error instanceof type);
  return speaksForItself && error instanceof Error ? error.message : `${prefix}: ${oneLine(error)}`;
}
