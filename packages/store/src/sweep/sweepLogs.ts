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
    const looked = call.flatMap((piece, i) => {
      const log = found[i];
      return log === undefined ? [] : [{ ...piece, ...log }];
    });
    for (const { dropped } of looked) context.count(dropped);
    await unlessDamaged(() => dropReferences(context, looked, now));
    const rest = looked.filter(({ after }) => after >= 0);
    pieces = [...rest.map(({ shard, name, after }) => ({ shard, name, after })), ...pieces];
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

/** Entries to drop from a log, all for the same reason. */
interface Drop {
  channel: string;
  entries: string[];
}

/** Drops the references of some logs of one shard whose bodies say so, all together. */
async function dropReferences(
  { pace, trimmer, times, limits, count }: SweepContext,
  logs: (SweptPlace & Found)[],
  now: number,
): Promise<void> {
  const references = logs.flatMap((log) => log.references);
  const dead = references.length > 0 ? await times.sort(references, now, limits.logMaxAge) : NOTHING;
  const dropsOf = (pick: (log: Found) => string[]): Drop[] =>
    logs.flatMap((log) => {
      const entries = pick(log);
      return entries.length === 0 ? [] : [{ channel: log.name, entries }];
    });
  const drops = {
    retention: dropsOf(({ over }) => over),
    expired: dropsOf((log) => log.references.filter((entry) => dead.expired.has(entry))),
    age: dropsOf((log) => log.references.filter((entry) => dead.age.has(entry))),
  };
  for (const kind of ['retention', 'expired', 'age'] as const) {
    const [first] = logs;
    if (first === undefined || drops[kind].length === 0) continue;
    const dropped = await pace.work(() => trimmer.dropEntries(first.shard, drops[kind]));
    count({ [kind]: dropped.reduce((sum, some) => sum + some, 0) });
  }
}

const NOTHING = { expired: new Set<string>(), age: new Set<string>() };
