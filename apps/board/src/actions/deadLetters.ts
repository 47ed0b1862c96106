import type { DeadLetters, Letter } from '@ruyi/queue';
import { z } from 'zod';
import type { Live } from '../live/live.ts';
import type { DeadOutcome, DeadTarget } from '../live/liveState.ts';
import type { Act } from './logged.ts';

const MOST_REFUSED = 20;

const text = z.string().max(1000);
const target: z.ZodType<DeadTarget> = z.union([
  z.object({ id: text }),
  z.object({
    kind: text,
    code: text,
    place: text.optional(),
    found: text.optional(),
    batch: text.optional(),
    broadcast: text.optional(),
    reason: text.optional(),
  }),
]);

/** @returns why it could not be done */
type Deed = (dead: DeadLetters, id: string) => Promise<string | undefined>;

export const retry: Deed = async (dead, id) => {
  const answer = await dead.retry(id);
  return 'refused' in answer ? answer.refused : undefined;
};

export const drop: Deed = async (dead, id) => ((await dead.drop(id)) ? undefined : 'no dead letter has this id');

/** Does it to one letter, or to all that are of a group now. */
export const onDead =
  (dead: DeadLetters, live: Live, deed: Deed): Act =>
  async ({ body }, signal): Promise<DeadOutcome> => {
    const outcome: DeadOutcome = { done: 0, refused: [] };
    for await (const id of meantBy(dead, target.parse(body))) {
      signal.throwIfAborted();
      const reason = await deed(dead, id);
      if (reason === undefined) outcome.done++;
      else if (outcome.refused.length < MOST_REFUSED) outcome.refused.push({ id, reason });
    }
    await live.dead.refresh();
    return outcome;
  };

async function* meantBy(dead: DeadLetters, wanted: DeadTarget): AsyncGenerator<string> {
  if ('id' in wanted) {
    yield wanted.id;
    return;
  }
  const { code, broadcast = wanted.batch } = wanted;
  for await (const letter of dead.each({ code, ...(broadcast === undefined ? {} : { broadcast }) })) {
    if (isOf(letter, wanted)) yield letter.id;
  }
}

function isOf(letter: Letter, wanted: Exclude<DeadTarget, { id: string }>): boolean {
  const { kind, batch, broadcast, code, place, found, reason } = wanted;
  if (letter.kind !== kind || letter.batch !== batch || letter.broadcast !== broadcast) return false;
  return letter.problems.some(
    (problem) =>
      problem.code === code &&
      problem.place === place &&
      problem.found === found &&
      (reason === undefined || problem.reason === reason),
  );
}
