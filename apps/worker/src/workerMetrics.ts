import type { LaneKind } from '@ruyi/queue';
import type { Trimmer } from '@ruyi/store';
import { Counter, type ProcessMetrics } from '@ruyi/telemetry';
import type { LaneCounts } from './jobs/laneContext.ts';

/** The metrics of a worker (docs/metrics.md). */
export function workerCounts({ registry }: ProcessMetrics, trimmer: Trimmer): (kind: LaneKind) => LaneCounts {
  const registers = [registry];
  const stored = new Counter({
    name: 'ruyi_stored_total',
    help: 'messages, and recipients of broadcasts, stored by jobs',
    labelNames: ['kind'] as const,
    registers,
  });
  const deadLetters = new Counter({
    name: 'ruyi_set_aside_total',
    help: 'parts of jobs that became dead letters',
    labelNames: ['kind'] as const,
    registers,
  });
  new Counter({
    name: 'ruyi_dropped_commands_total',
    help: 'commands, acknowledged or not, that were dropped because an inbox exceeded INBOX_MAX',
    registers,
    collect() {
      this.reset();
      this.inc(trimmer.dropped);
    },
  });
  return (kind) => ({ stored: (count) => stored.inc({ kind }, count), deadLetter: () => deadLetters.inc({ kind }) });
}
