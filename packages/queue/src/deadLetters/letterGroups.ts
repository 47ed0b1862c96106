import type { Problem } from '../jobs.ts';
import type { Letter } from './letterRecords.ts';
import type { Sample } from './letterSummary.ts';
import type { LetterKind } from './letterTargets.ts';

/** A list of groups names at most this many, and of each this many samples and ids. */
const MOST_GROUPS = 100;
const SAMPLES = 10;
const IDS = 20;

/** Letters with the same reason, of one batch or broadcast if they belong to one. Times are milliseconds. */
export interface LetterGroup {
  kind: LetterKind;
  code: string;
  /** of the newest letter */
  reason: string;
  place?: Problem['place'];
  found?: string;
  batch?: string;
  broadcast?: string;
  from?: string;
  /** recipients, or whatever else was not reached */
  count: number;
  letters: number;
  /** letters that a job tries again just now */
  retrying: number;
  /** of the letter that was tried most often */
  tries: number;
  firstAt: number;
  lastAt: number;
  isRetryable: boolean;
  /** the first of those that were not reached, with the keys to blame */
  samples: Sample[];
  /** of the newest letters */
  ids: string[];
}

/** Puts letters with equal reasons together. */
export class LetterGroups {
  readonly #groups = new Map<string, LetterGroup>();
  /** groups that are not in the list, because it is full */
  readonly #more = new Set<string>();

  add(letter: Letter, isWanted: (problem: Problem) => boolean): void {
    for (const problem of letter.problems) {
      if (!isWanted(problem)) continue;
      const { code, place, found, key } = problem;
      const isOwn = letter.batch !== undefined || letter.kind === 'message';
      const about = isOwn ? [] : [letter.queue, problem.reason];
      const name = JSON.stringify([letter.kind, code, place, found, key, letter.batch, letter.broadcast, ...about]);
      const known = this.#groups.get(name);
      if (known) join(known, letter, problem);
      else if (this.#groups.size < MOST_GROUPS) this.#groups.set(name, join(groupOf(letter, problem), letter, problem));
      else this.#more.add(name);
    }
  }

  /** The groups, the one that failed last first. */
  get groups(): LetterGroup[] {
    return [...this.#groups.values()];
  }

  get more(): number {
    return this.#more.size;
  }
}

function groupOf(letter: Letter, { code, reason, place, found }: Problem): LetterGroup {
  const { kind, batch, broadcast, from, firstAt, lastAt, isRetryable } = letter;
  return {
    kind,
    code,
    reason,
    ...(place === undefined ? {} : { place }),
    ...(found === undefined ? {} : { found }),
    ...(batch === undefined ? {} : { batch }),
    ...(broadcast === undefined ? {} : { broadcast }),
    // Single messages of a group have many senders.
    ...(from === undefined || kind === 'message' ? {} : { from }),
    ...{ count: 0, letters: 0, retrying: 0, tries: 0, firstAt, lastAt, isRetryable, samples: [], ids: [] },
  };
}

function join(group: LetterGroup, letter: Letter, problem: Letter['problems'][number]): LetterGroup {
  group.count += problem.count;
  group.letters++;
  if (letter.retryingSince !== undefined) group.retrying++;
  group.tries = Math.max(group.tries, letter.tries);
  group.firstAt = Math.min(group.firstAt, letter.firstAt);
  group.lastAt = Math.max(group.lastAt, letter.lastAt);
  group.isRetryable ||= letter.isRetryable;
  const named = problem.key === undefined ? problem.samples : [{ key: problem.key }, ...problem.samples];
  group.samples.push(...named.slice(0, SAMPLES - group.samples.length));
  if (group.ids.length < IDS) group.ids.push(letter.id);
  return group;
}
