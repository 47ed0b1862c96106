import { vi } from 'vitest';

/**
 * Sizes of the tests of broadcasts. `BROADCAST_SIZES=full` runs them at those that a release is tried with: about half an
 * hour and 4 GB of memory, one file at a time.
 */
export const isFull = process.env.BROADCAST_SIZES === 'full';

const small = {
  /** recipients of one broadcast while every process is killed again and again, and how often that happens at most */
  restarted: 60_000,
  kills: 30,
  pausedSeconds: 3,
  /** recipients of a broadcast that is cancelled at a quarter, and how many it stores a second */
  cancelled: { recipients: 2000, rate: 400 },
  /** recipients a second, seconds of Redis' clock, and recipients of another broadcast that runs meanwhile */
  rated: { rate: 500, seconds: 5, others: 4000 },
  /** users who are registered before the start, and during it */
  registered: { before: 1500, during: 200 },
  openBroadcasts: 60,
  /** uids that are uploaded while the memory of the processes is watched, and the bytes of one part */
  watched: 200_000,
  longPart: 4 * 1024 * 1024,
  deadlineMs: 120_000,
};

export const sizes: typeof small = isFull
  ? {
      restarted: 1_000_000,
      kills: 100,
      pausedSeconds: 30,
      cancelled: { recipients: 1_000_000, rate: 50_000 },
      rated: { rate: 5000, seconds: 20, others: 1_000_000 },
      registered: { before: 49_000, during: 1000 },
      openBroadcasts: 1000,
      watched: 10_000_000,
      longPart: 1024 * 1024 * 1024,
      deadlineMs: 1_800_000,
    }
  : small;

if (isFull) vi.setConfig({ testTimeout: sizes.deadlineMs });
