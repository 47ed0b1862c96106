import { Presets, SingleBar } from 'cli-progress';

/**
 * The items, one after the other. A terminal shows how many of them are done and for how long; a file or a pipe gets nothing.
 * @param what is measured: 'fan-out'
 */
export function* withProgress<T>(
  what: string,
  items: Iterable<T>,
  total: number,
  stream: NodeJS.WritableStream = process.stderr,
): Generator<T> {
  const bar = new SingleBar(
    {
      stream,
      format: `  ${what} {bar} {value} of {total}, {duration_formatted}`,
      clearOnComplete: true,
      hideCursor: true,
      // Also while nothing moves: the time goes on.
      forceRedraw: true,
      fps: 2,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  try {
    for (const item of items) {
      yield item;
      bar.increment();
    }
  } finally {
    bar.stop();
  }
}

/** The numbers from 0 to `count` - 1, with progress. */
export const roundsOf = (what: string, count: number, stream?: NodeJS.WritableStream): Generator<number> =>
  withProgress(what, Array(count).keys(), count, stream);
