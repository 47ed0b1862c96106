const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** 1234567 as 1,234,567, whatever the machine's language. */
export const count = (n: number): string => Math.round(n).toLocaleString('en-US');

export function bytes(n: number): string {
  let unit = 0;
  let left = n;
  for (; left >= 1000 && unit < UNITS.length - 1; unit++) left /= 1000;
  return `${unit === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${UNITS[unit]}`;
}

/** Seconds as people say them: 45 s, 12 min 5 s, 3 h 20 min. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** Unix seconds as ISO time; what has not happened is a dash. */
export const time = (seconds: number): string =>
  seconds > 0 ? new Date(seconds * 1000).toISOString().replace('.000', '') : '-';

/** A text on one line, without control characters, so that no message or name moves the cursor. */
export const printable = (text: string): string => text.replace(/\s+/g, ' ').replace(/\p{Cc}/gu, '');
