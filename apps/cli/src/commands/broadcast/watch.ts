import type { BroadcastAnswer, RuyiClient } from '@ruyi/client';
import { duration, printable, time } from '../../terminal/formats.ts';
import { type ProgressView, reportLine } from './progress.ts';

const LOOK_EVERY_SECONDS = 0.5;

/** 0 done, 1 some failed, 3 cancelled. Of one that is not finished 0. */
export function exitCodeOf({ state, failed }: BroadcastAnswer): number {
  if (state === 'cancelled') return 3;
  return failed > 0 ? 1 : 0;
}

/** Shows a broadcast until it is finished. @returns its last report @throws Interrupted */
export async function watch(
  client: RuyiClient,
  broadcast_no: string,
  { view, signal }: { view: ProgressView; signal: AbortSignal },
): Promise<BroadcastAnswer> {
  try {
    return await client.watchBroadcast(
      { broadcast_no },
      {
        everySeconds: LOOK_EVERY_SECONDS,
        signal,
        onProgress: (progress) => {
          if (progress.phase === 'sending') view.report(progress.report);
        },
      },
    );
  } finally {
    view.close();
  }
}

/** What became of a broadcast, on stdout. */
export function printReport(report: BroadcastAnswer, isJson: boolean): void {
  process.stdout.write(isJson ? `${JSON.stringify(report)}\n` : `${summary(report)}\n`);
}

function summary(report: BroadcastAnswer): string {
  const { broadcast_no, name, started_at, finished_at, failed } = report;
  const lines = [`${broadcast_no}${name === '' ? '' : ` "${printable(name)}"`} ${reportLine(report)}`];
  if (finished_at > 0 && started_at > 0) lines.push(`from ${time(started_at)}, ${duration(finished_at - started_at)}`);
  if (failed > 0)
    lines.push(`who and why: ruyi broadcast failures ${broadcast_no}; again: ruyi broadcast retry ${broadcast_no}`);
  return lines.join('\n');
}
