import { eachLimited, groupBy } from '@ruyi/flow';
import type { RedisClient } from '@ruyi/redis';
import type { Shards } from '@ruyi/store';
import type { Problem, ProblemPlace } from '../jobs.ts';
import { codeOfReason } from './letterCodes.ts';
import { keyOfTarget, type Target } from './letterTargets.ts';

const QUESTIONS_IN_FLIGHT = 256;

/** The keys of a log or an inbox: its entries and its counter. */
interface PlaceKeys {
  isInbox: boolean;
  entries: string;
  counter: string;
}

/** A key of a place that has the wrong type. */
interface WrongType {
  place: ProblemPlace;
  key: string;
  found: string;
}

/** Of each place the key that has the wrong type now, undefined if both are what they should be or absent. */
async function wrongTypes(redis: RedisClient, places: PlaceKeys[]): Promise<(WrongType | undefined)[]> {
  const wrong: (WrongType | undefined)[] = places.map(() => undefined);
  await eachLimited(places.entries(), QUESTIONS_IN_FLIGHT, async ([i, { isInbox, entries, counter }]) => {
    const [ofEntries, ofCounter] = await Promise.all([redis.type(entries), redis.type(counter)]);
    if (ofEntries !== 'none' && ofEntries !== (isInbox ? 'list' : 'zset')) {
      wrong[i] = { place: isInbox ? 'in' : 'log', key: entries, found: ofEntries };
    } else if (ofCounter !== 'none' && ofCounter !== 'string') {
      wrong[i] = { place: isInbox ? 'inseq' : 'seq', key: counter, found: ofCounter };
    }
  });
  return wrong;
}

/** Where the message of a letter should have gone. */
interface Destination {
  from: string;
  isCommand: boolean;
  shards: Shards;
}

/** A target whose log or inbox could not take the message, and what Redis said. */
interface FailedTarget<T extends Target> {
  target: T;
  reason: string;
}

/**
 * Looks at the places that could not take a message, so that the letter can say which key is to blame. A job that runs
 * again only knows that they had failed; this finds out why.
 * @returns the problem of each target
 */
export async function problemsOf<T extends Target>(
  redis: RedisClient,
  { shards, ...destination }: Destination,
  failures: FailedTarget<T>[],
): Promise<Omit<Problem, 'count'>[]> {
  const [entries, counter]: ProblemPlace[] = destination.isCommand ? ['in', 'inseq'] : ['log', 'seq'];
  const keyOf = (place: ProblemPlace | undefined, target: T) => keyOfTarget(destination, place, target, shards) ?? '';
  const places = failures.map(({ target }) => ({
    isInbox: destination.isCommand,
    entries: keyOf(entries, target),
    counter: keyOf(counter, target),
  }));
  const wrong = await wrongTypes(redis, places);
  return failures.map(({ reason }, i) => {
    const { place, found } = wrong[i] ?? {};
    if (place !== undefined && found !== undefined) return { code: 'wrong_type', reason, place, found };
    const code = codeOfReason(reason, 'refused');
    const meant = code === 'bad_counter' || code === 'channel_full' ? counter : entries;
    return { code, reason, ...(code === 'refused' || meant === undefined ? {} : { place: meant }) };
  });
}

/** The failures that have the same problem, and that problem. */
export function byProblem<F>(failures: F[], problems: Omit<Problem, 'count'>[]): { problem: Problem; failures: F[] }[] {
  const pairs = failures.flatMap((failure, i) => {
    const problem = problems[i];
    return problem ? [{ failure, problem }] : [];
  });
  const groups = groupBy(pairs, ({ problem: { code, place, found, reason } }) =>
    JSON.stringify([code, place, found, code === 'refused' ? reason : '']),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return [{ problem: { ...first.problem, count: group.length }, failures: group.map(({ failure }) => failure) }];
  });
}
