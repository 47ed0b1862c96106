import type { Fault } from './fault.ts';

const DEADLINE_MS = 10_000;
/** 429 does not count: the backlog may still be from the previous fault. */
const FAILED = [500, 503];

/**
 * Sends SIGTERM to every process in turn, under load. Each must exit 0 within 10 s and answer what it has begun, and no
 * request may fail except on connections that a closing API refuses.
 */
export const rollingRestart: Fault = async ({ system, load, findings, random, forMs, count }) => {
  const until = performance.now() + forMs;
  const failures = () => FAILED.reduce((sum, status) => sum + (load.stats.statuses.get(status) ?? 0), 0);
  const before = {
    failures: failures(),
    cut: load.stats.cutFresh,
    reused: load.stats.cut,
    refused: load.stats.refused,
  };
  load.stats.failures.clear();
  do {
    const member = system.members[random.whole(0, system.members.length - 1)];
    if (!member) continue;
    const { exit, ms } = await member.restart();
    count(`${member.role} restarts`);
    if (exit?.code !== 0 || ms > DEADLINE_MS) {
      findings.add('shutdown', `${member.name}: exit ${exit?.signal ?? exit?.code} after ${Math.round(ms)} ms`);
    }
    await system.allReady();
  } while (performance.now() < until);
  count('connections refused', load.stats.refused - before.refused);
  count('idle connections closed under a request', load.stats.cut - before.reused);
  const failed = failures() - before.failures;
  const said = [...load.stats.failures].map(([what, times]) => `${times} × ${what}`).join('; ');
  if (failed > 0) findings.add('shutdown', `${failed} requests failed while processes were restarted: ${said}`);
  // A connection that waits to be accepted is reset when its server stops listening. One with a request must not be cut.
  count('new connections reset', load.stats.cutFresh - before.cut);
};
