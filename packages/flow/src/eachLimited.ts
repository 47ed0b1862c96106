/** Runs `work` on each item, at most `width` at a time. The first error is thrown once everything that was begun has ended. */
export async function eachLimited<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const runner = async () => {
    for (let next = rest.next(); !next.done && errors.length === 0; next = rest.next()) {
      try {
        await work(next.value);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, runner));
  if (errors.length > 0) throw errors[0];
}
