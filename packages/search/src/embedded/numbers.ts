/** Numbers of documents, ascending, each once. Each takes eight bytes, however many there are. */
export type Numbers = Float64Array;

/** Concatenates. @param parts each ascending, and every number lower than all of the next part */
export function joined(parts: readonly (Numbers | readonly number[])[]): Numbers {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** From numbers in any order, with repeats. */
export const sortedNumbers = (numbers: Iterable<number>): Numbers => Float64Array.from(new Set(numbers)).sort();

/** The index of the first number that is at least `wanted`. */
export function lowerBound(numbers: Numbers, wanted: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const includes = (numbers: Numbers, wanted: number): boolean => numbers[lowerBound(numbers, wanted)] === wanted;

/** The numbers that are in both. */
export function shared(one: Numbers, other: Numbers): Numbers {
  const [few, many] = one.length <= other.length ? [one, other] : [other, one];
  return few.filter((n) => includes(many, n));
}
