import type { QueueJobJson } from '@bull-board/api/typings/app';
import {
  BROADCAST,
  type BroadcastJob,
  COORDINATE,
  type CoordinateJob,
  DEAD,
  type DeadJob,
  GROUP_COMMAND,
  type GroupCommandJob,
  INDEX,
  type IndexJob,
  recipientsInJob,
  SEND,
  type SendJob,
  summaryOf,
  WAKE,
} from '@ruyi/queue';
import { chunkSize } from '@ruyi/store';

const LONGEST_NAME = 40;
const LONGEST_TITLE = 160;

const number = (n: number) => n.toLocaleString('en-US');
const counted = (n: number, one: string) => `${number(n)} ${one}${n === 1 ? '' : 's'}`;
const short = (text: string, most = LONGEST_NAME) => {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text;
};

interface Title {
  text: string;
  /** the broadcast or batch that the job belongs to */
  broadcast?: string | undefined;
}

/** What jobs of each kind are about; nothing of one whose data is not what it should be. */
const TELLERS = new Map<string, (job: QueueJobJson) => Title | undefined>([
  [SEND.name, ({ data }) => ofSend(SEND.schema.safeParse(data).data)],
  [BROADCAST.name, ({ data }) => ofBroadcast(BROADCAST.schema.safeParse(data).data)],
  [GROUP_COMMAND.name, ({ id, data }) => ofGroupCommand(GROUP_COMMAND.schema.safeParse(data).data, String(id))],
  [INDEX.name, ({ data }) => ofIndex(INDEX.schema.safeParse(data).data)],
  [WAKE.name, ({ data }) => ofWakeUp(WAKE.schema.safeParse(data).data)],
  [COORDINATE.name, ({ data }) => ofCoordinator(COORDINATE.schema.safeParse(data).data)],
  [DEAD.name, ({ id, data, timestamp }) => ofLetter(DEAD.schema.safeParse(data).data, String(id), timestamp)],
]);

function ofSend(job?: SendJob): Title | undefined {
  const [first] = job?.items ?? [];
  if (!job || !first) return undefined;
  const { items, letter } = job;
  const channels = new Set(items.map(({ ch }) => ch)).size;
  const to = channels === 1 ? short(first.ch) : counted(channels, 'channel');
  const from = new Set(items.map((item) => item.from)).size === 1 ? ` from ${short(first.from)}` : '';
  return { text: `${counted(items.length, first.cmd ? 'command' : 'message')}${from} to ${to}${again(letter)}` };
}

function ofBroadcast(job?: BroadcastJob): Title | undefined {
  if (!job) return undefined;
  const { ref, no, from, chunks, letter } = job;
  return {
    text: `${nameOf(ref, no)} from ${short(from)} · ${recipientsOf(chunks)}${again(letter)}`,
    broadcast: no ?? ref,
  };
}

function ofGroupCommand(job: GroupCommandJob | undefined, id: string): Title | undefined {
  return (
    job && { text: `command to ${short(job.ch)} · ${counted(recipientsInJob(id), 'recipient')}${again(job.letter)}` }
  );
}

function ofIndex(job?: IndexJob): Title | undefined {
  if (!job) return undefined;
  const { logs = [], broadcast, letter } = job;
  if (broadcast) {
    const { ref, chunks } = broadcast;
    return { text: `index ${nameOf(ref)} · ${recipientsOf(chunks)}${again(letter)}`, broadcast: ref };
  }
  const messages = logs.reduce((sum, { seqs }) => sum + seqs.length, 0);
  return { text: `index ${counted(messages, 'message')} of ${counted(logs.length, 'channel')}${again(letter)}` };
}

const ofWakeUp = (job?: { group: number }): Title | undefined =>
  job && { text: `index what waits in outboxes of group ${job.group}` };

function ofCoordinator(job?: CoordinateJob): Title | undefined {
  return job && { text: `broadcast ${job.no} · run ${job.run}`, broadcast: job.no };
}

function ofLetter(letter: DeadJob | undefined, id: string, addedAt: number): Title | undefined {
  if (!letter) return undefined;
  const { kind, count, batch, broadcast, from, tries, problems } = summaryOf(id, letter, undefined, addedAt);
  const codes = [...new Set(problems.map(({ code }) => code))].join(', ');
  const what = kind === 'recipients' ? counted(count, 'recipient') : kind.replace('_', ' ');
  const about = batch === undefined ? '' : ` of ${nameOf(batch, broadcast)}`;
  const sender = from === undefined ? '' : ` from ${short(from)}`;
  return { text: `${codes} · ${what}${about}${sender} · tries ${tries}`, broadcast: broadcast ?? batch };
}

const recipientsOf = (chunks: BroadcastJob['chunks']) =>
  counted(
    chunks.reduce((sum, chunk) => sum + chunkSize(chunk), 0),
    'recipient',
  );
const nameOf = (ref: string, no?: string) => (no === undefined ? `batch ${ref}` : `broadcast ${no}`);
const again = (letter: { tries: number } | undefined) => (letter ? ` · try ${letter.tries}` : '');

const titleOf = (job: QueueJobJson): Title => TELLERS.get(job.name)?.(job) ?? { text: job.name };

/** What a job is about, in one line: `batch 107k3 from promo9 · 1,692 recipients`. */
export const jobTitle = (job: QueueJobJson): string => short(titleOf(job).text, LONGEST_TITLE);

/** The page of the broadcast or batch that a job belongs to, else the first page. */
export function pageOf(job: QueueJobJson): { displayText: string; href: string } {
  const { broadcast } = titleOf(job);
  return broadcast === undefined
    ? { displayText: 'overview', href: '/' }
    : { displayText: 'broadcast', href: `/broadcasts/${encodeURIComponent(broadcast)}` };
}
