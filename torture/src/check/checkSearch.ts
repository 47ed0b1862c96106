import { personalPair } from '@ruyi/contracts';
import { type Random, waitFor } from '@ruyi/testkit';
import type { Findings } from '../findings.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { parsePlace } from '../ledger/places.ts';
import { WORDS } from '../load/drafts.ts';
import { GROUP, type World } from '../load/world.ts';
import { type Asking, ask, type Stored } from './readBack.ts';

const INDEXED_DEADLINE_MS = 120_000;
const USERS = 60;

interface Question {
  what: string;
  query: object;
  total: number;
}

/** Compares totals of searches with what was read back: per group, per word, and everything that a user has. */
export async function checkSearch(
  asking: Asking,
  ledger: Ledger,
  findings: Findings,
  world: World,
  found: Map<string, Stored[]>,
  random: Random,
): Promise<number> {
  const questions = [...groupQuestions(ledger, world, found), ...userQuestions(world, found, random)];
  // Messages that a power failure took may still be in the index.
  const isExact = (total: number, expected: number) =>
    ledger.lossWindows.length === 0 ? total === expected : total >= expected;
  for (const { what, query, total } of questions) {
    let answered = -1;
    const isRight = async () => {
      const { body } = await ask(asking, 'POST', '/plugins/wk.plugin.search/usersearch', query);
      answered = body.total;
      return isExact(answered, total);
    };
    const deadlineMs = findings.count('search') > 0 ? 1000 : INDEXED_DEADLINE_MS;
    await waitFor(isRight, { deadlineMs, everyMs: 200 }).catch(() => {
      findings.add('search', `${what}: ${answered} found, ${total} stored`);
    });
  }
  return questions.length;
}

function groupQuestions(ledger: Ledger, world: World, found: Map<string, Stored[]>): Question[] {
  return world.groups.flatMap(({ id, members }) => {
    const stored = found.get(`log ${GROUP}:${id}`) ?? [];
    const uid = members.at(-1);
    const scope = { uid, channel_id: id, channel_type: GROUP, limit: 1 };
    const words = stored.map(({ token }) => ledger.sent[token ?? -1]?.word);
    return [
      { what: `all of group ${id}`, query: scope, total: stored.length },
      ...WORDS.map((word) => ({
        what: `${word} in group ${id}`,
        query: { ...scope, payload: { content: word } },
        total: words.filter((own) => own === word).length,
      })),
    ];
  });
}

/** All that belongs to a user who only receives: its personal logs and the logs of its groups. */
function userQuestions(world: World, found: Map<string, Stored[]>, random: Random): Question[] {
  const totals = new Map<string, number>();
  const add = (uid: string, count: number) => totals.set(uid, (totals.get(uid) ?? 0) + count);
  for (const [name, stored] of found) {
    const place = parsePlace(name);
    if (place.kind !== 'log') continue;
    for (const uid of personalPair(place.channel) ?? []) add(uid, stored.length);
  }
  for (const { id, members } of world.groups) {
    const count = found.get(`log ${GROUP}:${id}`)?.length ?? 0;
    for (const uid of new Set(members)) add(uid, count);
  }
  const first = random.whole(0, world.users.length - 1);
  return Array.from({ length: USERS }, (_, i) => world.users[(first + i * 11) % world.users.length] ?? '').map(
    (uid) => ({ what: `all of ${uid}`, query: { uid, limit: 1 }, total: totals.get(uid) ?? 0 }),
  );
}
