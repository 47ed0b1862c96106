import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  BATCH_REASON_UNKNOWN,
  BusyError,
  IdempotencyConflictError,
  type InvalidLine,
  NotFoundError,
  type PartAnswer,
  UnavailableError,
  WrongStateError,
} from '@ruyi/contracts';
import { every, inTurn } from '@ruyi/flow';
import { type BroadcastRecord, keys, type PartRecord, recipientShard, shortDigest, type Upload } from '@ruyi/store';
import type { ApiContext } from '../context.ts';
import { uploadedBytes } from '../http/uploadedBytes.ts';
import { requireReplicas } from '../ingress/unbrokenConnection.ts';
import { PartLines, type ReadLines, shown } from './partLines.ts';
import { StagedPart } from './stagedPart.ts';

const MOST_INVALID = 100;
/** Some 650 lines, a quarter of a millisecond of work: a single send passes several turns of the event loop. */
const PIECE_BYTES = 8 * 1024;
const HOLD_EVERY_MS = 1000;

/** What an upload has brought so far. */
interface Brought {
  accepted: number;
  invalid: InvalidLine[];
  invalidCount: number;
}

/**
 * Takes a part of a broadcast's recipients (docs/api.md §4) as a stream. It belongs to the broadcast as a whole, in one
 * step at its end, or not at all.
 * @param idleMs an upload that brings nothing for this long is refused
 * @throws WrongStateError, BusyError, IdempotencyConflictError (another part of this number is there), OverloadedError
 */
export async function uploadPart(
  context: ApiContext,
  record: BroadcastRecord,
  part: number,
  request: IncomingMessage,
  idleMs: number,
): Promise<PartAnswer> {
  const { recipientLists } = context.store;
  requireOpen(record);
  const upload: Upload = { no: record.no, part, token: randomBytes(9).toString('base64url') };
  if (!(await recipientLists.hold(upload))) throw new BusyError(`part ${part} is being uploaded by another request`);
  let isHeld = true;
  const hold = async () => {
    isHeld &&= await recipientLists.hold(upload);
  };
  const stopHolding = every(HOLD_EVERY_MS, hold, () => {});
  try {
    const known = await recipientLists.partRecord(record.no, part);
    const bytes = uploadedBytes(request, idleMs);
    if (known) return await compareWith(context, record, upload, known, bytes);
    return await store(context, record, upload, bytes, () => isHeld);
  } finally {
    await stopHolding();
    // If Redis is away the part becomes free by itself.
    await recipientLists.release(upload).catch(() => {});
  }
}

/** The part is there: the same bytes get the same answer, and nothing changes. */
async function compareWith(
  context: ApiContext,
  record: BroadcastRecord,
  { no, part }: Upload,
  known: PartRecord,
  bytes: AsyncIterable<Buffer>,
): Promise<PartAnswer> {
  const { digest, brought } = await readPart(context, record, bytes, async () => {});
  if (digest !== known.digest) {
    throw new IdempotencyConflictError(`part ${part} was uploaded with other bytes; give these another number`);
  }
  // Its first upload may have died before its end.
  await context.store.recipientLists.mergePart(no, part);
  return answerOf(part, known, brought.invalid);
}

async function store(
  context: ApiContext,
  record: BroadcastRecord,
  upload: Upload,
  bytes: AsyncIterable<Buffer>,
  isHeld: () => boolean,
): Promise<PartAnswer> {
  const { recipientLists } = context.store;
  const command = record.spec.header.sync_once === 1;
  const shardFor = recipientShard({ from: record.spec.from, command }, context.config.shards);
  const staged = new StagedPart(context.store, context.admission, upload, shardFor);
  const losses = context.store.connectionLosses();
  let isCommitted = false;
  try {
    const { digest, brought } = await readPart(context, record, bytes, async (uids) => {
      await inTurn(uids.length, () => {
        for (const uid of uids) staged.add(uid);
      });
      await staged.relieve();
      if (!isHeld()) throw lostHold();
    });
    await staged.settle();
    const { duplicates } = staged;
    const kept: PartRecord = { digest, accepted: brought.accepted, duplicates, invalid: brought.invalidCount };
    const outcome = await recipientLists.commit(upload, kept);
    isCommitted = outcome === 'ok';
    if (outcome === 'lost') throw lostHold();
    if (outcome === 'gone') throw new NotFoundError('broadcast_no: the broadcast was removed');
    if (!isCommitted) throw wrongState(outcome);
    await recipientLists.merge(upload, staged.shards);
    await requireReplicas(context.store, [keys.about(record.no), ...recipientLists.listKeys(record.no)], losses);
    return answerOf(upload.part, kept, brought.invalid);
  } finally {
    if (!isCommitted) await staged.drop().catch(() => {});
    staged.close();
  }
}

/** Reads a part to its end. @param take is given the valid uids of each piece */
async function readPart(
  { store, config }: ApiContext,
  { spec }: BroadcastRecord,
  bytes: AsyncIterable<Buffer>,
  take: (uids: string[]) => Promise<void>,
): Promise<{ digest: string; brought: Brought }> {
  const hash = createHash('sha256');
  const lines = new PartLines(spec.header.sync_once === 1);
  const brought: Brought = { accepted: 0, invalid: [], invalidCount: 0 };
  const note = async (read: ReadLines) => {
    const unknown = config.requireKnownUsers ? await store.users.unknown(read.uids) : new Set<string>();
    const uids = unknown.size === 0 ? read.uids : read.uids.filter((uid) => !unknown.has(uid));
    const invalid = unknown.size === 0 ? read.invalid : withUnknown(read, unknown);
    brought.accepted += uids.length;
    brought.invalidCount += invalid.length;
    brought.invalid.push(...invalid.slice(0, MOST_INVALID - brought.invalid.length));
    if (uids.length > 0) await take(uids);
  };
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      // Its own turn for each piece: however many uploads there are, single sends are served in between.
      await note(
        await inTurn(piece.length, () => {
          hash.update(piece);
          return lines.read(piece);
        }),
      );
    }
  }
  await note(lines.end());
  return { digest: shortDigest(hash), brought };
}

const withUnknown = ({ uids, lines, invalid }: ReadLines, unknown: Set<string>): InvalidLine[] => {
  const refused = uids.flatMap((uid, i) =>
    unknown.has(uid) ? [{ line: lines[i] ?? 0, uid: shown(uid), reason: BATCH_REASON_UNKNOWN }] : [],
  );
  return [...invalid, ...refused].sort((a, b) => a.line - b.line);
};

const answerOf = (part: number, { accepted, duplicates, invalid }: PartRecord, first: InvalidLine[]): PartAnswer => ({
  part,
  accepted,
  duplicates,
  invalid: first,
  invalid_count: invalid,
});

function requireOpen({ state, spec }: BroadcastRecord): void {
  if (spec.audience) throw new WrongStateError('this broadcast has an audience, it takes no uploads');
  if (state !== 'open') throw wrongState(state);
}

const wrongState = (state: string) =>
  new WrongStateError(`the broadcast is ${state}, only an open one takes recipients`);
const lostHold = () => new UnavailableError('Redis has forgotten that this part is being uploaded, upload it again');
