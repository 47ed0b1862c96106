export interface Random {
  readonly seed: number;
  /** 0 ≤ n < 1 */
  next(): number;
  /** a whole number, min ≤ n ≤ max */
  whole(min: number, max: number): number;
  /** one of the items */
  pick<T>(items: readonly [T, ...T[]]): T;
}

/**
 * Repeatable random numbers (mulberry32). The seed is the argument, or SEED in the environment, or a new one. It is
 * printed unless it was an argument, so that a failure can be repeated with `SEED=… npx vitest run …`.
 */
export function seededRandom(given?: number): Random {
  const fromEnvironment = process.env.SEED ? Number(process.env.SEED) : undefined;
  const seed = (given ?? fromEnvironment ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;
  if (given === undefined) console.log(`SEED=${seed}`);
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return { seed, next, whole, pick: (items) => items[whole(0, items.length - 1)] ?? items[0] };
}
