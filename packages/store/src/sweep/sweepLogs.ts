import { loadScript } from '@ruyi/redis';
import { unlessDamaged } from '../damage.ts';
import { keys } from '../keys.ts';
import type { SweptPlace } from './places.ts';
import type { SweepContext } from './sweepContext.ts';

const sweepLogsScript = loadScript(import.meta.url, 'sweep-logs');

/** What one call looks at. */
const CALL = { logs: 64, entries: 500, bytes: 64 * 1024 };

/** A log, and how far it is swept. */
type Piece = SweptPlace & { after: number };

/** What a call found in one log. */
interface Found {
  after: number;
  dropped: { retention: number; age: number; expired: number };
  over: string[];
  references: string[];
}

/** Drops from some logs of one shard, whole, what LOG_RETENTION, LOG_MAX_AGE and `expire` say. */
export async function sweepLogs(context: SweepContext, logs: SweptPlace[]): Promise<void> {
  let pieces: Piece[] = logs.map((log) => ({ ...log, after: 0 }));
  while (pieces.length > 0) {
    const call = pieces.splice(0, CALL.logs);
    const { now, found } = await context.pace.work(() => sweepPieces(context, call));
    const rest: Piece[] = [];
    for (const [i, piece] of call.entries()) {
      const log = found[i];
      if (log === undefined) continue;
      const { retention, age, expired } = log.dropped;
      context.count({ retention, age, expired });
      await unlessDamaged(() => dropReferences(context, piece, log, now));
      if (log.after >= 0) rest.push({ ...piece, after: log.after });
    }
    pieces = [...rest, ...pieces];
  }
}

async function sweepPieces({ redis, limits }: SweepContext, pieces: Piece[]) {
  const callKeys = pieces.flatMap(({ shard, name }) => [keys.seq(shard, name), keys.log(shard, name)]);
  const bounds = [limits.logRetention, limits.logMaxAge, CALL.entries, CALL.bytes];
  const reply = await sweepLogsScript(redis, callKeys, [...bounds, ...pieces.map(({ after }) => after)]);
  const [now, ...logs] = Array.isArray(reply) ? reply : [];
  return { now: Number(now), found: logs.map(foundIn) };
}

/** undefined for a log that is damaged: it stays as it is. */
function foundIn(reply: unknown): Found | undefined {
  if (!Array.isArray(reply) || reply.length < 6) return undefined;
  const [after, retention, age, expired, over, references] = reply;
  return {
    after: Number(after),
    dropped: { retention: Number(retention), age: Number(age), expired: Number(expired) },
    over: Array.isArray(over) ? over.map(String) : [],
    references: Array.isArray(references) ? references.map(String) : [],
  };
}

async function dropReferences(
  { pace, trimmer, times, limits, count }: SweepContext,
  { shard, name }: SweptPlace,
  { over, references }: Found,
  now: number,
): Promise<void> {
  const { expired, age } = references.length > 0 ? await times.sort(references, now, limits.logMaxAge) : NOTHING;
  for (const [kind, entries] of [
    ['retention', over],
    ['expired', expired],
    ['age', age],
  ] as const) {
    if (entries.length === 0) continue;
    const dropped = await pace.work(() => trimmer.dropEntries(shard, name, entries));
    count({ [kind]: dropped });
  }
}

const NOTHING = { expired: [], age: [] };
