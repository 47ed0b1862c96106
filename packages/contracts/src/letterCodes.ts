/** Why something became a dead letter. The codes never change their meaning (docs/operating.md). */
export const LETTER_CODES = [
  'wrong_type',
  'bad_counter',
  'channel_full',
  'damaged',
  'expired',
  'refused',
  'document_refused',
  'invalid_job',
  'unreadable_job',
] as const;
export type LetterCode = (typeof LETTER_CODES)[number];
