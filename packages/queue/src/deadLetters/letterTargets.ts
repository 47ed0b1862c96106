import { channelName, type LetterCode, personalPair } from '@ruyi/contracts';
import { chunkRecipients, keys, type Shards, shardOf } from '@ruyi/store';
import { BROADCAST, type DeadJob, GROUP_COMMAND, INDEX, type Problem, type ProblemPlace, SEND } from '../jobs.ts';
import { recipientsInJob } from '../names.ts';
import { codeOfReason } from './letterCodes.ts';

/**
 * What a dead letter is about: a single message, recipients of a broadcast or batch, a command to a group, a document of
 * search, or a job that nobody understands.
 */
export type LetterKind = 'message' | 'recipients' | 'group_command' | 'document' | 'job';

/** Who or what a letter did not reach. */
export interface Target {
  uid?: string;
  /** the channel's name, `<type>:<id>` */
  channel?: string;
  /** of a broadcast: the number of the recipient in it */
  position?: number;
}

/** The content of a letter in one form for all kinds. */
export interface LetterContent {
  kind: LetterKind;
  /** the batch_no, or the name of a broadcast's messages */
  batch?: string;
  /** the broadcast_no of a broadcast of docs/api.md §4 */
  broadcast?: string;
  from?: string;
  isCommand: boolean;
  /** recipients, or 1 for everything else; those of an unreadable job by its id */
  count: number;
  problems: Problem[];
  /** of each problem */
  targets: Target[][];
}

/** Reads a letter, also one of an earlier version. */
export function contentOf(id: string, letter: DeadJob): LetterContent {
  const { name, data } = letter;
  const broadcast = name === BROADCAST.name ? BROADCAST.schema.safeParse(data).data : undefined;
  if (broadcast) {
    const { ref, no, from, cmd, chunks } = broadcast;
    const ofChunks = chunks.map((chunk) => chunkRecipients(chunk));
    const isSplit = letter.problems?.length === chunks.length;
    return content(letter, 'recipients', {
      ...{ batch: ref, from, isCommand: cmd === 1 },
      ...(no === undefined ? {} : { broadcast: no }),
      targets: isSplit ? ofChunks : [ofChunks.flat()],
      place: cmd === 1 ? 'in' : 'log',
    });
  }
  const message = name === SEND.name ? SEND.schema.safeParse(data).data?.items[0] : undefined;
  if (message) {
    const { ch, from, cmd, inboxes } = message;
    const uids = inboxes ?? (cmd ? personalPair(ch) : undefined);
    const targets = uids ? uids.map((uid) => ({ uid, channel: ch })) : [{ channel: ch }];
    const isSplit = letter.problems?.length === targets.length;
    return content(letter, 'message', {
      from,
      isCommand: cmd === 1,
      targets: isSplit ? targets.map((target) => [target]) : [targets],
      count: 1,
      place: cmd === 1 ? 'in' : 'log',
    });
  }
  const command = name === GROUP_COMMAND.name ? GROUP_COMMAND.schema.safeParse(data).data : undefined;
  if (command) {
    return content(letter, 'group_command', {
      batch: command.ref,
      isCommand: true,
      targets: [[{ channel: command.ch }]],
    });
  }
  const index = name === INDEX.name ? INDEX.schema.safeParse(data).data : undefined;
  if (index) {
    const targets = (index.logs ?? []).map(({ ch }) => ({ channel: ch }));
    return content(letter, 'document', {
      ...(index.broadcast ? { batch: index.broadcast.ref } : {}),
      targets: [targets],
    });
  }
  return content(letter, 'job', ofJob(id, letter));
}

interface Known {
  batch?: string;
  broadcast?: string;
  from?: string;
  isCommand?: boolean;
  targets?: Target[][];
  count?: number;
  place?: ProblemPlace;
}

function content(letter: DeadJob, kind: LetterKind, known: Known): LetterContent {
  const { place, ...rest } = known;
  const targets = known.targets ?? [[]];
  const count =
    known.count ??
    Math.max(
      1,
      targets.reduce((sum, some) => sum + some.length, 0),
    );
  const otherwise: Record<LetterKind, LetterCode> = {
    ...{ message: 'refused', recipients: 'refused', group_command: 'damaged', document: 'document_refused' },
    job: 'invalid_job',
  } as const;
  const code = codeOfReason(letter.reason, otherwise[kind]);
  const hasPlace = place !== undefined && (code === 'wrong_type' || code === 'channel_full');
  const guessed: Problem = { code, reason: letter.reason, count, ...(hasPlace ? { place } : {}) };
  return { isCommand: false, ...rest, kind, count, targets, problems: letter.problems ?? [guessed] };
}

/** A job that cannot be read: its id still tells which batch it belongs to and how many recipients it has. */
function ofJob(id: string, { queue }: DeadJob): Known {
  const jobId = id.replace(/^dead-/, '').replace(/-job$/, '');
  const ref = queue.startsWith('fanout.') ? /^([0-9a-z]{1,11})\.\d/.exec(jobId)?.[1] : undefined;
  return { count: recipientsInJob(jobId), ...(ref === undefined ? {} : { batch: ref }) };
}

/** The key of a target that a problem means; undefined if it means none. */
export function keyOfTarget(
  { from = '', isCommand }: Pick<LetterContent, 'from' | 'isCommand'>,
  place: ProblemPlace | undefined,
  { uid, channel }: Target,
  shards: Shards | undefined,
): string | undefined {
  if (place === undefined || shards === undefined) return undefined;
  if (place === 'in' || place === 'inseq') {
    if (uid === undefined) return undefined;
    const shard = shardOf(uid, shards);
    return place === 'in' ? keys.inbox(shard, uid) : keys.inboxSeq(shard, uid);
  }
  const ch = channel ?? (uid === undefined || isCommand ? undefined : channelName(1, uid, from));
  if (ch === undefined) return undefined;
  const shard = shardOf(ch, shards);
  return place === 'log' ? keys.log(shard, ch) : keys.seq(shard, ch);
}
