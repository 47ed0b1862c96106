import type { Problem } from '@ruyi/redis';
import { LANE_KINDS, type LaneKind } from '../names.ts';
import type { QueueReading } from '../readQueue.ts';
import type { Work } from './readWork.ts';

/** A queue whose oldest job waits longer, while none is begun or completed, stands still. */
const STUCK_MS = 60_000;
const SHOWN = 3;
/** Clocks that NTP keeps differ by milliseconds. */
const CLOCK_MS = 5000;

/** Processes on machines whose clock is not Redis': what they log and measure is wrong by that much. */
function clockProblems({ members }: Work): Problem[] {
  const wrong = members.filter(({ clock_ahead_ms: ahead = 0 }) => Math.abs(ahead) > CLOCK_MS);
  if (wrong.length === 0) return [];
  const each = wrong.map(({ name, host, clock_ahead_ms: ahead = 0 }) => {
    return `${name} on ${host} is ${Math.abs(Math.round(ahead / 1000))} s ${ahead > 0 ? 'ahead' : 'behind'}`;
  });
  return [
    {
      message: `not every clock is that of Redis: ${listOf(each)}`,
      fix: 'set the clocks of all machines by NTP (timedatectl set-ntp true); Ruyi numbers and expires by that of Redis',
    },
  ];
}

/** What is wrong with the processes and what they work, by the checks of GET /health; `clocks` is a part of `redis` there. */
export const problemsOfWork = (work: Work, maxBacklog: Record<LaneKind, number>) => ({
  clocks: clockProblems(work),
  workers: workerProblems(work),
  lanes: laneProblems(work),
  indexer: indexerProblems(work),
  backlog: backlogProblems(work, maxBacklog),
  dead_letters: deadLetterProblems(work),
});

const livesIn = ({ members }: Work, role: string) => members.some((member) => member.role === role);

function workerProblems(work: Work): Problem[] {
  if (livesIn(work, 'worker')) return [];
  const waiting = (work.lanes ?? []).reduce((sum, { jobs }) => sum + jobs, 0);
  return [
    {
      message: `no worker process lives: nothing is stored, and ${waiting} jobs wait`,
      fix: 'start a worker; one that runs and does not say that it lives is frozen or cannot reach Redis: restart it, its log says why',
    },
  ];
}

/** Lanes without an owner. A lane moves to another worker within five seconds. */
function laneProblems({ lanes }: Work): Problem[] {
  if (lanes === undefined) {
    return [{ message: 'nothing was started on this installation yet', fix: 'start an API and a worker' }];
  }
  const without = lanes.filter(({ worker }) => worker === null).map(({ queue }) => queue.name);
  if (without.length === 0) return [];
  return [
    {
      message: `no living worker has ${listOf(without)}: what is on ${without.length === 1 ? 'it' : 'them'} waits`,
      fix: 'start a worker; if some live and no lane moves to them within ten seconds, restart them',
    },
  ];
}

function indexerProblems(work: Work): Problem[] {
  if (livesIn(work, 'indexer')) return [];
  return [
    {
      message: `no indexer process lives: new messages cannot be found, and ${work.index.jobs} jobs wait`,
      fix: 'start an indexer; one that runs and does not say that it lives is frozen or cannot reach Redis: restart it, its log says why',
    },
  ];
}

/** What waits for too long, or is so much that more is refused. */
function backlogProblems(work: Work, most: Record<LaneKind, number>): Problem[] {
  const { lanes = [], index, now } = work;
  const stuck = [...lanes.map((lane) => ({ name: lane.queue.name, ...lane })), { name: 'index', ...index }].filter(
    (queue) => isStuck(queue, now),
  );
  const problems = LANE_KINDS.flatMap((kind) =>
    fullProblem(
      lanes.filter((lane) => lane.kind === kind),
      kind,
      most[kind],
    ),
  );
  if (stuck.length === 0) return problems;
  const oldest = Math.min(...stuck.map(({ oldestAt = now }) => oldestAt));
  return [
    ...problems,
    {
      message: `${listOf(stuck.map(({ name }) => name))}: the oldest job has waited ${Math.round((now - oldest) / 1000)} s, and none was begun or finished for ${STUCK_MS / 1000} s`,
      fix: 'ruyi status shows who works it; look into the log of that process, and restart it if it says nothing',
    },
  ];
}

const isStuck = ({ oldestAt, progressAt = 0 }: QueueReading, now: number): boolean =>
  oldestAt !== undefined && now - oldestAt > STUCK_MS && now - progressAt > STUCK_MS;

function fullProblem(lanes: QueueReading[], kind: LaneKind, most: number): Problem[] {
  const waiting = lanes.reduce((sum, { recipients }) => sum + recipients, 0);
  if (waiting < most) return [];
  return [
    {
      message: `about ${waiting} recipients wait on the ${kind} lanes, and MAX_BACKLOG is ${most}: requests are answered 429`,
      fix: 'wait, or start more workers: as many as there are lanes can be busy (docs/scaling.md)',
    },
  ];
}

function deadLetterProblems({ deadLetters }: Work): Problem[] {
  if (deadLetters === 0) return [];
  return [
    {
      message: `${deadLetters} dead letters: what they hold could not be processed`,
      fix: 'ruyi dead list says why; once that is mended, ruyi dead retry --all processes them again',
    },
  ];
}

const listOf = (names: string[]): string =>
  names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;
