import type { BroadcastAnswer, BroadcastRequest, PartAnswer } from '@ruyi/contracts';
import type { CallOptions } from './call.ts';
import type { RuyiClient } from './createClient.ts';
import { RuyiError } from './errors.ts';
import { cutParts, digestOf, type Part, type Uids } from './parts.ts';
import { pause } from './retry.ts';

/** A part that the API has. Kept by the caller, it lets another process go on after this one died. */
export interface PartReceipt {
  broadcast_no: string;
  part: number;
  /** SHA-256 of its lines */
  digest: string;
  /** how many recipients it names */
  uids: number;
}

export type BroadcastProgress =
  | { phase: 'uploading'; broadcast_no: string; uploaded: number; answer: PartAnswer }
  | { phase: 'sending'; broadcast_no: string; report: BroadcastAnswer };

export interface WatchOptions {
  /** between two looks; 1 */
  everySeconds?: number;
  onProgress?(progress: BroadcastProgress): void;
  /** stops uploading and watching. What has been started goes on: `cancelBroadcast` stops that */
  signal?: AbortSignal;
}

export interface BroadcastOptions extends WatchOptions {
  /** what everyone gets. With `audience` no list is uploaded */
  message: BroadcastRequest;
  /** of one upload; 50,000. To resume, the same as at first */
  recipientsPerPart?: number;
  onPart?(receipt: PartReceipt): void | Promise<void>;
  /** what a former `onPart` told. Parts with a receipt are not uploaded again; `uids` must begin with the same ones */
  resume?: PartReceipt[];
}

type Callable = Pick<
  RuyiClient,
  'createBroadcast' | 'uploadRecipients' | 'startBroadcast' | 'broadcastReport' | 'watchBroadcast'
>;

/** Whether nothing more will be stored, unless the failed ones are retried. */
export const isFinished = ({ state }: { state: BroadcastAnswer['state'] }): boolean =>
  state === 'done' || state === 'cancelled' || state === 'failed';

/** Creates a broadcast, uploads its recipients in parts, starts it and watches it. @returns its last report */
export async function broadcast(
  client: Callable,
  uids: Uids | undefined,
  { message, recipientsPerPart = 50_000, onPart, resume = [], ...watch }: BroadcastOptions,
): Promise<BroadcastAnswer> {
  const call = watch.signal === undefined ? {} : { signal: watch.signal };
  const broadcastNo = resume[0]?.broadcast_no ?? (await client.createBroadcast(message, call)).broadcast_no;
  const { state } = await client.broadcastReport({ broadcast_no: broadcastNo }, call);
  if (state === 'open') {
    if (uids !== undefined) {
      const known = new Map(resume.map((receipt) => [receipt.part, receipt]));
      let uploaded = 0;
      for await (const part of cutParts(uids, recipientsPerPart)) {
        const answer = await upload(client, broadcastNo, part, { known, onPart, call });
        uploaded += part.uids;
        if (answer) watch.onProgress?.({ phase: 'uploading', broadcast_no: broadcastNo, uploaded, answer });
      }
    }
    await client.startBroadcast({ broadcast_no: broadcastNo }, call);
  }
  return client.watchBroadcast({ broadcast_no: broadcastNo }, watch);
}

interface Receipts {
  known: Map<number, PartReceipt>;
  onPart: BroadcastOptions['onPart'];
  call: CallOptions;
}

/** @returns undefined if the API has the part already */
async function upload(
  client: Callable,
  broadcastNo: string,
  { part, lines, uids }: Part,
  { known, onPart, call }: Receipts,
): Promise<PartAnswer | undefined> {
  const receipt = known.get(part);
  const digest = receipt || onPart ? await digestOf(lines) : '';
  if (receipt) {
    if (receipt.digest === digest) return undefined;
    const message = `part ${part} has other recipients than when it was uploaded; begin a new broadcast`;
    throw new RuyiError(message, { status: 0, code: 'list_changed' });
  }
  const answer = await client.uploadRecipients({ broadcast_no: broadcastNo, part, lines }, call);
  await onPart?.({ broadcast_no: broadcastNo, part, digest, uids });
  return answer;
}

/** Looks at a broadcast until it is finished. @returns its last report */
export async function watchBroadcast(
  client: Pick<RuyiClient, 'broadcastReport'>,
  broadcastNo: string,
  { everySeconds = 1, onProgress, signal }: WatchOptions = {},
): Promise<BroadcastAnswer> {
  for (;;) {
    const report = await client.broadcastReport({ broadcast_no: broadcastNo }, signal ? { signal } : {});
    onProgress?.({ phase: 'sending', broadcast_no: broadcastNo, report });
    if (isFinished(report)) return report;
    await pause(everySeconds * 1000, signal);
  }
}
