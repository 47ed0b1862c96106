import { setTimeout as delay } from 'node:timers/promises';
import type { DeadLetters, LetterFilter, Queues } from '@ruyi/queue';
import { count, printable } from '../../terminal/formats.ts';
import { INTERRUPTED, Interrupted, onInterrupt } from '../broadcast/interrupt.ts';

const LOOK_EVERY_MS = 100;
const WARN_AFTER_MS = 3000;
/** A retry of thousands names this many that failed again; `ruyi dead list` shows all. */
const NAMED = 20;

interface Retried {
  id: string;
  tries: number;
}

/**
 * Tries letters again. Of all letters only those that are there at the beginning are tried, so one that fails again is not
 * tried for ever. @returns the exit code
 */
export async function retryLetters(
  dead: DeadLetters,
  redis: Queues['redis'],
  chosen: string[] | LetterFilter,
  { wait, json }: { wait: boolean; json: boolean },
): Promise<number> {
  const retried: Retried[] = [];
  let refused = 0;
  for await (const id of Array.isArray(chosen) ? chosen : dead.ids(chosen)) {
    const retry = await dead.retry(id);
    if (!('refused' in retry)) retried.push(retry);
    else if (++refused <= NAMED) process.stderr.write(`${id}: ${printable(retry.refused)}\n`);
  }
  const ended = wait ? await untilEnded(dead, redis, retried) : undefined;
  if (ended === 'interrupted') return INTERRUPTED;
  const failed = ended ?? [];
  if (json) {
    const outcome = ended ? { done: retried.length - failed.length, failed_again: failed.length } : {};
    process.stdout.write(`${JSON.stringify({ put_back: retried.length, refused, ...outcome })}\n`);
  } else {
    const outcome = ended
      ? `: ${count(retried.length - failed.length)} done, ${count(failed.length)} failed again`
      : '';
    process.stdout.write(`${count(retried.length)} put back${outcome}\n`);
    for (const { id } of failed.slice(0, NAMED)) await sayWhy(dead, id);
  }
  return refused + failed.length > 0 ? 1 : 0;
}

async function sayWhy(dead: DeadLetters, id: string): Promise<void> {
  const letter = await dead.show(id, 1);
  const [problem] = letter?.problems ?? [];
  if (!letter || !problem) return;
  const lines = [`${id}: tries ${letter.tries}: ${problem.code}: ${printable(problem.title)}`, `  fix: ${problem.fix}`];
  process.stderr.write(`${lines.join('\n')}\n`);
}

/** @returns those that failed again */
async function untilEnded(
  dead: DeadLetters,
  redis: Queues['redis'],
  retried: Retried[],
): Promise<Retried[] | 'interrupted'> {
  const interrupt = onInterrupt();
  const failed: Retried[] = [];
  const began = performance.now();
  let isWarned = false;
  try {
    for (let running = retried; running.length > 0; ) {
      const left: Retried[] = [];
      for (const retry of running) {
        const outcome = await dead.outcome(retry);
        if (outcome === 'running') left.push(retry);
        else if (outcome === 'failed') failed.push(retry);
      }
      running = left;
      if (running.length > 0 && !isWarned && performance.now() - began > WARN_AFTER_MS) {
        isWarned = true;
        await warnIfNobodyWorks(redis);
      }
      if (running.length > 0) await delay(LOOK_EVERY_MS, undefined, { signal: interrupt.signal });
    }
    return failed;
  } catch (error) {
    if (!(interrupt.signal.reason instanceof Interrupted)) throw error;
    process.stderr.write('they go on\n');
    return 'interrupted';
  } finally {
    interrupt.close();
  }
}

async function warnIfNobodyWorks(redis: Queues['redis']): Promise<void> {
  const { Members } = await import('@ruyi/store');
  const members = await new Members(redis).all();
  if (members.some(({ role }) => role === 'worker')) return;
  process.stderr.write('no worker is running: they are tried again once one runs\n');
}
