import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BATCH, createBroadcast, onNewSystem, startBroadcast, untilStored } from '../broadcasting.ts';
import { roundsOf } from '../progress.ts';
import type { Line } from '../report.ts';
import type { Scale } from '../scale.ts';
import { quantile, summarize } from '../statistics.ts';
import { batchBodies, broadcast, payloadOf, type System, startSystem, timed } from '../system.ts';
import type { UploadPlan } from '../uploader.ts';

const PARTS = 20;
const SENDS_A_SECOND = 200;

interface Uploader {
  /** Uploads the list as the recipients of a broadcast. */
  upload(no: string): Promise<void>;
  close(): Promise<unknown>;
}

/** Resolves when it has made its list of so many uids. */
async function openUploader({ address }: System, uids: number): Promise<Uploader> {
  const plan: UploadPlan = { address, uids, parts: PARTS };
  const thread = new Worker(new URL('../uploader.js', import.meta.url), { workerData: plan });
  await once(thread, 'message');
  return {
    async upload(no) {
      thread.postMessage(no);
      await once(thread, 'message');
    },
    close: () => thread.terminate(),
  };
}

/** Starts it, and resolves when every recipient has it. */
async function start(system: System, no: string, total: number): Promise<void> {
  await startBroadcast(system, no);
  await untilStored(system, no, total);
}

/** The most memory that a process has had, in MB. */
const peakMemory = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** From start to stored, compared with sendbatch of the same in the same run. */
async function comparedWithSendbatch(scale: Scale): Promise<Line> {
  const uids = scale.tiny ? 20_000 : 1_000_000;
  const [ratios, uploads, ours, theirs, workers]: number[][] = [[], [], [], [], []];
  for (const _round of roundsOf('broadcast', scale.rounds)) {
    // Each on a Redis of its own: the second one would meet a larger AOF, and its rewrites.
    const theirSeconds = await onNewSystem(async (system) => {
      const bodies = batchBodies('batches', uids / BATCH, BATCH);
      return timed(() => broadcast(system, bodies));
    });
    await onNewSystem(async (system) => {
      const uploader = await openUploader(system, uids);
      const no = await createBroadcast(system, 'broadcast');
      uploads?.push(uids / (await timed(() => uploader.upload(no))));
      await uploader.close();
      const seconds = await timed(() => start(system, no, uids));
      ratios?.push(theirSeconds / seconds);
      ours?.push(uids / seconds);
      workers?.push(peakMemory(system.workers[0]?.pid ?? 0));
    });
    theirs?.push(uids / theirSeconds);
  }
  const value = summarize(ratios ?? []);
  const details = {
    recipients: uids,
    'recipients/s': summarize(ours ?? []).median,
    'sendbatch recipients/s': summarize(theirs ?? []).median,
    'uploaded uids/s': summarize(uploads ?? []).median,
    'worker peak MB': summarize(workers ?? []).median,
  };
  return {
    what: 'broadcast, start to stored, to sendbatch',
    goal: '≥ 0.9 ×',
    value,
    unit: '×',
    met: value.median >= 0.9,
    details,
  };
}

/** Latencies of single sends at a steady rate until `isOver`, in ms. */
async function sends(system: System, isOver: () => boolean): Promise<number[]> {
  const latencies: number[] = [];
  const pending: Promise<void>[] = [];
  const begun = performance.now();
  const message = { from_uid: 'u', channel_type: 2, payload: payloadOf(136) };
  for (let i = 0; !isOver(); i++) {
    const send = async () => {
      const from = performance.now();
      await system.post('/message/send', { ...message, channel_id: `g${i % 50}` });
      latencies.push(performance.now() - from);
    };
    pending.push(send());
    const wait = begun + ((i + 1) * 1000) / SENDS_A_SECOND - performance.now();
    if (wait > 0) await pause(wait);
  }
  await Promise.all(pending);
  return latencies;
}

/** Single sends during the upload of a long list, compared with the same before it; and what the upload takes of memory. */
async function besideAnUpload(scale: Scale): Promise<Line[]> {
  const uids = scale.tiny ? 20_000 : 10_000_000;
  const system = await startSystem();
  const uploader = await openUploader(system, uids);
  try {
    const until = performance.now() + (scale.tiny ? 500 : 10_000);
    await sends(system, () => performance.now() > until - (scale.tiny ? 400 : 8000));
    const before = await sends(system, () => performance.now() > until);
    let isUploaded = false;
    const no = await createBroadcast(system, 'long');
    const uploading = timed(() => uploader.upload(no)).finally(() => {
      isUploaded = true;
    });
    const during = await sends(system, () => isUploaded);
    const seconds = await uploading;
    const [calm, busy] = [quantile(before, 0.99), quantile(during, 0.99)];
    const ratio = summarize([busy / calm]);
    const memory = summarize([peakMemory(system.api.pid)]);
    const details = { uids, 'uids/s': uids / seconds };
    return [
      {
        what: 'single send p99 during an upload, to without',
        goal: '< 3 ×',
        value: ratio,
        unit: '×',
        met: ratio.median < 3,
        details: { ...details, 'p99 ms': busy, 'p99 ms without': calm },
      },
      {
        what: 'API memory at peak during an upload',
        goal: '≤ 300 MB',
        value: memory,
        unit: 'MB',
        met: memory.median <= 300,
        details,
      },
    ];
  } finally {
    await uploader.close();
    await system.stop();
  }
}

/** Broadcasts of docs/api.md §4. */
export async function broadcasts(scale: Scale): Promise<Line[]> {
  return [await comparedWithSendbatch(scale), ...(await besideAnUpload(scale))];
}
