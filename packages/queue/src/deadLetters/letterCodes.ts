import { LETTER_CODES, type LetterCode } from '@ruyi/contracts';
import type { Problem, ProblemPlace } from '../jobs.ts';

const PATTERNS: [RegExp, LetterCode][] = [
  [/WRONGTYPE/, 'wrong_type'],
  [/not an integer|not a valid float/, 'bad_counter'],
  [/is given away/, 'channel_full'],
  [/^job data is no JSON/, 'unreadable_job'],
  [/^invalid \S+ job|^no handler for/, 'invalid_job'],
];

/** The code of a failure that only its text tells. @param otherwise if the text is of no known kind */
export const codeOfReason = (reason: string, otherwise: LetterCode): LetterCode =>
  PATTERNS.find(([pattern]) => pattern.test(reason))?.[1] ?? otherwise;

export const codeOf = ({ code }: Pick<Problem, 'code'>): LetterCode =>
  LETTER_CODES.find((known) => known === code) ?? 'refused';

const SHOULD_BE: Record<ProblemPlace, string> = {
  log: 'a log (a sorted set)',
  seq: 'a counter (a string)',
  in: 'an inbox (a list)',
  inseq: 'a counter (a string)',
};

/** A problem at a key, as people say it. */
interface Found {
  code: LetterCode;
  reason: string;
  key?: string | undefined;
  place?: ProblemPlace | undefined;
  found?: string | undefined;
}

const article = (noun: string) => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
const TYPE_NAMES: Record<string, string> = { zset: 'sorted set' };
const typeName = (type: string): string => TYPE_NAMES[type] ?? type;

/** What is wrong, in one line. */
export function whatIsWrong({ code, reason, key, place, found }: Found): string {
  const at = key ?? 'a key';
  if (code === 'wrong_type') {
    const is = found === undefined ? 'had the wrong type' : `is ${article(typeName(found))}`;
    return place === undefined
      ? `WRONGTYPE: ${at} ${is}`
      : `WRONGTYPE: ${at} ${is} where ${SHOULD_BE[place]} should be`;
  }
  if (code === 'bad_counter') return `${at} is a counter but holds no whole number from 0 on`;
  if (code === 'channel_full') return `every message_seq up to 4294967295 is given away at ${at}`;
  if (code === 'damaged' && key !== undefined) return `${at} is damaged: ${reason}`;
  return reason;
}

/** How it is mended, in words, up to the retry. @param retry the command that tries it again */
export function howToMend({ code, key, place }: Found, retry: string): string {
  const at = key ?? 'the key';
  switch (code) {
    case 'wrong_type':
      return place === undefined
        ? `put back what Ruyi keeps at ${at} (docs/backup.md), or DEL or RENAME it, then \`${retry}\``
        : `DEL or RENAME ${at}, then \`${retry}\``;
    case 'bad_counter':
      return `SET ${at} to the last message_seq of its ${place === 'inseq' ? 'inbox' : 'log'}, then \`${retry}\``;
    case 'channel_full':
      return 'nothing can be stored there any more: use another channel, then drop the letter';
    case 'damaged':
      return `repair what the reason names, or restore it from a backup (docs/backup.md), then \`${retry}\``;
    case 'expired':
      return 'its message is gone, so nothing can be stored any more: drop the letter';
    case 'refused':
      return `mend what Redis complains about, then \`${retry}\``;
    case 'document_refused':
      return `the message is stored, only search lacks it: mend what the engine complains about, then \`${retry}\``;
    case 'invalid_job':
      return `if a newer version wrote the job, update the workers, then \`${retry}\`; else drop the letter`;
    case 'unreadable_job':
      return 'it cannot be tried again: send the message again if it is needed, then drop the letter';
  }
}
