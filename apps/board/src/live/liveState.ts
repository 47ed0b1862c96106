import type { BroadcastAnswer, StatusAnswer } from '@ruyi/client';

// What the board's server tells its page. Times are seconds since 1970.

/** What does not change while the page is open. */
export interface About {
  /** BOARD_ENVIRONMENT */
  environment: string;
  /** BOARD_READONLY: no action is shown, and none is taken */
  isReadOnly: boolean;
  /** the name given at login; '' if there was none */
  who: string;
  /** whether there is a session that can be ended */
  canLogOut: boolean;
  version: string;
}

/** One thing that GET /health looks at. */
export interface Check {
  name: string;
  /** `unknown`: it cannot be looked at now */
  status: 'ok' | 'degraded' | 'down' | 'unknown';
  message: string;
  fix: string;
}

export interface Health {
  status: 'ok' | 'degraded' | 'down';
  checks: Check[];
}

/** Recipients and messages that were stored in a second, in the mean of the seconds before `at`. */
export interface Throughput {
  at: number;
  send: number;
  fanout: number;
}

/** From stored to findable, in seconds, of what was indexed in the last minute. */
export interface Freshness {
  median: number;
  p99: number;
}

export interface ShownBroadcast extends BroadcastAnswer {
  /** a batch of sendbatch, which cannot be changed */
  is_batch: boolean;
}

/** What every page shows, once a second. What could not be read is absent. */
export interface Overview {
  at: number;
  /** why the API gave no answer */
  problem?: { message: string; fix: string };
  health?: Health;
  status?: StatusAnswer;
  /** running ones first; the newest 20 and all that run */
  broadcasts?: ShownBroadcast[];
  /** null until there are two readings to compare */
  throughput: Throughput | null;
  /** null if nothing was indexed in the last minute */
  freshness: Freshness | null;
}

/** One broadcast, once a second. */
export interface BroadcastView {
  no: string;
  broadcast?: ShownBroadcast;
  /** why there is none */
  problem?: { message: string; fix: string };
}

/** Dead letters by equal reasons, every five seconds. */
export interface DeadView {
  groups?: DeadGroup[];
  /** letters, also those that were not looked at */
  total: number;
  /** letters that were not looked at, because there are so many */
  unread: number;
  /** groups that are not listed */
  more: number;
  problem?: string;
}

/** What wants the same remedy. Times are seconds. */
export interface DeadGroup {
  /** names the group in an action */
  target: DeadTarget;
  /** what is wrong */
  title: string;
  /** what to do about it; commands stand in `…` */
  fix: string;
  from?: string | undefined;
  /** recipients, or whatever else was not reached */
  count: number;
  letters: number;
  /** letters that are tried again just now */
  retrying: number;
  tries: number;
  firstAt: number;
  lastAt: number;
  isRetryable: boolean;
  samples: { uid?: string | undefined; channel?: string | undefined; key?: string | undefined }[];
  ids: string[];
}

/** Whom an action on dead letters means: one letter, or all of a group. */
export type DeadTarget =
  | { id: string }
  | {
      kind: string;
      code: string;
      place?: string | undefined;
      found?: string | undefined;
      batch?: string | undefined;
      broadcast?: string | undefined;
      /** of letters that belong to no batch */
      reason?: string | undefined;
    };

export interface DeadOutcome {
  /** letters that are tried again, or were dropped */
  done: number;
  refused: { id: string; reason: string }[];
}

/** What an action answers if it is refused or fails. */
export interface Refusal {
  error: string;
  message: string;
}

/** A page of the list of all broadcasts. */
export interface BroadcastPage {
  broadcasts: ShownBroadcast[];
  /** '' at the end */
  cursor: string;
}

export type { BroadcastAnswer, BroadcastFailure, BroadcastState, PartAnswer, StatusAnswer } from '@ruyi/client';
export type { LetterDetails } from '@ruyi/queue';
