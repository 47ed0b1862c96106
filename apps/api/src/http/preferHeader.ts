/** Reads `Prefer: wait=N` (RFC 7240). @returns N, in seconds; 0 if there is none, or none from 1 to 30 */
export function preferredWait(header: string | string[] | undefined): number {
  if (header === undefined) return 0;
  const text = Array.isArray(header) ? header.join(',') : header;
  const seconds = Number(/(?:^|[,;\s])wait\s*=\s*"?(\d{1,2})"?\s*(?:$|[,;])/i.exec(text)?.[1] ?? 0);
  return seconds >= 1 && seconds <= 30 ? seconds : 0;
}

/** The header of an answer that was held back for this long, in seconds. */
export const preferenceApplied = (waitSeconds: number) => ({ 'Preference-Applied': `wait=${waitSeconds}` });
