import { type FindingKind, type Findings, findingKinds } from './findings.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { LoadStats } from './load/sender.ts';
import type { Options } from './options.ts';
import type { Phase } from './schedule.ts';

export interface Report {
  seed: number;
  minutes: number;
  faults: string[];
  /** what Redis was */
  redis: string;
  seconds: number;
  passed: boolean;
  /** what the faults did, by fault */
  counts: Record<string, number>;
  requests: {
    sent: number;
    /** answers of 200; more than `sent` if requests were repeated */
    answered: number;
    /** tries that got no answer, or 503 */
    unknown: number;
    statuses: Record<string, number>;
  };
  checked: { stored: number; places: number; batches: number; broadcasts: number; searches: number; otherKeys: number };
  findings: Record<FindingKind, number>;
  details: readonly string[];
  longestStallMs: number;
  /** after all workers were killed at once */
  workerRecoveryMs: number[];
  phases: Phase[];
}

export interface RunResult {
  options: Options;
  redis: string;
  seconds: number;
  phases: Phase[];
  checked: Report['checked'];
  ledger: Ledger;
  findings: Findings;
  load: LoadStats;
  recoveries: number[];
}

export function createReport(result: RunResult): Report {
  const { options, redis, seconds, phases, checked, ledger, findings, load, recoveries } = result;
  const counts: Record<string, number> = {};
  for (const phase of phases) {
    for (const [what, count] of Object.entries(phase.counts)) counts[what] = (counts[what] ?? 0) + count;
  }
  return {
    seed: options.seed,
    minutes: options.minutes,
    faults: options.faults,
    redis,
    seconds: Math.round(seconds),
    passed: findings.total === 0,
    counts,
    requests: {
      sent: ledger.sent.length,
      answered: ledger.answered,
      unknown: ledger.sent.reduce((sum, { unknown }) => sum + unknown, 0),
      statuses: Object.fromEntries([...load.statuses].map(([status, count]) => [String(status), count])),
    },
    checked,
    findings: Object.fromEntries(findingKinds.map((kind) => [kind, findings.count(kind)])) as Report['findings'],
    details: findings.details,
    longestStallMs: Math.round(Math.max(0, ...phases.map((phase) => phase.longestStallMs))),
    workerRecoveryMs: recoveries.map(Math.round),
    phases,
  };
}

const second = (ms: number) => (ms / 1000).toFixed(1);

/** Prints the report for people. */
export function printReport(report: Report, say: (line: string) => void): void {
  say('');
  say('fault                 seconds  stall s  back in s    p50 ms    p99 ms  done');
  for (const phase of report.phases) {
    const columns = [
      phase.fault.padEnd(20),
      phase.seconds.toFixed(0).padStart(8),
      second(phase.longestStallMs).padStart(8),
      second(phase.recoveryMs).padStart(10),
      phase.p50.toFixed(1).padStart(9),
      phase.p99.toFixed(1).padStart(9),
    ];
    const done = Object.entries(phase.counts).map(([what, count]) => `${count} ${what}`);
    say(`${columns.join(' ')}  ${done.join(', ')}`);
  }
  const { requests, checked, findings } = report;
  say('');
  say(`seed ${report.seed}, ${report.seconds} s, ${report.redis}`);
  say(`${requests.sent} requests, ${requests.answered} times 200, ${requests.unknown} tries in doubt`);
  say(`${checked.stored} messages read back from ${checked.places} logs and inboxes`);
  say(`${checked.batches} batches, ${checked.broadcasts} broadcasts and ${checked.searches} searches checked`);
  say(`${checked.otherKeys} keys hold no message`);
  say(
    Object.entries(findings)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(', '),
  );
  const recoveries = report.workerRecoveryMs.map(second);
  const recovery = recoveries.length > 0 ? `; back after all workers were killed: ${recoveries.join(', ')} s` : '';
  say(`longest stall ${second(report.longestStallMs)} s${recovery}`);
  say(report.passed ? 'passed' : `FAILED; repeat it with the same options and --seed ${report.seed}`);
}
