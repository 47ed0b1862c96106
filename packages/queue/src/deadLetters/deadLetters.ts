import { keys, type Shards } from '@ruyi/store';
import type { Problem } from '../jobs.ts';
import type { Queues } from '../queues.ts';
import { codeOf, howToMend, whatIsWrong } from './letterCodes.ts';
import { type LetterGroup, LetterGroups } from './letterGroups.ts';
import { eachLetter, type Letter, type Position, readLetter, triesOf } from './letterRecords.ts';
import { type Sample, sampleOf } from './letterSummary.ts';
import { contentOf, type LetterContent, type Target } from './letterTargets.ts';
import { type Retry, retryLetter } from './retryLetter.ts';

/** Which letters are meant; all by default. */
export interface LetterFilter {
  /** a broadcast_no or a batch_no */
  broadcast?: string;
  code?: string;
}

/** One question reads the summaries of at most this many letters, the newest ones: some 100 ms of work. */
const MOST_READ = 10_000;
const PAGE = 50;
const LARGEST_PAGE = 500;
const UIDS = 20;
const LONGEST_RAW = 2000;

/** A problem with what is wrong and how it is mended, in words. */
interface ToldProblem extends Problem {
  title: string;
  fix: string;
}

/** One letter whole. */
export interface LetterDetails extends Omit<Letter, 'problems'> {
  problems: (ToldProblem & {
    /** `now`: the type that the key has at this moment, 'none' if it is absent */
    samples: (Sample & { now?: string })[];
    /** those that are not named here */
    more: number;
  })[];
  /** unreadable data as it was found, cut */
  raw?: string;
}

/** One that was not reached, as a line of an export. */
export interface LetterLine extends Sample {
  id: string;
  kind: string;
  code: string;
  reason: string;
  batch_no?: string;
  broadcast_no?: string;
  from?: string;
}

/**
 * What an operator does with dead letters: sees, tries again, drops. For `ruyi dead` and the operator's page. All answers are
 * bounded, however many letters there are and however many recipients they have.
 */
export class DeadLetters {
  readonly #queues: Queues;
  readonly #shards: Shards;

  /** @param shards of the installation: shardsOfInstallation */
  constructor(queues: Queues, shards: Shards) {
    this.#queues = queues;
    this.#shards = shards;
  }

  /** How many there are, whatever they are about. */
  count(): Promise<number> {
    return this.#queues.dead.getFailedCount();
  }

