import type { Problem } from '@ruyi/redis';
import { oneLineOf } from '../../errorLine.ts';

/** What a look at one thing has found. */
export interface Finding {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  message: string;
  /** what to do about it; absent if it is ok */
  fix?: string;
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message });
export const warn = (check: string, problem: Problem): Finding => ({ check, status: 'warn', ...problem });
export const fail = (check: string, problem: Problem): Finding => ({ check, status: 'fail', ...problem });

/** A look that came to nothing, with the line that any command would end with. */
export async function failure(check: string, error: unknown): Promise<Finding> {
  const { line } = await oneLineOf(error);
  const [message = '', fix = 'repair that first: what depends on it was not looked at'] = line.split(/; (.*)/s);
  return fail(check, { message, fix });
}

/** Looks at something whose failure hides nothing else. */
export const looked = (check: string, look: () => Promise<Finding[]>): Promise<Finding[]> =>
  look().catch(async (error) => [await failure(check, error)]);
