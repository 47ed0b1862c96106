import { loadScript } from '@ruyi/redis';
import { unlessDamaged } from '../damage.ts';
import { keys } from '../keys.ts';
import type { SweptPlace } from './places.ts';
import type { SweepContext } from './sweepContext.ts';

const sweepInboxesScript = loadScript(import.meta.url, 'sweep-inboxes');
const emptyCommands = loadScript(import.meta.url, 'empty-commands');

/** What one call looks at. */
const CALL = { inboxes: 32, commands: 500, bytes: 64 * 1024 };

/** An expired command's place in its inbox. It reads as a reference to a body that never exists, so readers leave it out. */
const EMPTY = '0.0';

/** An inbox, and how far it is swept. */
type Piece = SweptPlace & { after: number };

/** What a call found in one inbox. */
interface Found {
  after: number;
  emptied: number;
  /** seqs below which commands must go: acknowledged or too many; empty */
  below: number;
  emptyBelow: number;
  references: { seq: string; command: string }[];
}

/** Drops from some inboxes of one shard, whole, what INBOX_KEEP, INBOX_MAX and `expire` say. */
export async function sweepInboxes(context: SweepContext, inboxes: SweptPlace[]): Promise<void> {
  let pieces: Piece[] = inboxes.map((inbox) => ({ ...inbox, after: 0 }));
  while (pieces.length > 0) {
    const call = pieces.splice(0, CALL.inboxes);
    const { now, found } = await context.pace.work(() => sweepPieces(context, call));
    const rest: Piece[] = [];
    for (const [i, piece] of call.entries()) {
      const inbox = found[i];
      if (inbox === undefined) continue;
      await unlessDamaged(() => dropCommands(context, piece, inbox, now));
      if (inbox.after >= 0) rest.push({ ...piece, after: inbox.after });
    }
    pieces = [...rest, ...pieces];
  }
}

async function sweepPieces({ redis, limits }: SweepContext, pieces: Piece[]) {
  const callKeys = pieces.flatMap(({ shard, name }) => [
    keys.cursor(shard, name),
    keys.inboxSeq(shard, name),
    keys.inbox(shard, name),
  ]);
  const bounds = [limits.inboxKeep, limits.inboxMax, EMPTY, CALL.commands, CALL.bytes];
  const reply = await sweepInboxesScript(redis, callKeys, [...bounds, ...pieces.map(({ after }) => after)]);
  const [now, ...inboxes] = Array.isArray(reply) ? reply : [];
  return { now: Number(now), found: inboxes.map(foundIn) };
}

/** undefined for an inbox that is damaged: it stays as it is. */
function foundIn(reply: unknown): Found | undefined {
  if (!Array.isArray(reply) || reply.length < 5) return undefined;
  const [after, emptied, below, emptyBelow, pairs] = reply;
  const references: Found['references'] = [];
  const list = Array.isArray(pairs) ? pairs.map(String) : [];
  for (let i = 0; i + 1 < list.length; i += 2) references.push({ seq: list[i] ?? '', command: list[i + 1] ?? '' });
  return {
    after: Number(after),
    emptied: Number(emptied),
    below: Number(below),
    emptyBelow: Number(emptyBelow),
    references,
  };
}

async function dropCommands(
  { pace, redis, trimmer, times, count }: SweepContext,
  { shard, name }: SweptPlace,
  { emptied, below, emptyBelow, references }: Found,
  now: number,
): Promise<void> {
  count({ expired: emptied });
  if (below > 0) count({ commands: await pace.work(() => trimmer.dropBelow(shard, name, below)) });
  if (emptyBelow > 0) await pace.work(() => trimmer.dropBelow(shard, name, emptyBelow));
  if (references.length === 0) return;
  const { expired } = await times.sort(
    references.map(({ command }) => command),
    now,
    0,
  );
  if (expired.length === 0) return;
  const gone = new Set(expired);
  const args = references.flatMap(({ seq, command }) => (gone.has(command) ? [seq, command] : []));
  const replaced = await pace.work(async () => {
    await trimmer.countDown(expired);
    return emptyCommands(redis, [keys.inboxSeq(shard, name), keys.inbox(shard, name)], [EMPTY, ...args]);
  });
  count({ expired: Number(replaced) });
}
