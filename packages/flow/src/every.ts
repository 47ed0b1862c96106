/**
 * Calls `work` again and again, one call at a time, with a pause of `everyMs` in between, until it is stopped. A failure
 * ends nothing: the next call may succeed.
 * @param onError told of each failure, and how many there were in a row
 * @returns stops, and waits for the call that runs
 */
export function every(
  everyMs: number,
  work: () => Promise<unknown>,
  onError: (error: unknown, inARow: number) => void,
): () => Promise<void> {
  let stopped = false;
  let failures = 0;
  let current = Promise.resolve();
  const call = async () => {
    try {
      await work();
      failures = 0;
    } catch (error) {
      onError(error, ++failures);
    }
  };
  const tick = () => {
    current = call();
    void current.then(() => {
      if (!stopped) timer = setTimeout(tick, everyMs);
    });
  };
  let timer = setTimeout(tick, 0);
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await current;
  };
}