  /**
   * Letters by equal reasons, the newest first. `more` groups are not listed, and of the letters only the newest 10,000 are
   * read: `unread` is the number of the others.
   */
  async groups(filter: LetterFilter = {}): Promise<{
    total: number;
    unread: number;
    more: number;
    groups: (LetterGroup & { title: string; fix: string })[];
  }> {
    const isWanted = await this.#wanted(filter);
    const groups = new LetterGroups();
    let read = 0;
    for await (const { letter } of eachLetter(this.#queues, this.#shards)) {
      if (isWanted.letter(letter)) groups.add(letter, isWanted.problem);
      if (++read === MOST_READ) break;
    }
    const total = await this.count();
    const told = groups.groups.map((group) => ({ ...group, ...toldOf(group, retryCommand(group)) }));
    return { total, unread: Math.max(0, total - read), more: groups.more, groups: told };
  }

  /**
   * A page of letters, the one that failed last first.
   * @param options.limit letters, 50 by default, at most 500
   * @param options.cursor of the page before @returns no cursor with the last page
   */
  async page(
    filter: LetterFilter = {},
    { limit = PAGE, cursor }: { limit?: number; cursor?: string | undefined } = {},
  ): Promise<{ letters: Letter[]; cursor?: string }> {
    const isWanted = await this.#wanted(filter);
    const letters: Letter[] = [];
    let read = 0;
    for await (const { letter, position } of eachLetter(this.#queues, this.#shards, positionOf(cursor))) {
      if (isWanted.letter(letter)) letters.push(letter);
      const isFull = letters.length >= Math.min(limit, LARGEST_PAGE);
      if (isFull || ++read === MOST_READ) return { letters, cursor: `${position.failedAt}.${position.id}` };
    }
    return { letters };
  }

  /** All letters, read in pages. Those that fail again meanwhile keep their places. */
  async *each(filter: LetterFilter = {}): AsyncGenerator<Letter> {
    const isWanted = await this.#wanted(filter);
    for await (const { letter } of eachLetter(this.#queues, this.#shards)) if (isWanted.letter(letter)) yield letter;
  }

  /** The ids of all letters, for whoever does something to each. */
  async *ids(filter: LetterFilter = {}): AsyncGenerator<string> {
    for await (const { id } of this.each(filter)) yield id;
  }

  /** @param uids how many recipients of each problem are named, 20 by default @returns undefined if it is gone */
  async show(id: string, uids = UIDS): Promise<LetterDetails | undefined> {
    const found = await readLetter(this.#queues, id, this.#shards);
    if (!found) return undefined;
    const { summary, letter } = found;
    const content = contentOf(id, letter);
    const problems = content.problems.map(async (problem, i) => {
      const targets = content.targets[i] ?? [];
      const samples = await Promise.all(
        targets.slice(0, uids).map((target) => this.#inspect(content, problem, target)),
      );
      const told = toldOf({ ...problem, samples }, `ruyi dead retry ${id}`);
      return { ...problem, ...told, samples, more: Math.max(0, targets.length - samples.length) };
    });
    const raw = letter.raw === undefined ? {} : { raw: letter.raw.slice(0, LONGEST_RAW) };
    return { ...summary, problems: await Promise.all(problems), ...raw };
  }

  async #inspect(content: LetterContent, problem: Problem, target: Target) {
    const sample = sampleOf(content, problem, target, this.#shards);
    return sample.key === undefined ? sample : { ...sample, now: await this.#queues.redis.type(sample.key) };
  }

  /** Everyone and everything that was not reached, one by one: exactly those of the letters that match. */
  async *lines(filter: LetterFilter = {}): AsyncGenerator<LetterLine> {
    const isWanted = await this.#wanted(filter);
    for await (const { id } of this.each(filter)) {
      const found = await readLetter(this.#queues, id, this.#shards);
      if (!found) continue;
      const content = contentOf(id, found.letter);
      const { kind, batch, broadcast, from } = content;
      for (const [i, problem] of content.problems.entries()) {
        if (!isWanted.problem(problem)) continue;
        const { code, reason, key } = problem;
        const targets: Sample[] = content.targets[i] ?? [];
        for (const target of targets.length > 0 ? targets : [key === undefined ? {} : { key }]) {
          yield {
            ...{ id, kind, code, reason },
            ...(batch === undefined ? {} : { batch_no: batch }),
            ...(broadcast === undefined ? {} : { broadcast_no: broadcast }),
            ...(from === undefined ? {} : { from }),
            ...sampleOf(content, problem, target, this.#shards),
          };
        }
      }
    }
  }

  /** Puts the job of a letter back on its queue; see retryLetter. */
  retry(id: string): Promise<Retry> {
    return retryLetter(this.#queues, id, this.#shards);
  }

  /**
   * How a retry ended: `done` if the letter is gone. Whoever drops a letter that is being tried again sees the same.
   * @param tries what `retry` returned
   */
  async outcome({ id, tries }: { id: string; tries: number }): Promise<'running' | 'failed' | 'done'> {
    const noted = await triesOf(this.#queues, id);
    return noted === undefined ? 'done' : noted >= tries ? 'failed' : 'running';
  }

  /** Drops a letter for ever; who was not reached stays counted as failed. @returns false if there is none */
  async drop(id: string): Promise<boolean> {
    // BullMQ also says of a job that there is not that it was removed.
    const isThere = (await triesOf(this.#queues, id)) !== undefined;
    return (await this.#queues.dead.remove(id)) === 1 && isThere;
  }

  /** Letters of a broadcast know its batch_no; those of this version also its broadcast_no. */
  async #wanted({ broadcast, code }: LetterFilter) {
    const ref = broadcast === undefined ? null : await this.#queues.redis.hget(keys.about(broadcast), 'ref');
    const names = [broadcast, ref].filter((name) => name != null);
    const problem = (one: Problem) => code === undefined || one.code === code;
    const isOf = (letter: Letter) =>
      broadcast === undefined ||
      [letter.batch, letter.broadcast].some((name) => name !== undefined && names.includes(name));
    return { problem, letter: (letter: Letter) => isOf(letter) && letter.problems.some(problem) };
  }
}

/** What is wrong and how it is mended, with the key of the first one that was not reached. */
function toldOf(
  problem: Omit<Problem, 'count'> & { samples: Sample[] },
  retry: string,
): { title: string; fix: string } {
  const { reason, place, found } = problem;
  const key = problem.key ?? problem.samples.find((sample) => sample.key !== undefined)?.key;
  const known = { code: codeOf(problem), reason, key, place, found };
  return { title: whatIsWrong(known), fix: howToMend(known, retry) };
}

function retryCommand({ letters, ids, batch, broadcast }: LetterGroup): string {
  if (letters === 1) return `ruyi dead retry ${ids[0]}`;
  const no = broadcast ?? batch;
  return no === undefined ? 'ruyi dead retry --all' : `ruyi dead retry --broadcast ${no}`;
}

function positionOf(cursor = ''): Position | undefined {
  const [, failedAt, id] = /^(\d+)\.(.+)$/.exec(cursor) ?? [];
  return id === undefined ? undefined : { failedAt: Number(failedAt), id };
}
