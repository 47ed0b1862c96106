/** Sorted numbers of documents, ascending, each once: eight bytes each however many there are. */
export type Numbers = Float64Array;

/** @param parts each ascending, and all of one below all of the next */
export function joined(parts: readonly (Numbers | readonly number[])[]): Numbers {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Of numbers in any order. */
export const sortedNumbers = (numbers: Iterable<number>): Numbers => Float64Array.from(new Set(numbers)).sort();

/** The first index whose number is at least this one. */
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

/** What both hold. */
export function shared(one: Numbers, other: Numbers): Numbers {
  const [few, many] = one.length <= other.length ? [one, other] : [other, one];
  return few.filter((n) => includes(many, n));
}
