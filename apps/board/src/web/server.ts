import type { Refusal } from '../live/liveState.ts';
import { change, current, forget } from './state.ts';

/** What the board refused, in its words. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** @throws RefusedError */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const answer = await fetch(path, { ...init, headers }).catch(() => undefined);
  if (answer === undefined) throw new RefusedError('The board does not answer. Is it running?', 0);
  if (answer.ok) return answer.json();
  throw refusalOf(answer.status, await answer.text());
}

export function refusalOf(status: number, text: string): RefusedError {
  if (status === 401) return new RefusedError('Your session has ended. Reload the page to log in again.', status);
  return new RefusedError(messageIn(text) ?? `The board answers ${status}.`, status);
}

function messageIn(text: string): string | undefined {
  try {
    const { message }: Partial<Refusal> = JSON.parse(text);
    return message;
  } catch {
    return undefined;
  }
}

/**
 * Posts an action: while it runs its button is off, and how it ended is said.
 * @param name of the action while it runs
 * @returns undefined if it failed
 */
export async function act<T>(
  path: string,
  done: (answer: T) => string,
  body: unknown = {},
  name: string = path,
): Promise<T | undefined> {
  if (current().busy.has(name)) return undefined;
  forget('notice');
  change({ busy: new Set([...current().busy, name]) });
  try {
    const answer = await ask<T>(path, { method: 'POST', body: JSON.stringify(body) });
    change({ notice: { isProblem: false, text: done(answer) } });
    return answer;
  } catch (error) {
    say(error);
    return undefined;
  } finally {
    change({ busy: new Set([...current().busy].filter((one) => one !== name)) });
  }
}

export function say(problem: unknown): void {
  change({ notice: { isProblem: true, text: problem instanceof Error ? problem.message : String(problem) } });
}
