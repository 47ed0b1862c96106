import { every } from '@ruyi/flow';
import { type Store, SWEPT_KINDS, type SweepRound } from '@ruyi/store';
import { Counter, firstFailure, Gauge, type Logger, type ProcessMetrics } from '@ruyi/telemetry';

const TRY_EVERY_MS = 1000;

/** Sweeps for the installation whenever it is this worker's turn. @returns ends it */
export function startSweeping(
  { sweeper }: Store,
  worker: { name: string; metrics: ProcessMetrics; log: Logger },
): () => Promise<void> {
  const { name, log } = worker;
  const note = sweepCounts(worker.metrics);
  const abort = new AbortController();
  const sweep = async () => {
    const round = await sweeper.sweep(name, abort.signal).catch((error: unknown) => {
      if (!abort.signal.aborted) throw error;
    });
    if (!round) return;
    note(round);
    const { swept, seconds } = round;
    const isEmpty = SWEPT_KINDS.every((kind) => swept[kind] === 0);
    log[isEmpty ? 'debug' : 'info']({ ...swept, seconds }, 'swept');
  };
  const stop = every(TRY_EVERY_MS, sweep, firstFailure(log, 'the sweep was interrupted'));
  return async () => {
    abort.abort();
    await stop();
    await sweeper.release(name);
  };
}

/** The metrics of the sweep (docs/metrics.md). */
function sweepCounts({ registry }: ProcessMetrics): (round: SweepRound) => void {
  const registers = [registry];
  const swept = new Counter({
    name: 'ruyi_swept_total',
    help: 'messages, commands and bodies of broadcasts that the sweeper removed, by reason',
    labelNames: ['kind'] as const,
    registers,
  });
  const seconds = new Gauge({
    name: 'ruyi_sweep_seconds',
    help: 'how long the last round over all keys took',
    registers,
  });
  return (round) => {
    for (const kind of SWEPT_KINDS) swept.inc({ kind }, round.swept[kind]);
    if (round.isWhole) seconds.set(round.seconds);
  };
}
