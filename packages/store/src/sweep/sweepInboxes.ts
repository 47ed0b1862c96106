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
export const EMPTY_COMMAND = '0.0';

/** An inbox, and how far it is swept. */
type Piece = SweptPlace & { after: number };

/** What a call found in one inbox. */
interface Found {
  after: number;
  emptied: number;
  /** commands below this seq must go: acknowledged or too many; 0: none */
  below: number;
  references: { seq: string; command: string }[];
}

/** Drops from some inboxes of one shard, whole, what INBOX_KEEP, INBOX_MAX and `expire` say. */
export async function sweepInboxes(context: SweepContext, inboxes: SweptPlace[]): Promise<void> {
  let pieces: Piece[] = inboxes.map((inbox) => ({ ...inbox, after: 0 }));
  while (pieces.length > 0) {
    const call = pieces.splice(0, CALL.inboxes);
    const { now, found } = await context.pace.work(() => sweepPieces(context, call));
    const looked = call.flatMap((piece, i) => {
      const inbox = found[i];
      return inbox === undefined ? [] : [{ ...piece, ...inbox }];
    });
    for (const { shard, name, emptied, below } of looked) {
      context.count({ expired: emptied });
      if (below === 0) continue;
      const drop = () => context.trimmer.dropBelow(shard, name, below);
      await unlessDamaged(async () => context.count({ commands: await context.pace.work(drop) }));
    }
    await unlessDamaged(() => emptyReferences(context, looked, now));
    const rest = looked.filter(({ after }) => after >= 0);
    pieces = [...rest.map(({ shard, name, after }) => ({ shard, name, after })), ...pieces];
  }
}

async function sweepPieces({ redis, limits }: SweepContext, pieces: Piece[]) {
  const callKeys = pieces.flatMap(({ shard, name }) => [
    keys.cursor(shard, name),
    keys.inboxSeq(shard, name),
    keys.inbox(shard, name),
  ]);
  const bounds = [limits.inboxKeep, limits.inboxMax, EMPTY_COMMAND, CALL.commands, CALL.bytes];
  const reply = await sweepInboxesScript(redis, callKeys, [...bounds, ...pieces.map(({ after }) => after)]);
  const [now, ...inboxes] = Array.isArray(reply) ? reply : [];
  return { now: Number(now), found: inboxes.map(foundIn) };
}

/** undefined for an inbox that is damaged: it stays as it is. */
function foundIn(reply: unknown): Found | undefined {
  if (!Array.isArray(reply) || reply.length < 4) return undefined;
  const [after, emptied, below, pairs] = reply;
  const references: Found['references'] = [];
  const list = Array.isArray(pairs) ? pairs.map(String) : [];
  for (let i = 0; i + 1 < list.length; i += 2) references.push({ seq: list[i] ?? '', command: list[i + 1] ?? '' });
  return { after: Number(after), emptied: Number(emptied), below: Number(below), references };
}

/** Empties the commands of some inboxes of one shard whose bodies say so, all together. */
async function emptyReferences(
  { pace, redis, trimmer, times, count }: SweepContext,
  inboxes: (SweptPlace & Found)[],
  now: number,
): Promise<void> {
  const commands = inboxes.flatMap(({ references }) => references.map(({ command }) => command));
  if (commands.length === 0) return;
  const { expired } = await times.sort(commands, now, 0);
  const dead = inboxes.flatMap(({ shard, name, references }) => {
    const some = references.filter(({ command }) => expired.has(command));
    return some.length === 0 ? [] : [{ shard, name, some }];
  });
  if (dead.length === 0) return;
  const callKeys = dead.flatMap(({ shard, name }) => [keys.inboxSeq(shard, name), keys.inbox(shard, name)]);
  const args = dead.flatMap(({ some }) => [some.length, ...some.flatMap(({ seq, command }) => [seq, command])]);
  const replaced = await pace.work(async () => {
    await trimmer.countDown([...expired]);
    return emptyCommands(redis, callKeys, [EMPTY_COMMAND, ...args]);
  });
  count({ expired: Number(replaced) });
}
