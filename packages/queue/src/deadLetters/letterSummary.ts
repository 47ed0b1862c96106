import type { Shards } from '@ruyi/store';
import type { DeadJob, Problem } from '../jobs.ts';
import { contentOf, keyOfTarget, type LetterContent, type LetterKind, type Target } from './letterTargets.ts';

/** A letter of thousands of recipients names this many of each problem; `show` and `export` name more. */
const SAMPLES = 10;
const LONGEST_REASON = 500;

/** Somebody or something that was not reached, and the key that is to blame. */
export interface Sample extends Target {
  key?: string;
}

/** What is told of a letter without reading all of it. Times are milliseconds. */
export interface LetterSummary {
  kind: LetterKind;
  queue: string;
  batch?: string;
  broadcast?: string;
  from?: string;
  /** recipients; 1 for anything else */
  count: number;
  tries: number;
  firstAt: number;
  lastAt: number;
  /** whether a retry can be tried at all */
  isRetryable: boolean;
  problems: (Problem & { samples: Sample[] })[];
}

export function summaryOf(id: string, letter: DeadJob, shards: Shards | undefined, addedAt: number): LetterSummary {
  const content = contentOf(id, letter);
  const { kind, batch, broadcast, from, count, problems, targets } = content;
  const { queue, firstAt = addedAt, lastAt = addedAt, tries = triesOfId(id) } = letter;
  return {
    kind,
    queue,
    ...(batch === undefined ? {} : { batch }),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(from === undefined ? {} : { from }),
    ...{ count, tries, firstAt, lastAt },
    isRetryable: isRetryable(letter),
    problems: problems.map((problem, i) => ({
      ...problem,
      reason: cut(problem.reason),
      samples: (targets[i] ?? []).slice(0, SAMPLES).map((target) => sampleOf(content, problem, target, shards)),
    })),
  };
}

export function sampleOf(content: LetterContent, problem: Problem, target: Target, shards: Shards | undefined): Sample {
  const key = keyOfTarget(content, problem.place, target, shards);
  return key === undefined ? target : { ...target, key };
}

/** The job of a letter can carry the letter's id only if its data is an object. */
const isRetryable = ({ data }: DeadJob): boolean => typeof data === 'object' && data !== null && !Array.isArray(data);

const cut = (text: string) => (text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON)}…` : text);

/** An earlier version gave a letter that failed again a new id, made of the former one. */
export const triesOfId = (id: string): number => 1 + (id.match(/retry-dead-/g)?.length ?? 0);
