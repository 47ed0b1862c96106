import type { BroadcastAnswer } from './broadcastAnswers.ts';

/** What waits on a queue. Times are seconds. */
interface QueueStatus {
  /** that wait or are being worked */
  jobs: number;
  /** recipients that wait, about */
  backlog: number;
  /** when the oldest job was added, about; null if there is none */
  oldest_job_at: number | null;
}

/** GET /status: what `ruyi status` shows (docs/api.md §3). */
export interface StatusAnswer {
  lanes_of_each_kind: number | null;
  /** while the number of lanes changes */
  lanes_changing_to: number | null;
  processes: {
    name: string;
    role: string;
    version: string;
    /** number of the schema in Redis */
    schema: number;
    host: string;
    since: number;
    /** how far the clock of its machine is ahead of Redis'; negative: behind; absent until it has measured that */
    clock_ahead_ms?: number;
    lanes: string[];
  }[];
  lanes: (QueueStatus & { name: string; kind: string; worker: string | null })[];
  index: QueueStatus;
  /** those that run, newest first, at most 100 */
  broadcasts: BroadcastAnswer[];
  redis: { node: string; memory_bytes: number; memory_max_bytes: number }[];
}
