/** The kinds of findings. The first five are violations of the promise itself. */
export const findingKinds = [
  'lost',
  'doubled',
  'gap',
  'misordered',
  'torn',
  'unexpected',
  'wrong answer',
  'batch progress',
  'search',
  'stuck',
  'crash',
  'shutdown',
  'growth',
  'error log',
] as const;
export type FindingKind = (typeof findingKinds)[number];

/** Collects everything that is wrong. All findings are counted, and the first few of each kind keep their details. */
export class Findings {
  readonly #counts = new Map<FindingKind, number>();
  readonly #details: string[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  add(kind: FindingKind, detail: string): void {
    const count = this.count(kind) + 1;
    this.#counts.set(kind, count);
    if (count > 20) return;
    this.#details.push(`${kind}: ${detail}`);
    this.#say(`!! ${kind}: ${detail}`);
  }

  count(kind: FindingKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  get details(): readonly string[] {
    return this.#details;
  }
}
