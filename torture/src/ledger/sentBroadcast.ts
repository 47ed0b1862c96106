import type { BroadcastAnswer } from '@ruyi/contracts';
import type { Sent } from './ledger.ts';

/** What a broadcast must come to if it is not cancelled. */
export interface BroadcastCounts {
  accepted: number;
  invalid: number;
  total: number;
}

/** One broadcast of a run, whatever became of it. */
export interface SentBroadcast {
  /** its number and the places of its recipients; the check answers it if everybody must have it */
  sent: Sent;
  /** undefined until its creation was answered */
  no?: string;
  expected: BroadcastCounts;
  /** when its requests were answered 200, in ms of performance.now() */
  answeredAt: number[];
  /** it was told to cancel, and that was answered 200 */
  isCancelled: boolean;
  /** a power failure took it */
  isGone: boolean;
  /** what it came to when its sender was done with it */
  end?: BroadcastAnswer;
}
